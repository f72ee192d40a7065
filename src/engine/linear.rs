//! The matrices of a model: one type for exact and quantised weights.
//!
//! In: tensors of a GGUF file. Out: [`Linear`], which multiplies rows, looks rows up (embeddings) and cuts itself down to some
//! rows (an output vocabulary). A row's result never depends on the rows beside it, bit for bit.
//! Shapes: r rows of activations, o outputs, i inputs.

use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{Device, Module, Tensor};
use rayon::prelude::*;

use super::Error;
use super::simd;

/// How weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Tensors that are `f32` in the file stay exact, all others become int8 in blocks of 32.
    #[default]
    Auto,
    /// Everything is dequantised to `f32`: exact, large and slow; for tests.
    Exact,
}

/// A weight matrix of o rows by i columns, applied as `x · wᵀ`.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Weight,
    outputs: usize,
    inputs: usize,
}

#[derive(Debug, Clone)]
enum Weight {
    Exact(std::sync::Arc<Vec<f32>>),
    Quantized { matmul: QMatMul, tensor: std::sync::Arc<QTensor> },
}

impl Linear {
    /// Stacks matrices with the same number of columns, first one on top, so that one multiplication serves all.
    ///
    /// # Errors
    /// Where the shapes do not fit or candle cannot convert the tensors.
    pub fn stack(parts: &[&QTensor], precision: Precision) -> Result<Self, Error> {
        let exact = precision == Precision::Exact || parts.iter().all(|part| part.dtype() == GgmlDType::F32);
        let (_, inputs) = parts[0].shape().dims2()?;
        if !exact
            && let [part] = parts
            && part.dtype() == GgmlDType::Q8_0
        {
            let tensor = QTensor::new(QStorage::from_data(part.data()?, &Device::Cpu, part.dtype())?, part.shape())?;
            return Self::quantized(tensor);
        }
        let dense: Vec<Tensor> = parts.iter().map(|part| part.dequantize(&Device::Cpu)).collect::<Result<_, _>>()?;
        let dense = Tensor::cat(&dense, 0)?;
        let (outputs, _) = dense.dims2()?;
        if exact || !inputs.is_multiple_of(32) {
            let values = dense.flatten_all()?.to_vec1()?;
            return Ok(Self { weight: Weight::Exact(values.into()), outputs, inputs });
        }
        Self::quantized(QTensor::quantize(&dense, GgmlDType::Q8_0)?)
    }

    fn quantized(tensor: QTensor) -> Result<Self, Error> {
        let (outputs, inputs) = tensor.shape().dims2()?;
        let tensor = std::sync::Arc::new(tensor);
        let matmul = QMatMul::from_arc(tensor.clone())?;
        Ok(Self { weight: Weight::Quantized { matmul, tensor }, outputs, inputs })
    }

    /// Returns the number of outputs, o.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Returns the number of inputs, i.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Says how the weights are kept: `f32` or `int8`.
    pub fn precision(&self) -> &'static str {
        match self.weight {
            Weight::Exact(_) => "f32",
            Weight::Quantized { .. } => "int8",
        }
    }

    /// Multiplies rows. x: (r, i) f32. Returns (r, o) f32.
    ///
    /// # Errors
    /// Where the shape of `x` is another.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, Error> {
        match &self.weight {
            Weight::Quantized { matmul, .. } => Ok(matmul.forward(x)?),
            Weight::Exact(weight) => {
                let (rows, inputs) = x.dims2()?;
                let outputs = self.outputs;
                let x = x.flatten_all()?.to_vec1::<f32>()?;
                // One dot product a value, always in the same order: the rows beside it cannot change it.
                let mut out = vec![0f32; rows * outputs];
                out.par_chunks_mut(outputs).enumerate().for_each(|(r, out)| {
                    let x = &x[r * inputs..(r + 1) * inputs];
                    for (value, w) in out.iter_mut().zip(weight.chunks_exact(inputs)) {
                        *value = simd::dot(x, w);
                    }
                });
                Ok(Tensor::from_vec(out, (rows, outputs), &Device::Cpu)?)
            }
        }
    }

    /// Looks rows up. Returns (ids, i) f32, flattened.
    ///
    /// # Errors
    /// Where an id is past the last row.
    pub fn rows(&self, ids: &[u32]) -> Result<Vec<f32>, Error> {
        if let Some(id) = ids.iter().find(|&&id| id as usize >= self.outputs) {
            return Err(candle_core::Error::msg(format!("row {id} of a matrix of {} rows", self.outputs)).into());
        }
        match &self.weight {
            Weight::Quantized { tensor, .. } => {
                let ids = Tensor::new(ids, &Device::Cpu)?;
                Ok(tensor.embedding(&ids)?.flatten_all()?.to_vec1()?)
            }
            Weight::Exact(weight) => {
                Ok(ids.iter().flat_map(|&id| &weight[id as usize * self.inputs..][..self.inputs]).copied().collect())
            }
        }
    }

    /// Cuts the matrix down to some of its rows, in the order given.
    ///
    /// # Errors
    /// Where an id is past the last row.
    pub fn select_rows(&self, ids: &[u32]) -> Result<Self, Error> {
        match &self.weight {
            Weight::Quantized { tensor, .. } => {
                let data = tensor.data()?;
                let row_bytes = data.len() / self.outputs;
                let mut selected = Vec::with_capacity(ids.len() * row_bytes);
                for &id in ids {
                    let row = data.get(id as usize * row_bytes..(id as usize + 1) * row_bytes);
                    selected.extend_from_slice(row.ok_or_else(|| candle_core::Error::msg("row out of range"))?);
                }
                let storage = QStorage::from_data(selected.into(), &Device::Cpu, tensor.dtype())?;
                Self::quantized(QTensor::new(storage, (ids.len(), self.inputs))?)
            }
            Weight::Exact(_) => {
                let values = self.rows(ids)?;
                Ok(Self { weight: Weight::Exact(values.into()), outputs: ids.len(), inputs: self.inputs })
            }
        }
    }
}
