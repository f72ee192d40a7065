//! Reads tensors from `pytorch_model.bin`, for models that have nothing better and where it is allowed ([`super::Pickles`]).
//!
//! In: a path. Out: [`Pickle`], which reads a tensor as `f32`. The format (a zip file with a pickle, torch 1.6 and later) is
//! read by candle, which runs none of the code in it; this file keeps a broken one from turning into a panic or a huge
//! allocation.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::pickle::PthTensors;
use candle_core::{DType, Tensor};

use super::fields::bad;
use crate::engine::Error;

/// What to do where a pickle cannot be read.
const WAY_OUT: &str = "use a revision of the model that has model.safetensors (on the hub it is often an open pull \
                       request, refs/pr/1), or convert the file with transformers";

/// One `pytorch_model.bin`.
pub struct Pickle {
    path: PathBuf,
    tensors: PthTensors,
    bytes: u64,
}

impl std::fmt::Debug for Pickle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pickle").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Pickle {
    /// Opens a file and reads what is in it, not the tensors.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::BadModel`] where it is of torch's format from before 1.6 or no such
    /// file at all.
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
        let opened = quietly(path, || PthTensors::new(path, None))?;
        if opened.tensor_infos().is_empty() {
            return Err(bad(path, format!("no tensors were found in it: {WAY_OUT}")));
        }
        Ok(Self { path: path.to_owned(), tensors: opened, bytes })
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
        let mut names: Vec<&str> = self.tensors.tensor_infos().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Returns the shape of a tensor, or nothing where the file does not have it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.tensor_infos().get(name).map(|info| info.layout.dims())
    }

    /// Returns the kind of a tensor's numbers, or nothing where the file does not have it.
    pub fn dtype(&self, name: &str) -> Option<String> {
        self.tensors.tensor_infos().get(name).map(|info| info.dtype.as_str().to_uppercase())
    }

    /// Reads a tensor as `f32`; nothing where the file does not have it.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the file contradicts itself.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, Error> {
        let Some(info) = self.tensors.tensor_infos().get(name) else { return Ok(None) };
        let size =
            info.layout.dims().iter().try_fold(info.dtype.size_in_bytes() as u64, |n, &d| n.checked_mul(d as u64));
        if size.is_none_or(|size| size > self.bytes) {
            let reason = format!("tensor {name:?} of shape {:?} does not fit in the file", info.layout.dims());
            return Err(bad(&self.path, reason));
        }
        let tensor = quietly(&self.path, || self.tensors.get(name)?.map(|t| t.to_dtype(DType::F32)).transpose())?;
        Ok(tensor)
    }
}

/// Runs candle's reader; what it panics on becomes an error.
fn quietly<T>(path: &Path, read: impl FnOnce() -> candle_core::Result<T>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let line = error.to_string();
            let line = line.lines().next().unwrap_or_default().to_owned();
            Err(bad(path, format!("cannot be read ({line}): {WAY_OUT}")))
        }
        Err(_) => Err(bad(path, format!("broken: {WAY_OUT}"))),
    }
}
