//! The matrices of a model: one type for exact and quantised weights.
//!
//! In: tensors of a GGUF file. Out: [`Linear`], which multiplies rows, looks rows up (embeddings) and cuts itself down to some
//! rows (an output vocabulary). A row's result never depends on the rows beside it, bit for bit.
//! Shapes: r rows of activations, o outputs, i inputs.

use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Module, Tensor};
use rayon::prelude::*;

use super::kernels::{self, QuantLinear, QuantMatrix};
use super::{Error, simd};

/// How weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Tensors that are `f32` in the file stay exact, all others become int8 in blocks of 32.
    #[default]
    Auto,
    /// Everything is dequantised to `f32`: exact, large and slow; for tests.
    Exact,
    /// Everything becomes int8 in blocks of 32.
    Int8,
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
    /// (o, i)
    Exact(Arc<Vec<f32>>),
    Int8(QuantLinear),
}

/// Outputs that one thread makes at a time where weights are exact.
const EXACT_CHUNK: usize = 256;

impl Linear {
    /// Stacks matrices with the same number of columns, first one on top, so that one multiplication serves all.
    ///
    /// # Errors
    /// Where the shapes do not fit or candle cannot convert the tensors.
    pub fn stack(parts: &[&QTensor], precision: Precision) -> Result<Self, Error> {
        let exact = match precision {
            Precision::Auto => parts.iter().all(|part| part.dtype() == GgmlDType::F32),
            Precision::Exact => true,
            Precision::Int8 => false,
        };
        if exact {
            let (mut values, mut outputs, mut inputs) = (Vec::new(), 0, None);
            for part in parts {
                let (rows, columns) = part.shape().dims2()?;
                if *inputs.get_or_insert(columns) != columns {
                    return Err(candle_core::Error::msg("stacked matrices differ in their columns").into());
                }
                outputs += rows;
                values.extend(part.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?);
            }
            return Ok(Self { weight: Weight::Exact(values.into()), outputs, inputs: inputs.unwrap_or(0) });
        }
        let parts = parts.par_iter().map(|part| QuantMatrix::from_qtensor(part).map_err(tensor));
        let mut parts: Vec<QuantMatrix> = parts.collect::<Result<_, _>>()?;
        if parts.len() > 1 {
            parts = vec![QuantMatrix::stack(&parts.iter().collect::<Vec<_>>()).map_err(tensor)?];
        }
        match parts.pop() {
            Some(matrix) => Ok(Self::int8(matrix)),
            None => Err(candle_core::Error::msg("no matrices to stack").into()),
        }
    }

    fn int8(matrix: QuantMatrix) -> Self {
        let (outputs, inputs) = (matrix.rows(), matrix.columns());
        Self { weight: Weight::Int8(QuantLinear::new(Arc::new(matrix))), outputs, inputs }
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
            Weight::Int8(_) => "int8",
        }
    }

    /// Multiplies rows. x: (r, i) f32. Returns (r, o) f32.
    ///
    /// # Errors
    /// Where the shape of `x` is another.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, Error> {
        match &self.weight {
            Weight::Int8(layer) => Ok(layer.forward(x)?),
            Weight::Exact(weight) => self.forward_exact(weight, x),
        }
    }

    /// Makes one dot product a value, always in the same order: the rows beside it cannot change it.
    fn forward_exact(&self, weight: &[f32], x: &Tensor) -> Result<Tensor, Error> {
        let (rows, inputs) = x.dims2()?;
        if inputs != self.inputs {
            return Err(candle_core::Error::msg(format!("{inputs} inputs for a matrix of {}", self.inputs)).into());
        }
        let x = x.flatten_all()?.to_vec1::<f32>()?;
        let mut out = vec![0f32; rows * self.outputs];
        for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(self.outputs)) {
            let chunks = out.par_chunks_mut(EXACT_CHUNK).zip(weight.par_chunks(EXACT_CHUNK * inputs));
            chunks.for_each(|(out, weight)| {
                for (value, w) in out.iter_mut().zip(weight.chunks_exact(inputs)) {
                    *value = simd::dot(x, w);
                }
            });
        }
        Ok(Tensor::from_vec(out, (rows, self.outputs), &Device::Cpu)?)
    }

    /// Looks rows up. Returns (ids, i) f32, flattened.
    ///
    /// # Errors
    /// Where an id is past the last row.
    pub fn rows(&self, ids: &[u32]) -> Result<Vec<f32>, Error> {
        let mut rows = vec![0f32; ids.len() * self.inputs];
        for (&id, row) in ids.iter().zip(rows.chunks_exact_mut(self.inputs)) {
            match &self.weight {
                Weight::Int8(layer) => layer.weight().row(id as usize, row).map_err(tensor)?,
                Weight::Exact(weight) => match weight.chunks_exact(self.inputs).nth(id as usize) {
                    Some(weight) => row.copy_from_slice(weight),
                    None => {
                        let reason = format!("row {id} of a matrix of {}", self.outputs);
                        return Err(candle_core::Error::msg(reason).into());
                    }
                },
            }
        }
        Ok(rows)
    }

    /// Cuts the matrix down to some of its rows, in the order given.
    ///
    /// # Errors
    /// Where an id is past the last row.
    pub fn select_rows(&self, ids: &[u32]) -> Result<Self, Error> {
        match &self.weight {
            Weight::Int8(layer) => Ok(Self::int8(layer.weight().select_rows(ids).map_err(tensor)?)),
            Weight::Exact(_) => {
                let values = self.rows(ids)?;
                Ok(Self { weight: Weight::Exact(values.into()), outputs: ids.len(), inputs: self.inputs })
            }
        }
    }
}

fn tensor(error: kernels::Error) -> Error {
    Error::Tensor(error.into())
}
