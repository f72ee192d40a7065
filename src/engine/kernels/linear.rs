//! A linear layer for models written with candle.
//!
//! In: an f32 tensor (.., columns) on the CPU. Out: (.., rows), with the bias added where there is one.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Module, Result, Shape, Tensor, bail};

use super::QuantMatrix;

/// A linear layer over int8 weights.
#[derive(Debug, Clone)]
pub struct QuantLinear {
    weight: Arc<QuantMatrix>,
    bias: Option<Vec<f32>>,
}

impl QuantLinear {
    /// Makes a layer without bias.
    pub fn new(weight: Arc<QuantMatrix>) -> Self {
        Self { weight, bias: None }
    }

    /// Adds a bias, one value a row of the weights.
    ///
    /// # Errors
    /// Where it has another size.
    pub fn with_bias(self, bias: Vec<f32>) -> std::result::Result<Self, super::Error> {
        if bias.len() != self.weight.rows() {
            return Err(super::Error::Size { what: "bias", got: bias.len(), expected: self.weight.rows() });
        }
        Ok(Self { bias: Some(bias), ..self })
    }

    /// The weights.
    pub fn weight(&self) -> &Arc<QuantMatrix> {
        &self.weight
    }
}

impl Module for QuantLinear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1_no_bwd(self) // (.., columns) -> (.., rows)
    }
}

impl CustomOp1 for QuantLinear {
    fn name(&self) -> &'static str {
        "quant-linear"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("input is not contiguous: {layout:?}") };
        let x = &storage.as_slice::<f32>()?[start..end];
        let (columns, rows) = (self.weight.columns(), self.weight.rows());
        let mut shape = layout.dims().to_vec();
        match shape.last_mut() {
            Some(last) if *last == columns => *last = rows,
            _ => bail!("input {layout:?} for a layer of {columns} columns"),
        }
        let mut out = self.weight.product(x, x.len() / columns)?;
        if let Some(bias) = &self.bias {
            for out in out.chunks_exact_mut(rows.max(1)) {
                for (out, bias) in out.iter_mut().zip(bias) {
                    *out += bias;
                }
            }
        }
        Ok((CpuStorage::F32(out), shape.into()))
    }
}
