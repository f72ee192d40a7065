//! Opens GGUF files: typed metadata and quantised tensors, with errors that name the file and the key.
//!
//! In: a path. Out: [`Gguf`]. The header is read by `header`, which believes nothing that the file does not have the bytes
//! for; the numbers of a tensor are read by candle, once it is known where they lie. What the keys mean is left to those who
//! ask for them.

mod header;

use std::path::{Path, PathBuf};

use candle_core::quantized::QTensor;
use candle_core::quantized::gguf_file::TensorInfo;
use candle_core::{Device, Shape};

use self::header::{Header, Kind, Source, Value};
use super::Error;

/// An open GGUF file.
#[derive(Debug)]
pub struct Gguf {
    path: PathBuf,
    header: Header,
    source: Source,
}

impl Gguf {
    /// Opens a file and reads its header, not its tensors.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read; [`Error::BadModel`] where it is not a GGUF file, is cut short, or
    /// declares what cannot be there.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut source = Source::new(fs_err::File::open(path)?)?;
        let header = Header::read(&mut source).map_err(|reason| bad(path, reason))?;
        Ok(Self { path: path.to_owned(), header, source })
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
        self.header.value(key).is_some()
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
        let Some(value) = self.header.value(key) else { return Ok(None) };
        let number = match value {
            Value::Whole(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.mistyped(key, "a whole number"))
    }

    /// Reads a floating-point number that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the value is of another type or not finite.
    pub fn optional_f32(&self, key: &str) -> Result<Option<f32>, Error> {
        match self.header.value(key) {
            None => Ok(None),
            Some(Value::Real(v)) if (*v as f32).is_finite() => Ok(Some(*v as f32)),
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
        match self.header.value(key) {
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
        match self.header.value(key) {
            None => Ok(None),
            Some(Value::Text(v)) => Ok(Some(v)),
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

    /// Reads a list of texts, which stays in the file until then.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the key is missing or something else is in the list.
    pub fn strings(&mut self, key: &str) -> Result<Vec<String>, Error> {
        let (kind, count) = self.list(key)?;
        if kind != Kind::Text && count > 0 {
            return Err(self.mistyped(key, "a list of texts"));
        }
        // The file has at least four bytes for each.
        let (mut texts, mut buffer) = (Vec::with_capacity(count as usize), Vec::new());
        for _ in 0..count {
            texts.push(self.source.listed_text(&mut buffer).map_err(|reason| bad(&self.path, reason))?);
        }
        Ok(texts)
    }

    /// Reads a list of numbers as `f32`.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the key is missing or something else is in the list.
    pub fn numbers(&mut self, key: &str) -> Result<Vec<f32>, Error> {
        let (kind, count) = self.list(key)?;
        let number: fn([u8; 4]) -> f32 = match kind {
            Kind::F32 => f32::from_le_bytes,
            Kind::I32 => |bytes| i32::from_le_bytes(bytes) as f32,
            Kind::U32 => |bytes| u32::from_le_bytes(bytes) as f32,
            _ if count == 0 => return Ok(Vec::new()),
            _ => return Err(self.mistyped(key, "a list of numbers")),
        };
        let mut numbers = Vec::with_capacity(count as usize);
        for _ in 0..count {
            numbers.push(number(self.source.listed_word().map_err(|reason| bad(&self.path, reason))?));
        }
        Ok(numbers)
    }

    /// Returns the names of all tensors, in order.
    pub fn names(&self) -> Vec<String> {
        self.header.tensors.iter().map(|tensor| tensor.name.to_string()).collect()
    }

    /// Returns the shape of a tensor, outermost dimension first, or nothing where the file does not have it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.header.tensor(name).map(|tensor| &*tensor.shape)
    }

    /// Returns the kind of a tensor's numbers (`F32`, `Q4_K`), or nothing where the file does not have it.
    pub fn dtype(&self, name: &str) -> Option<String> {
        // Candle's names of its types, which lack a letter where the format's own has one.
        let name = format!("{:?}", self.header.tensor(name)?.dtype);
        Some(match name.strip_suffix('K') {
            Some(bits) => format!("{bits}_K"),
            None => name,
        })
    }

    /// Reads a tensor.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the tensor is missing or cannot be read.
    pub fn tensor(&mut self, name: &str) -> Result<QTensor, Error> {
        let Some(tensor) = self.header.tensor(name) else {
            return Err(self.bad(format!("tensor {name:?} is missing")));
        };
        let info =
            TensorInfo { ggml_dtype: tensor.dtype, shape: Shape::from(tensor.shape.to_vec()), offset: tensor.offset };
        let tensor = info.read(&mut self.source, self.header.data, &Device::Cpu);
        tensor.map_err(|error| self.bad(format!("tensor {name:?}: {}", explain(&error))))
    }

    /// Reads a vector of `len` numbers as `f32`.
    ///
    /// # Errors
    /// As [`Gguf::tensor`], and where the length is another.
    pub fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.shaped(name, &[len])?;
        Ok(tensor.dequantize(&Device::Cpu)?.to_vec1()?)
    }

    /// Reads a matrix of `rows` by `columns`.
    ///
    /// # Errors
    /// As [`Gguf::tensor`], and where the shape is another.
    pub fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<QTensor, Error> {
        self.shaped(name, &[rows, columns])
    }

    /// Reads a tensor once it is sure that it has this shape.
    fn shaped(&mut self, name: &str, shape: &[usize]) -> Result<QTensor, Error> {
        match self.shape(name) {
            Some(got) if got != shape => {
                Err(self.bad(format!("tensor {name:?}: expected shape {shape:?}, got {got:?}")))
            }
            _ => self.tensor(name),
        }
    }

    /// Goes to the start of a list; returns what it is of, and how many.
    fn list(&mut self, key: &str) -> Result<(Kind, u64), Error> {
        match self.header.value(key) {
            Some(&Value::List(kind, count, begin)) => {
                self.source.go_to(begin).map_err(|reason| bad(&self.path, reason))?;
                Ok((kind, count))
            }
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
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
