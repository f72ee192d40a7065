//! Reads what a state dict of torch says of its tensors, out of the pickle that describes them.
//!
//! In: the bytes of `data.pkl`. Out: [`Declared`] tensors. Pickles are programs; of this one's machine only so much is here
//! as torch needs for a dictionary of tensors. It makes nothing, calls nothing and knows three functions by name; all else
//! is refused by its name. What it keeps of an object is a few bytes, whose number is bound to the pickle's length. Source:
//! Python's `pickletools.py`, torch's `_utils.py` (`_rebuild_tensor_v2`, `_rebuild_parameter`) and `serialization.py`
//! (`persistent_id`).

/// Longest pickle that is read, in bytes; that of a thousand tensors has 100 kB.
pub const MAX_PICKLE: u64 = 16 << 20;
/// Most objects on the stack: Python writes a dictionary a thousand pairs at a time.
const MAX_STACK: usize = 4096;
/// Most objects in a tuple.
const MAX_TUPLE: usize = 16;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;
/// Most tensors.
const MAX_TENSORS: usize = 1 << 16;

/// The kinds of numbers in a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `FloatStorage`
    F32,
    /// `HalfStorage`
    F16,
    /// `BFloat16Storage`
    Bf16,
    /// `DoubleStorage`
    F64,
    /// `LongStorage`
    I64,
    /// `IntStorage`
    I32,
    /// `ShortStorage`
    I16,
    /// `CharStorage`
    I8,
    /// `ByteStorage`
    U8,
    /// `BoolStorage`
    Bool,
}

impl Kind {
    fn of_class(name: &str) -> Option<Self> {
        Some(match name {
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "DoubleStorage" => Self::F64,
            "LongStorage" => Self::I64,
            "IntStorage" => Self::I32,
            "ShortStorage" => Self::I16,
            "CharStorage" => Self::I8,
            "ByteStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// Bytes of a number.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }
}

/// A tensor as the pickle declares it; nothing of it is checked against the file yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its name in the state dict.
    pub name: Box<str>,
    /// Its storage's name in the archive.
    pub storage: Box<str>,
    /// Of its numbers.
    pub kind: Kind,
    /// Numbers in the storage.
    pub stored: u64,
    /// Of its first number in the storage.
    pub offset: u64,
    /// Outermost dimension first.
    pub shape: Box<[usize]>,
    /// In numbers, as many as dimensions.
    pub strides: Box<[usize]>,
}

/// What lies on the stack: what is larger than this lies elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    Mark,
    /// None, truth values, floats, lists: nothing of them is asked for.
    Other,
    Int(i32),
    /// Place in the pickle of an integer of up to eight bytes.
    Long(u32),
    /// Place in the pickle of the opcode of a text.
    Text(u32),
    /// Place of the first of its objects, and how many there are.
    Tuple(u32, u8),
    Dict(u32),
    RebuildTensor,
    RebuildParameter,
    OrderedDict,
    Class(Kind),
    /// Place of the five objects that say where its numbers are.
    Storage(u32),
    /// Place of its first objects: storage, offset, shape, strides.
    Tensor(u32),
}

/// Reads the tensors of a state dict, in the order of their names. An error says what is wrong, without the file's name.
pub fn state_dict(pickle: &[u8]) -> Result<Vec<Declared>, String> {
    let mut machine =
        Machine { pickle, at: 0, stack: Vec::new(), memo: Vec::new(), tuples: Vec::new(), dicts: 0, items: Vec::new() };
    let root = machine.run()?;
    machine.declared(root)
}

struct Machine<'p> {
    pickle: &'p [u8],
    at: usize,
    stack: Vec<Object>,
    memo: Vec<Object>,
    /// The objects of all tuples.
    tuples: Vec<Object>,
    dicts: u32,
    /// Dictionary, text and tensor of each pair that holds one.
    items: Vec<(u32, u32, u32)>,
}

impl<'p> Machine<'p> {
    /// Runs to the end; returns the number of the dictionary that is there.
    fn run(&mut self) -> Result<u32, String> {
        loop {
            let (at, code) = (self.at as u32, self.take::<1>()?[0]);
            match code {
                // PROTO, FRAME
                0x80 => match self.take::<1>()? {
                    [2..=5] => {}
                    [other] => return Err(format!("its pickle is of protocol {other}; expected 2 to 5")),
                },
                0x95 => drop(self.take::<8>()?),
                // MARK, STOP, POP
                b'(' => self.push(Object::Mark)?,
                b'.' => {
                    return match self.pop()? {
                        Object::Dict(root) => Ok(root),
                        _ => Err("it is no dictionary of tensors".into()),
                    };
                }
                b'0' => drop(self.pop()?),
                // NONE, NEWTRUE, NEWFALSE, BINFLOAT, EMPTY_LIST
                b'N' | 0x88 | 0x89 | b']' => self.push(Object::Other)?,
                b'G' => {
                    self.take::<8>()?;
                    self.push(Object::Other)?;
                }
                // BININT, BININT1, BININT2, LONG1
                b'J' => {
                    let number = i32::from_le_bytes(self.take()?);
                    self.push(Object::Int(number))?;
                }
                b'K' => {
                    let [number] = self.take()?;
                    self.push(Object::Int(number.into()))?;
                }
                b'M' => {
                    let number = u16::from_le_bytes(self.take()?);
                    self.push(Object::Int(number.into()))?;
                }
                0x8a => {
                    let [length] = self.take()?;
                    if length > 8 {
                        return Err(format!("a number in it has {length} bytes; expected 8 at most"));
                    }
                    self.bytes(length.into())?;
                    self.push(Object::Long(at + 1))?;
                }
                // BINUNICODE, SHORT_BINUNICODE
                b'X' | 0x8c => {
                    let length =
                        if code == b'X' { u32::from_le_bytes(self.take()?) } else { self.take::<1>()?[0].into() };
                    let bytes = self.bytes(length as usize)?;
                    std::str::from_utf8(bytes).map_err(|_| "a text in it is not UTF-8")?;
                    self.push(Object::Text(at))?;
                }
                // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
                b'q' => {
                    let [place] = self.take()?;
                    self.remember(place.into())?;
                }
                b'r' => {
                    let place = u32::from_le_bytes(self.take()?) as usize;
                    self.remember(place)?;
                }
                0x94 => self.remember(self.memo.len())?,
                b'h' => {
                    let [place] = self.take()?;
                    self.recall(place.into())?;
                }
                b'j' => {
                    let place = u32::from_le_bytes(self.take()?) as usize;
                    self.recall(place)?;
                }
                // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
                b')' => self.tuple(0)?,
                0x85..=0x87 => self.tuple(usize::from(code - 0x84))?,
                b't' => {
                    let count = self.marked()?;
                    self.tuple(count)?;
                    // The mark lies below what has just been made.
                    let tuple = self.pop()?;
                    self.pop()?;
                    self.push(tuple)?;
                }
                // GLOBAL, STACK_GLOBAL
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(global(module, name)?)?;
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let global = global(self.text(module)?, self.text(name)?)?;
                    self.push(global)?;
                }
                // BINPERSID, REDUCE, BUILD
                b'Q' => match self.pop()? {
                    Object::Tuple(first, 5) => self.push(Object::Storage(first))?,
                    _ => return Err("a storage in it has no name and size".into()),
                },
                b'R' => self.reduce()?,
                b'b' => match (self.pop()?, self.pop()?) {
                    // What is said of a dictionary beside its pairs: the versions of torch's modules.
                    (Object::Dict(_) | Object::Tuple(..), dict @ Object::Dict(_)) => self.push(dict)?,
                    _ => return Err("it changes an object that is no dictionary".into()),
                },
                // EMPTY_DICT, SETITEM, SETITEMS, APPEND, APPENDS
                b'}' => self.dict()?,
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    let dict = self.last_dict(0)?;
                    self.set(dict, key, value)?;
                }
                b'u' => {
                    let count = self.marked()?;
                    if !count.is_multiple_of(2) {
                        return Err("a dictionary in it has a name without a value".into());
                    }
                    let dict = self.last_dict(count + 1)?;
                    let first = self.stack.len() - count;
                    for pair in (first..self.stack.len()).step_by(2) {
                        self.set(dict, self.stack[pair], self.stack[pair + 1])?;
                    }
                    self.stack.truncate(first - 1);
                }
                b'a' => drop(self.pop()?),
                b'e' => {
                    let count = self.marked()?;
                    self.stack.truncate(self.stack.len() - count - 1);
                }
                other => {
                    return Err(format!(
                        "its pickle has the instruction {other:#04x}, which no state dict of torch's has"
                    ));
                }
            }
        }
    }

    fn bytes(&mut self, count: usize) -> Result<&'p [u8], String> {
        let bytes = self.pickle.get(self.at..).and_then(|rest| rest.get(..count));
        let left = self.pickle.len() - self.at;
        self.at += count.min(left);
        bytes.ok_or_else(|| format!("its pickle is cut short: {count} bytes should follow, there are {left}"))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| "its pickle is cut short".to_owned())
    }

    fn line(&mut self) -> Result<&'p str, String> {
        let rest = &self.pickle[self.at..];
        let end = rest.iter().take(256).position(|&byte| byte == b'\n').ok_or("a name in its pickle has no end")?;
        let line = std::str::from_utf8(self.bytes(end)?).map_err(|_| "a name in its pickle is not UTF-8")?;
        self.at += 1;
        Ok(line)
    }

    fn push(&mut self, object: Object) -> Result<(), String> {
        if self.stack.len() == MAX_STACK {
            return Err(format!("its pickle keeps more than {MAX_STACK} objects waiting"));
        }
        self.stack.push(object);
        Ok(())
    }

    fn pop(&mut self) -> Result<Object, String> {
        self.stack.pop().ok_or_else(|| "its pickle asks for an object that is not there".to_owned())
    }

    /// Counts the objects above the last mark.
    fn marked(&self) -> Result<usize, String> {
        let count = self.stack.iter().rev().position(|object| *object == Object::Mark);
        count.ok_or_else(|| "its pickle asks for a mark that is not there".to_owned())
    }

    fn remember(&mut self, place: usize) -> Result<(), String> {
        let object = *self.stack.last().ok_or("its pickle keeps an object that is not there")?;
        // Python numbers what it keeps from 0 on, and nothing that it keeps has fewer than four bytes.
        if place > self.memo.len() || place > self.pickle.len() / 4 {
            return Err(format!("its pickle keeps object {place} after {} of them", self.memo.len()));
        }
        if place < self.memo.len() {
            self.memo[place] = object;
        } else {
            make_room(&mut self.memo, 1, self.pickle.len() / 4 + 1);
            self.memo.push(object);
        }
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Result<(), String> {
        let object =
            *self.memo.get(place).ok_or_else(|| format!("its pickle asks for object {place}, which it never kept"))?;
        self.push(object)
    }

    /// Makes a tuple of the last objects.
    fn tuple(&mut self, count: usize) -> Result<(), String> {
        let first = self.stack.len().checked_sub(count).ok_or("its pickle asks for objects that are not there")?;
        if count > MAX_TUPLE {
            return Err(format!("a tuple in it has {count} objects; expected {MAX_TUPLE} at most"));
        }
        // A tensor has some fifteen objects in tuples, and a hundred bytes.
        let most = self.pickle.len() / 4 + 64;
        if self.tuples.len() + count > most {
            return Err("its pickle makes more tuples than it has bytes for".into());
        }
        make_room(&mut self.tuples, count, most);
        let start = self.tuples.len() as u32;
        self.tuples.extend(self.stack.drain(first..));
        self.push(Object::Tuple(start, count as u8))
    }

    fn dict(&mut self) -> Result<(), String> {
        self.dicts += 1;
        self.push(Object::Dict(self.dicts))
    }

    /// Returns the dictionary below the last `above` objects.
    fn last_dict(&self, above: usize) -> Result<u32, String> {
        match self.stack.iter().rev().nth(above) {
            Some(Object::Dict(dict)) => Ok(*dict),
            _ => Err("its pickle fills a dictionary that is not there".into()),
        }
    }

    fn set(&mut self, dict: u32, key: Object, value: Object) -> Result<(), String> {
        if let (Object::Text(key), Object::Tensor(tensor)) = (key, value) {
            // The shortest pair, of a tensor that shares its storage, has 30 bytes.
            let most = MAX_TENSORS.min(self.pickle.len() / 24 + 1);
            if self.items.len() == most {
                return Err(format!("it has more than {most} tensors"));
            }
            self.items.push((dict, key, tensor));
        }
        Ok(())
    }

    fn reduce(&mut self) -> Result<(), String> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Object::Tuple(first, count) = arguments else {
            return Err("its pickle calls something without a tuple of arguments".into());
        };
        match (function, count) {
            (Object::RebuildTensor, 6..) => self.push(Object::Tensor(first)),
            (Object::RebuildParameter, 1..) => match self.tuples[first as usize] {
                tensor @ Object::Tensor(_) => self.push(tensor),
                _ => Err("a parameter in it is no tensor".into()),
            },
            (Object::OrderedDict, 0) => self.dict(),
            _ => Err("its pickle calls something with arguments that it does not take".into()),
        }
    }

    fn text(&self, object: Object) -> Result<&'p str, String> {
        let Object::Text(at) = object else { return Err("something in it should be a text".into()) };
        let (at, wide) = (at as usize, self.pickle[at as usize] == b'X');
        // The machine has been over it.
        let (start, length) = match wide {
            true => (at + 5, self.pickle[at + 1..at + 5].iter().rev().fold(0, |n, &byte| n << 8 | usize::from(byte))),
            false => (at + 2, usize::from(self.pickle[at + 1])),
        };
        std::str::from_utf8(&self.pickle[start..start + length]).map_err(|_| "a text in it is not UTF-8".to_owned())
    }

    fn number(&self, object: Object) -> Result<u64, String> {
        let number = match object {
            Object::Int(number) => i64::from(number),
            Object::Long(at) => {
                let length = usize::from(self.pickle[at as usize]);
                let bytes = &self.pickle[at as usize + 1..][..length];
                let sign = bytes.last().map_or(0, |&last| if last & 0x80 == 0 { 0 } else { -1 });
                bytes.iter().rev().fold(sign, |number, &byte| number << 8 | i64::from(byte))
            }
            _ => return Err("something in it should be a number".into()),
        };
        u64::try_from(number).map_err(|_| format!("a number in it is {number}; expected 0 or more"))
    }

    fn sizes(&self, object: Object) -> Result<Box<[usize]>, String> {
        let Object::Tuple(first, count) = object else { return Err("it has no tuple of sizes".into()) };
        if usize::from(count) > MAX_DIMENSIONS {
            return Err(format!("it has {count} dimensions; expected {MAX_DIMENSIONS} at most"));
        }
        let objects = &self.tuples[first as usize..][..usize::from(count)];
        let size = |&object: &Object| {
            usize::try_from(self.number(object)?).map_err(|_| "it is larger than this machine can address".to_owned())
        };
        objects.iter().map(size).collect()
    }

    /// Returns the tensors of a dictionary.
    fn declared(&mut self, root: u32) -> Result<Vec<Declared>, String> {
        let mut items = std::mem::take(&mut self.items);
        items.retain(|&(dict, ..)| dict == root);
        let name = |key| self.text(Object::Text(key));
        // Before anything is copied: a name of a megabyte may be used a thousand times.
        items.sort_by(|a, b| name(a.1).cmp(&name(b.1)));
        if let Some(twice) = items.windows(2).find(|pair| name(pair[0].1) == name(pair[1].1)) {
            let shown: String = name(twice[0].1)?.chars().take(200).collect();
            return Err(format!("tensor {shown:?} is there twice"));
        }
        let declared = items.into_iter().map(|(_, key, tensor)| {
            let name = name(key)?;
            let shown: String = name.chars().take(200).collect();
            self.tensor(name, tensor).map_err(|reason| format!("tensor {shown:?}: {reason}"))
        });
        declared.collect()
    }

    fn tensor(&self, name: &str, first: u32) -> Result<Declared, String> {
        let [storage, offset, shape, strides] = self.tuples[first as usize..][..4] else {
            return Err("it is declared wrongly".into());
        };
        let Object::Storage(place) = storage else { return Err("it has no storage".into()) };
        let [tag, class, key, _, stored] = self.tuples[place as usize..][..5] else {
            return Err("its storage is declared wrongly".into());
        };
        let Object::Class(kind) = class else { return Err("its storage has no kind of numbers".into()) };
        let storage = self.text(key)?;
        if self.text(tag)? != "storage" || storage.len() > 64 {
            return Err("its storage is declared wrongly".into());
        }
        let (shape, strides) = (self.sizes(shape)?, self.sizes(strides)?);
        if shape.len() != strides.len() {
            return Err(format!("it has {} dimensions and {} strides", shape.len(), strides.len()));
        }
        let (stored, offset) = (self.number(stored)?, self.number(offset)?);
        Ok(Declared { name: name.into(), storage: storage.into(), kind, stored, offset, shape, strides })
    }
}

/// Makes room for `more` objects, for twice as many as there are, but for no more than `most` in all.
fn make_room(objects: &mut Vec<Object>, more: usize, most: usize) {
    let needed = objects.len() + more;
    if needed > objects.capacity() {
        objects.reserve_exact((2 * needed).max(32).min(most.max(needed)) - objects.len());
    }
}

/// Returns what a name stands for. These are all that are known.
fn global(module: &str, name: &str) -> Result<Object, String> {
    match (module, name) {
        ("torch._utils", "_rebuild_tensor_v2") => Ok(Object::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => Ok(Object::RebuildParameter),
        ("collections", "OrderedDict") => Ok(Object::OrderedDict),
        ("torch", class) if Kind::of_class(class).is_some() => {
            Kind::of_class(class).map(Object::Class).ok_or_else(String::new)
        }
        _ => {
            let (module, name): (String, String) = (module.chars().take(80).collect(), name.chars().take(80).collect());
            Err(format!(
                "its pickle calls {module}.{name}, which is not a part of a state dict: nothing of it is run here"
            ))
        }
    }
}
