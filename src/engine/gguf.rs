//! Opens GGUF files: typed metadata and quantised tensors, with errors that name the file and the key.
//!
//! In: a path. Out: [`Gguf`]. The format itself is read by candle
//! (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>); this file adds the checks that keep a broken file from
//! turning into a panic or a huge allocation. What the keys mean is left to those who ask for them.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::QTensor;
use candle_core::quantized::gguf_file::{Content, Value};

use super::Error;

/// An open GGUF file.
#[derive(Debug)]
pub struct Gguf {
    path: PathBuf,
    content: Content,
    reader: TrackedReader,
}

impl Gguf {
    /// Opens a file and reads its header, not its tensors.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read; [`Error::BadModel`] where it is not a GGUF file, is cut short, or
    /// declares a tensor that cannot be there.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = fs_err::File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut reader = TrackedReader::new(file)?;
        let content = Content::read(&mut reader).map_err(|error| bad(path, explain(&error)))?;
        let infos: std::collections::BTreeMap<_, _> = content.tensor_infos.iter().collect();
        for (name, info) in infos {
            let size = info.shape.dims().iter().try_fold(1u64, |product, &n| product.checked_mul(n as u64)).and_then(
                |elements| {
                    let block = info.ggml_dtype.block_size() as u64;
                    elements.is_multiple_of(block).then_some(())?;
                    (elements / block).checked_mul(info.ggml_dtype.type_size() as u64)
                },
            );
            let end = size.and_then(|size| size.checked_add(info.offset)?.checked_add(content.tensor_data_offset));
            match end {
                Some(end) if end <= bytes => {}
                _ => {
                    let reason = format!(
                        "tensor {name:?} of shape {:?} ({:?}) does not fit in the file's {bytes} bytes: it is cut short or broken",
                        info.shape.dims(),
                        info.ggml_dtype
                    );
                    return Err(bad(path, reason));
                }
            }
        }
        Ok(Self { path: path.to_owned(), content, reader })
    }

    /// Returns the path the file was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes an error that names this file.
    pub fn bad(&self, reason: impl Into<String>) -> Error {
        bad(&self.path, reason)
    }

    /// Returns whether a metadata key is there.
    pub fn has(&self, key: &str) -> bool {
        self.content.metadata.contains_key(key)
    }

    /// Reads a whole number of any width.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the key is missing, of another type, or negative.
    pub fn usize(&self, key: &str) -> Result<usize, Error> {
        self.optional_usize(key)?.ok_or_else(|| self.missing(key))
    }

    /// Reads a whole number that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the value is of another type, or negative.
    pub fn optional_usize(&self, key: &str) -> Result<Option<usize>, Error> {
        let Some(value) = self.content.metadata.get(key) else { return Ok(None) };
        let number = match value {
            Value::U8(v) => Some(u64::from(*v)),
            Value::U16(v) => Some(u64::from(*v)),
            Value::U32(v) => Some(u64::from(*v)),
            Value::U64(v) => Some(*v),
            Value::I8(v) => u64::try_from(*v).ok(),
            Value::I16(v) => u64::try_from(*v).ok(),
            Value::I32(v) => u64::try_from(*v).ok(),
            Value::I64(v) => u64::try_from(*v).ok(),
            _ => None,
        };
        let number = number.and_then(|n| usize::try_from(n).ok());
        number.map(Some).ok_or_else(|| self.mistyped(key, "a whole number"))
    }

    /// Reads a floating-point number that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the value is of another type or not finite.
    pub fn optional_f32(&self, key: &str) -> Result<Option<f32>, Error> {
        match self.content.metadata.get(key) {
            None => Ok(None),
            Some(Value::F32(v)) if v.is_finite() => Ok(Some(*v)),
            Some(Value::F64(v)) if v.is_finite() => Ok(Some(*v as f32)),
            Some(_) => Err(self.mistyped(key, "a finite number")),
        }
    }

    /// Reads a floating-point number.
    ///
    /// # Errors
    /// As [`Gguf::optional_f32`], and where the key is missing.
    pub fn f32(&self, key: &str) -> Result<f32, Error> {
        self.optional_f32(key)?.ok_or_else(|| self.missing(key))
    }

    /// Reads a truth value that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the value is of another type.
    pub fn optional_bool(&self, key: &str) -> Result<Option<bool>, Error> {
        match self.content.metadata.get(key) {
            None => Ok(None),
            Some(Value::Bool(v)) => Ok(Some(*v)),
            Some(_) => Err(self.mistyped(key, "a truth value")),
        }
    }

    /// Reads a text that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the value is of another type.
    pub fn optional_str(&self, key: &str) -> Result<Option<&str>, Error> {
        match self.content.metadata.get(key) {
            None => Ok(None),
            Some(Value::String(v)) => Ok(Some(v)),
            Some(_) => Err(self.mistyped(key, "a text")),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// As [`Gguf::optional_str`], and where the key is missing.
    pub fn str(&self, key: &str) -> Result<&str, Error> {
        self.optional_str(key)?.ok_or_else(|| self.missing(key))
    }

    /// Takes a list of texts out of the metadata, so that a large vocabulary is not held twice.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the key is missing or something else is in the list.
    pub fn take_strings(&mut self, key: &str) -> Result<Vec<String>, Error> {
        let values = self.take_array(key)?;
        let texts: Option<Vec<String>> =
            values.into_iter().map(|value| if let Value::String(text) = value { Some(text) } else { None }).collect();
        texts.ok_or_else(|| self.mistyped(key, "a list of texts"))
    }

    /// Takes a list of numbers out of the metadata, as `f32`.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the key is missing or something else is in the list.
    pub fn take_numbers(&mut self, key: &str) -> Result<Vec<f32>, Error> {
        let values = self.take_array(key)?;
        let numbers: Option<Vec<f32>> = values
            .iter()
            .map(|value| match value {
                Value::F32(v) => Some(*v),
                Value::I32(v) => Some(*v as f32),
                Value::U32(v) => Some(*v as f32),
                _ => None,
            })
            .collect();
        numbers.ok_or_else(|| self.mistyped(key, "a list of numbers"))
    }

    /// Returns the names of all tensors, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.content.tensor_infos.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Returns the shape of a tensor, outermost dimension first, or nothing where the file does not have it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.content.tensor_infos.get(name).map(|info| info.shape.dims())
    }

    /// Returns the kind of a tensor's numbers (`F32`, `Q4_K`), or nothing where the file does not have it.
    pub fn dtype(&self, name: &str) -> Option<String> {
        // Candle's names of its types, which only their letters' case tells from the format's own.
        self.content.tensor_infos.get(name).map(|info| format!("{:?}", info.ggml_dtype).to_uppercase())
    }

    /// Reads a tensor.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the tensor is missing or cannot be read.
    pub fn tensor(&mut self, name: &str) -> Result<QTensor, Error> {
        if !self.content.tensor_infos.contains_key(name) {
            return Err(self.bad(format!("tensor {name:?} is missing")));
        }
        let tensor = self.content.tensor(&mut self.reader, name, &Device::Cpu);
        tensor.map_err(|error| self.bad(format!("tensor {name:?}: {}", explain(&error))))
    }

    /// Reads a vector of `len` numbers as `f32`.
    ///
    /// # Errors
    /// As [`Gguf::tensor`], and where the length is another.
    pub fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.tensor(name)?;
        if tensor.shape().dims() != [len] {
            return Err(self.bad(format!("tensor {name:?}: expected shape [{len}], got {:?}", tensor.shape().dims())));
        }
        Ok(tensor.dequantize(&Device::Cpu)?.to_vec1()?)
    }

    /// Reads a matrix of `rows` by `columns`.
    ///
    /// # Errors
    /// As [`Gguf::tensor`], and where the shape is another.
    pub fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<QTensor, Error> {
        let tensor = self.tensor(name)?;
        if tensor.shape().dims() != [rows, columns] {
            let got = tensor.shape().dims();
            return Err(self.bad(format!("tensor {name:?}: expected shape [{rows}, {columns}], got {got:?}")));
        }
        Ok(tensor)
    }

    fn take_array(&mut self, key: &str) -> Result<Vec<Value>, Error> {
        match self.content.metadata.remove(key) {
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(self.mistyped(key, "a list")),
            None => Err(self.missing(key)),
        }
    }

    fn missing(&self, key: &str) -> Error {
        self.bad(format!("metadata key {key:?} is missing"))
    }

    fn mistyped(&self, key: &str, wanted: &str) -> Error {
        self.bad(format!("metadata key {key:?} is not {wanted}"))
    }
}

fn bad(path: &Path, reason: impl Into<String>) -> Error {
    Error::BadModel { path: path.to_owned(), reason: reason.into() }
}

/// Says in one line what candle met, without its backtrace.
fn explain(error: &candle_core::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("gguf: ").unwrap_or(line);
    if line.contains("failed to fill whole buffer") {
        "the file ends in the middle of its header: it is cut short".into()
    } else if line.contains("unknown magic") {
        format!("not a GGUF file ({line})")
    } else if line.contains(" remaining") {
        format!("cut short or broken: {line}")
    } else {
        line.to_owned()
    }
}

/// A buffered reader that knows its position without a system call (candle asks for it before every string) and that
/// refuses `general.alignment = 0`, by which candle would divide.
#[derive(Debug)]
struct TrackedReader {
    inner: BufReader<fs_err::File>,
    position: u64,
    bytes: u64,
    alignment: Watch,
}

/// Where in `general.alignment` the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    Elsewhere,
    Key,
    Type,
}

impl TrackedReader {
    fn new(file: fs_err::File) -> Result<Self, Error> {
        let bytes = file.metadata()?.len();
        Ok(Self { inner: BufReader::with_capacity(1 << 16, file), position: 0, bytes, alignment: Watch::Elsewhere })
    }
}

impl Read for TrackedReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.position += read as u64;
        self.alignment = match self.alignment {
            _ if buffer == b"general.alignment" => Watch::Key,
            Watch::Key => Watch::Type,
            Watch::Type if buffer.iter().all(|&byte| byte == 0) => {
                return Err(std::io::Error::other("general.alignment is 0"));
            }
            Watch::Type | Watch::Elsewhere => Watch::Elsewhere,
        };
        Ok(read)
    }
}

impl Seek for TrackedReader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.bytes.checked_add_signed(offset),
        };
        let target = target.ok_or_else(|| std::io::Error::other("seek out of range"))?;
        if target != self.position {
            self.inner.seek(SeekFrom::Start(target))?;
            self.position = target;
        }
        Ok(target)
    }

    fn stream_position(&mut self) -> std::io::Result<u64> {
        Ok(self.position)
    }
}
