//! Reads tensors from `pytorch_model.bin`, for models that have nothing better and where it is allowed ([`super::Pickles`]).
//!
//! In: a path. Out: [`Pickle`], which reads a tensor as `f32`. The format (torch 1.6 and later) is a zip file
//! ([`super::archive`]) with a pickle that describes the tensors ([`super::unpickle`]) and a file for each storage. Nothing in
//! it is executed, and what it claims is checked against what is there before memory is taken for it.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use super::archive::Archive;
use super::fields::bad;
use super::unpickle::{Declared, Kind, MAX_PICKLE, state_dict};
use crate::engine::Error;

/// What to do where a pickle cannot be read.
const WAY_OUT: &str = "use a revision of the model that has model.safetensors (on the hub it is often an open pull \
                       request, refs/pr/1), or convert the file with transformers";
/// Bytes that are read at a time: a multiple of every number's size.
const PIECE: usize = 1 << 18;

/// One `pytorch_model.bin`.
#[derive(Debug)]
pub struct Pickle {
    path: PathBuf,
    /// In the order of the names.
    tensors: Vec<Placed>,
    bytes: u64,
}

/// A tensor, and where its storage begins in the file.
#[derive(Debug)]
struct Placed {
    declared: Declared,
    begin: u64,
}

impl Pickle {
    /// Opens a file and reads what is in it, not the tensors.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::BadModel`] where it is of torch's format from before 1.6, no such
    /// file at all, or holds anything but tensors by name.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = fs_err::File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut start = [0u8; 4];
        let got = file.read(&mut start)?;
        if got < 4 || start[..2] != *b"PK" {
            let what = if start[0] == 0x80 {
                "written by torch before 1.6, which is not read here"
            } else {
                "not a file of torch's"
            };
            return Err(bad(path, format!("{what}: {WAY_OUT}")));
        }
        let tensors =
            read(&mut file, bytes).map_err(|reason| bad(path, format!("cannot be read ({reason}): {WAY_OUT}")))?;
        if tensors.is_empty() {
            return Err(bad(path, format!("no tensors were found in it: {WAY_OUT}")));
        }
        Ok(Self { path: path.to_owned(), tensors, bytes })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the names of all tensors, in order.
    pub fn names(&self) -> Vec<&str> {
        self.tensors.iter().map(|tensor| &*tensor.declared.name).collect()
    }

    fn placed(&self, name: &str) -> Option<&Placed> {
        let place = self.tensors.binary_search_by(|tensor| (*tensor.declared.name).cmp(name)).ok()?;
        Some(&self.tensors[place])
    }

    /// Returns the shape of a tensor, or nothing where the file does not have it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.placed(name).map(|tensor| &*tensor.declared.shape)
    }

    /// Returns the kind of a tensor's numbers, or nothing where the file does not have it.
    pub fn dtype(&self, name: &str) -> Option<String> {
        self.placed(name).map(|tensor| format!("{:?}", tensor.declared.kind).to_uppercase())
    }

    /// Reads a tensor as `f32`; nothing where the file does not have it.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it holds values that are not numbers, [`Error::Io`] where the file cannot be read any more.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, Error> {
        let Some(Placed { declared, begin }) = self.placed(name) else { return Ok(None) };
        let (shape, strides, kind) = (&*declared.shape, &*declared.strides, declared.kind);
        let elements: usize = shape.iter().product();
        if elements == 0 {
            return Ok(Some(Tensor::from_vec(Vec::<f32>::new(), shape, &Device::Cpu)?));
        }
        // From the first number that is used to the last.
        let stored = 1 + shape.iter().zip(strides).map(|(&n, &stride)| (n - 1) * stride).sum::<usize>();
        let mut file = fs_err::File::open(&self.path)?;
        file.seek(SeekFrom::Start(begin + declared.offset * kind.bytes()))?;
        let mut values: Vec<f32> = Vec::with_capacity(stored);
        let width = kind.bytes() as usize;
        let mut piece = vec![0u8; PIECE.min(stored * width)];
        while values.len() < stored {
            let wanted = piece.len().min((stored - values.len()) * width);
            file.read_exact(&mut piece[..wanted])?;
            append(&mut values, kind, &piece[..wanted]);
        }
        drop(piece);
        if !is_row_by_row(shape, strides) {
            values = gathered(&values, shape, strides, elements);
        }
        if values.iter().any(|value| value.is_nan()) {
            return Err(bad(&self.path, format!("tensor {name:?} holds values that are not numbers (NaN)")));
        }
        Ok(Some(Tensor::from_vec(values, shape, &Device::Cpu)?))
    }
}

/// Reads and checks what is in a file of `bytes` bytes. An error says what is wrong, without the file's name.
fn read(file: &mut fs_err::File, bytes: u64) -> Result<Vec<Placed>, String> {
    let archive = Archive::read(file, bytes)?;
    let mut described = archive.entries().iter().filter_map(|entry| {
        let folder = entry.name.strip_suffix("/data.pkl").filter(|folder| !folder.contains('/'))?;
        Some((folder, entry))
    });
    let (folder, entry) = described.next().ok_or("there is no data.pkl in it")?;
    if described.next().is_some() {
        return Err("there is more than one data.pkl in it".into());
    }
    if entry.size > MAX_PICKLE {
        return Err(format!("its data.pkl has {} bytes; expected {MAX_PICKLE} at most", entry.size));
    }
    let mut contents = |entry| -> Result<Vec<u8>, String> {
        let begin = archive.begin(file, entry)?;
        let mut bytes = vec![0; entry.size as usize];
        let read = file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|error| error.to_string())?;
        Ok(bytes)
    };
    if let Some(order) = archive.entry(&format!("{folder}/byteorder")).filter(|entry| entry.size < 16)
        && contents(order)? != b"little"
    {
        return Err("its numbers are big-endian".into());
    }
    let declared = state_dict(&contents(entry)?)?;
    let mut tensors = Vec::with_capacity(declared.len());
    for declared in declared {
        let begin = place(&archive, file, folder, &declared);
        let begin = begin.map_err(|reason| {
            let name: String = declared.name.chars().take(200).collect();
            format!("tensor {name:?} of shape {:?}: {reason}", declared.shape)
        })?;
        tensors.push(Placed { declared, begin });
    }
    Ok(tensors)
}

/// Checks a tensor against its storage; returns where in the file that begins.
fn place(archive: &Archive, file: &mut fs_err::File, folder: &str, declared: &Declared) -> Result<u64, String> {
    let Declared { storage, kind, stored, offset, shape, strides, .. } = declared;
    let entry =
        archive.entry(&format!("{folder}/data/{storage}")).ok_or_else(|| format!("storage {storage:?} is missing"))?;
    if stored.checked_mul(kind.bytes()) != Some(entry.size) {
        return Err(format!("its storage should have {stored} numbers ({kind:?}), and has {} bytes", entry.size));
    }
    let elements = shape.iter().try_fold(1u64, |product, &n| product.checked_mul(n as u64));
    // Numbers that are used more than once would make the tensor larger than its file.
    let elements = elements.filter(|elements| elements <= stored).ok_or("it has more numbers than its storage")?;
    let last = shape.iter().zip(strides).try_fold(*offset, |last, (&n, &stride)| {
        last.checked_add((n as u64).saturating_sub(1).checked_mul(stride as u64)?)
    });
    if elements > 0 && last.is_none_or(|last| last >= *stored) {
        return Err(format!("its numbers should reach behind the {stored} of its storage"));
    }
    if shape.iter().filter(|&&n| n > 0).try_fold(8usize, |product, &n| product.checked_mul(n)).is_none() {
        return Err("there is no such shape".into());
    }
    archive.begin(file, entry)
}

fn append(values: &mut Vec<f32>, kind: Kind, bytes: &[u8]) {
    match kind {
        Kind::F32 => values.extend(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b))),
        Kind::F16 => values.extend(bytes.as_chunks().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32())),
        Kind::Bf16 => values.extend(bytes.as_chunks().0.iter().map(|&b| half::bf16::from_le_bytes(b).to_f32())),
        Kind::F64 => values.extend(bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32)),
        Kind::I64 => values.extend(bytes.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b) as f32)),
        Kind::I32 => values.extend(bytes.as_chunks().0.iter().map(|&b| i32::from_le_bytes(b) as f32)),
        Kind::I16 => values.extend(bytes.as_chunks().0.iter().map(|&b| f32::from(i16::from_le_bytes(b)))),
        Kind::I8 => values.extend(bytes.iter().map(|&b| f32::from(b as i8))),
        Kind::U8 | Kind::Bool => values.extend(bytes.iter().map(|&b| f32::from(b))),
    }
}

/// Whether the numbers lie as they are counted: the last dimension without gaps, and so on.
fn is_row_by_row(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(&n, &stride)| {
        let fits = n <= 1 || stride == expected;
        expected *= n.max(1);
        fits
    })
}

/// Puts numbers that lie otherwise (a transposed matrix) row by row.
fn gathered(stored: &[f32], shape: &[usize], strides: &[usize], elements: usize) -> Vec<f32> {
    let mut index = vec![0; shape.len()];
    let mut values = Vec::with_capacity(elements);
    for _ in 0..elements {
        let at: usize = index.iter().zip(strides).map(|(i, stride)| i * stride).sum();
        values.push(stored[at]);
        for (place, n) in index.iter_mut().zip(shape).rev() {
            *place += 1;
            if *place < *n {
                break;
            }
            *place = 0;
        }
    }
    values
}
