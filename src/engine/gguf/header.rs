//! The header of a GGUF file: metadata, and where each tensor lies.
//!
//! In: an open file. Out: [`Header`], checked as a whole. Nothing is allocated because the file says so: every length and
//! count is held against what is left of the file first, lists stay in the file until somebody asks for them, and what
//! stays in memory is less than what it was read from. Source: the specification of the format
//! (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 1 to 3) and `ggml/src/gguf.cpp`.

use std::io::{BufReader, Read, Seek, SeekFrom};

use candle_core::quantized::GgmlDType;

/// Bytes that are read ahead.
const AHEAD: usize = 32 << 10;
/// Most metadata keys; models have fewer than a hundred.
const MAX_KEYS: u64 = 1024;
/// Longest key, in bytes (the specification).
const MAX_KEY: u64 = (1 << 16) - 1;
/// Longest name of a tensor, in bytes; ggml has 63, Hugging Face's longest names 70.
const MAX_NAME: u64 = 255;
/// Longest text of a list, in bytes: a token of a vocabulary.
const MAX_LISTED_TEXT: u64 = 1 << 16;
/// Most dimensions of a tensor (`GGML_MAX_DIMS`).
const MAX_DIMENSIONS: u32 = 4;
/// How deep lists may lie in lists; no key is known that has any in one.
const MAX_DEPTH: usize = 4;
/// Where data begin at multiples of, unless the file says something else.
const ALIGNMENT: u64 = 32;
/// The largest such number that is believed.
const MAX_ALIGNMENT: u64 = 1 << 16;

/// A kind of metadata (`gguf_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Text,
    List,
    U64,
    I64,
    F64,
}

impl Kind {
    fn of_number(number: u32) -> Option<Self> {
        let kinds = [
            Self::U8,
            Self::I8,
            Self::U16,
            Self::I16,
            Self::U32,
            Self::I32,
            Self::F32,
            Self::Bool,
            Self::Text,
            Self::List,
            Self::U64,
            Self::I64,
            Self::F64,
        ];
        kinds.get(number as usize).copied()
    }

    /// Bytes of a value; of texts and lists none, which differ.
    fn bytes(self) -> Option<u64> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Text | Self::List => None,
        }
    }
}

/// A value of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A whole number, whatever its width.
    Whole(i128),
    /// A floating-point number.
    Real(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(Box<str>),
    /// A list, which stays in the file: what it is of, how many, and where its first begins.
    List(Kind, u64, u64),
}

/// A tensor as the header declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor {
    pub(super) name: Box<str>,
    /// Outermost dimension first.
    pub(super) shape: Box<[usize]>,
    pub(super) dtype: GgmlDType,
    /// From the start of the data.
    pub(super) offset: u64,
}

/// What stands before the data.
#[derive(Debug)]
pub(super) struct Header {
    /// In the order of the keys.
    values: Vec<(Box<str>, Value)>,
    /// In the order of the names.
    pub(super) tensors: Vec<Tensor>,
    /// Where the data begin.
    pub(super) data: u64,
}

impl Header {
    /// Returns a value of the metadata.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        let place = self.values.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        Some(&self.values[place].1)
    }

    /// Returns a tensor.
    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        let place = self.tensors.binary_search_by(|known| (*known.name).cmp(name)).ok()?;
        Some(&self.tensors[place])
    }

    /// Reads and checks a header. An error says what is wrong, without the file's name.
    pub(super) fn read(source: &mut Source) -> Result<Self, String> {
        let magic: [u8; 4] = source.take("its first bytes")?;
        if magic != *b"GGUF" {
            return Err(format!("not a GGUF file (it begins with {:?})", String::from_utf8_lossy(&magic)));
        }
        let version = source.u32("its version")?;
        match version {
            1 => source.wide = false,
            2 | 3 => {}
            _ if (1..=3).contains(&version.swap_bytes()) => {
                return Err("the file's numbers are big-endian, which is not read here".into());
            }
            _ => return Err(format!("GGUF version {version} is not known here (there are: 1, 2, 3)")),
        }
        let (tensor_count, key_count) = (source.count("the number of tensors")?, source.count("the number of keys")?);
        if key_count > MAX_KEYS {
            return Err(format!("it declares {key_count} metadata keys; expected {MAX_KEYS} at most"));
        }
        let least_tensor = source.length_bytes() + 1 + 4 + source.length_bytes() + 4 + 8;
        let least = tensor_count.checked_mul(least_tensor);
        if least.is_none_or(|least| least > source.left()) {
            return Err(format!(
                "it declares {tensor_count} tensors, for which its {} bytes have no room: it is cut short or broken",
                source.bytes
            ));
        }
        let mut values: Vec<(Box<str>, Value)> = Vec::new();
        for _ in 0..key_count {
            let key = source.text("a metadata key", MAX_KEY)?;
            let value = source.value(&key)?;
            values.push((key, value));
        }
        values.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = values.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("metadata key {:?} is there twice", twice[0].0));
        }
        let alignment = match values.iter().find(|(key, _)| &**key == "general.alignment") {
            None => ALIGNMENT,
            Some((_, Value::Whole(number))) => u64::try_from(*number)
                .ok()
                .filter(|number| number.is_power_of_two() && *number <= MAX_ALIGNMENT)
                .ok_or_else(|| {
                    format!("general.alignment is {number}; expected a power of two up to {MAX_ALIGNMENT}")
                })?,
            Some(_) => return Err("general.alignment is not a whole number".into()),
        };
        // There is room for as many, as was seen above, and an entry of the file is more than half as large.
        let mut tensors: Vec<Tensor> = Vec::with_capacity(tensor_count as usize);
        for number in 0..tensor_count {
            tensors.push(source.tensor(number, alignment)?);
        }
        let data = source.position.next_multiple_of(alignment);
        check_places(&mut tensors, data, source.bytes)?;
        tensors.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = tensors.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(format!("tensor {:?} is there twice", twice[0].name));
        }
        Ok(Self { values, tensors, data })
    }
}

/// Checks that tensors lie within the file and nowhere over each other; leaves them in the order of their places.
fn check_places(tensors: &mut [Tensor], data: u64, bytes: u64) -> Result<(), String> {
    tensors.sort_unstable_by_key(|tensor| tensor.offset);
    let mut last: Option<(u64, &str)> = None;
    for tensor in tensors.iter() {
        let end = size(&tensor.shape, tensor.dtype).and_then(|size| tensor.offset.checked_add(size));
        match end.and_then(|end| end.checked_add(data)) {
            Some(end) if end <= bytes => {}
            _ => {
                return Err(format!(
                    "tensor {:?} of shape {:?} ({:?}) at {} does not fit in the file's {bytes} bytes: it is cut short \
                     or broken",
                    tensor.name, tensor.shape, tensor.dtype, tensor.offset
                ));
            }
        }
        if let Some((before, name)) = last.filter(|&(before, _)| before > tensor.offset) {
            return Err(format!(
                "tensors {name:?} (to {before}) and {:?} (from {}) overlap",
                tensor.name, tensor.offset
            ));
        }
        last = end.map(|end| (end, &*tensor.name));
    }
    Ok(())
}

/// Returns the bytes of a tensor's data; none where there is no such tensor.
pub(super) fn size(shape: &[usize], dtype: GgmlDType) -> Option<u64> {
    let block = dtype.block_size() as u64;
    let row = *shape.last()? as u64;
    let elements = shape.iter().try_fold(1u64, |product, &n| product.checked_mul(n as u64))?;
    if !row.is_multiple_of(block) {
        return None;
    }
    (elements / block).checked_mul(dtype.type_size() as u64)
}

/// A type of `ggml_type` that candle reads, or the name of one that it does not.
fn dtype(number: u32) -> Result<GgmlDType, Option<&'static str>> {
    Ok(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => {
            let name = match number {
                9 => "Q8_1",
                15 => "Q8_K",
                16 => "IQ2_XXS",
                17 => "IQ2_XS",
                18 => "IQ3_XXS",
                19 => "IQ1_S",
                20 => "IQ4_NL",
                21 => "IQ3_S",
                22 => "IQ2_S",
                23 => "IQ4_XS",
                24 => "I8",
                25 => "I16",
                26 => "I32",
                27 => "I64",
                28 => "F64",
                29 => "IQ1_M",
                34 => "TQ1_0",
                35 => "TQ2_0",
                39 => "MXFP4",
                _ => return Err(None),
            };
            return Err(Some(name));
        }
    })
}

/// A file that is read from its start on, with what is left of it at hand.
#[derive(Debug)]
pub(super) struct Source {
    inner: BufReader<fs_err::File>,
    position: u64,
    bytes: u64,
    /// Whether lengths have eight bytes (version 2 on) or four.
    wide: bool,
}

impl Source {
    pub(super) fn new(file: fs_err::File) -> std::io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { inner: BufReader::with_capacity(AHEAD, file), position: 0, bytes, wide: true })
    }

    fn left(&self) -> u64 {
        self.bytes.saturating_sub(self.position)
    }

    fn length_bytes(&self) -> u64 {
        if self.wide { 8 } else { 4 }
    }

    fn read(&mut self, buffer: &mut [u8], what: &str) -> Result<(), String> {
        self.inner.read_exact(buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => format!("the file ends in the middle of {what}: it is cut short"),
            _ => format!("{what} cannot be read: {error}"),
        })?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.read(&mut bytes, what)?;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32, String> {
        self.take(what).map(u32::from_le_bytes)
    }

    fn count(&mut self, what: &str) -> Result<u64, String> {
        if self.wide { self.take(what).map(u64::from_le_bytes) } else { self.u32(what).map(u64::from) }
    }

    fn skip(&mut self, bytes: u64, what: &str) -> Result<(), String> {
        if bytes > self.left() {
            return Err(format!("{what} needs {bytes} bytes, and {} are left: it is cut short or broken", self.left()));
        }
        let by = i64::try_from(bytes).map_err(|_| format!("{what} is larger than any file"))?;
        self.inner.seek_relative(by).map_err(|error| format!("{what} cannot be read: {error}"))?;
        self.position += bytes;
        Ok(())
    }

    /// Goes to a place that [`Value::List`] names.
    pub(super) fn go_to(&mut self, place: u64) -> Result<(), String> {
        self.inner.seek(SeekFrom::Start(place)).map_err(|error| error.to_string())?;
        self.position = place;
        Ok(())
    }

    /// Reads how long a text is, and that there is so much left.
    fn text_length(&mut self, what: &str, most: u64) -> Result<u64, String> {
        let length = self.count(what)?;
        if length > self.left() {
            return Err(format!(
                "{what} should have {length} bytes, and {} are left: it is cut short or broken",
                self.left()
            ));
        }
        if length > most {
            return Err(format!("{what} has {length} bytes; expected {most} at most"));
        }
        Ok(length)
    }

    fn text(&mut self, what: &str, most: u64) -> Result<Box<str>, String> {
        let length = self.text_length(what, most)?;
        let mut bytes = vec![0; length as usize];
        self.read(&mut bytes, what)?;
        // They should not end in zeros, but in practice some do.
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        String::from_utf8(bytes).map(String::into_boxed_str).map_err(|_| format!("{what} is not UTF-8"))
    }

    /// Reads the next text of a list; bytes that are no UTF-8 become U+FFFD, as some vocabularies have them.
    pub(super) fn listed_text(&mut self, buffer: &mut Vec<u8>) -> Result<String, String> {
        let length = self.text_length("a text of a list", MAX_LISTED_TEXT)?;
        buffer.resize(length as usize, 0);
        self.read(buffer, "a text of a list")?;
        let end = buffer.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        Ok(String::from_utf8_lossy(&buffer[..end]).into_owned())
    }

    /// Reads the next four bytes of a list.
    pub(super) fn listed_word(&mut self) -> Result<[u8; 4], String> {
        self.take("a number of a list")
    }

    fn kind(&mut self, key: &str) -> Result<Kind, String> {
        let number = self.u32("the type of a metadata value")?;
        Kind::of_number(number).ok_or_else(|| format!("metadata key {key:?} is of type {number}, which does not exist"))
    }

    fn value(&mut self, key: &str) -> Result<Value, String> {
        let what = format!("metadata key {key:?}");
        Ok(match self.kind(key)? {
            Kind::U8 => Value::Whole(u8::from_le_bytes(self.take(&what)?).into()),
            Kind::I8 => Value::Whole(i8::from_le_bytes(self.take(&what)?).into()),
            Kind::U16 => Value::Whole(u16::from_le_bytes(self.take(&what)?).into()),
            Kind::I16 => Value::Whole(i16::from_le_bytes(self.take(&what)?).into()),
            Kind::U32 => Value::Whole(u32::from_le_bytes(self.take(&what)?).into()),
            Kind::I32 => Value::Whole(i32::from_le_bytes(self.take(&what)?).into()),
            Kind::U64 => Value::Whole(u64::from_le_bytes(self.take(&what)?).into()),
            Kind::I64 => Value::Whole(i64::from_le_bytes(self.take(&what)?).into()),
            Kind::F32 => Value::Real(f32::from_le_bytes(self.take(&what)?).into()),
            Kind::F64 => Value::Real(f64::from_le_bytes(self.take(&what)?)),
            Kind::Bool => match self.take(&what)? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [other] => return Err(format!("{what} is a truth value of {other}; expected 0 or 1")),
            },
            Kind::Text => Value::Text(self.text(&what, u64::MAX)?),
            Kind::List => self.list(&what, key, 0)?,
        })
    }

    /// Goes over a list and checks it.
    fn list(&mut self, what: &str, key: &str, depth: usize) -> Result<Value, String> {
        if depth == MAX_DEPTH {
            return Err(format!("{what} has lists in lists, more than {MAX_DEPTH} deep"));
        }
        let (kind, count) = (self.kind(key)?, self.count(what)?);
        let begin = self.position;
        let least = match kind {
            Kind::Text => self.length_bytes(),
            Kind::List => 4 + self.length_bytes(),
            _ => kind.bytes().unwrap_or(1),
        };
        let bytes = count.checked_mul(least).filter(|&bytes| bytes <= self.left()).ok_or_else(|| {
            format!("{what} is a list of {count}, for which the file has no room: it is cut short or broken")
        })?;
        match kind {
            Kind::Text => {
                for _ in 0..count {
                    let length = self.text_length(what, MAX_LISTED_TEXT)?;
                    self.skip(length, what)?;
                }
            }
            Kind::List => {
                for _ in 0..count {
                    self.list(what, key, depth + 1)?;
                }
            }
            _ => self.skip(bytes, what)?,
        }
        Ok(Value::List(kind, count, begin))
    }

    fn tensor(&mut self, number: u64, alignment: u64) -> Result<Tensor, String> {
        let name = self.text(&format!("the name of tensor {number}"), MAX_NAME)?;
        let what = format!("tensor {name:?}");
        if name.is_empty() {
            return Err(format!("tensor {number} has no name"));
        }
        let dimensions = self.u32(&what)?;
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            return Err(format!("{what} has {dimensions} dimensions; expected 1 to {MAX_DIMENSIONS}"));
        }
        let mut shape = Vec::with_capacity(dimensions as usize);
        for _ in 0..dimensions {
            let length = self.count(&what)?;
            match usize::try_from(length) {
                Ok(length) if (1..=isize::MAX as usize).contains(&length) => shape.push(length),
                _ => return Err(format!("{what} has a dimension of {length}")),
            }
        }
        shape.reverse();
        let number = self.u32(&what)?;
        let dtype = dtype(number).map_err(|name| match name {
            Some(name) => format!("{what} is of type {name} ({number}), which is not read here"),
            None => format!("{what} is of type {number}, which is not known"),
        })?;
        let offset = self.take(&what).map(u64::from_le_bytes)?;
        if !offset.is_multiple_of(alignment) {
            return Err(format!("{what} begins at {offset}, no multiple of the alignment, {alignment}"));
        }
        Ok(Tensor { name, shape: shape.into(), dtype, offset })
    }
}

/// For candle, which reads tensors.
impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match to {
            SeekFrom::End(0) => Ok(self.bytes),
            other => self.inner.seek(other),
        }
    }
}
