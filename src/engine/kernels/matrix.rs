//! The weights of a linear layer: int8 in blocks of 32 columns, packed for the kernels.
//!
//! In: f32 rows, a tensor of a GGUF file, or other matrices. Out: a [`QuantMatrix`]. Multiplying is `multiply`'s.
//!
//! Layout: 16 rows make a panel. A panel is one block of 32 columns after another; a block is 8 lines of 64 bytes, each
//! with 4 columns of every row; a weight is stored as value + 128. Scales are f16, 16 of them a block, in a buffer of
//! their own. Together 1.0625 bytes a weight, read in order.

use std::ops::Range;

use candle_core::Device;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use half::f16;
use rayon::prelude::*;

use super::tile::{LINES, Line, Operands, Scales};
use super::{BLOCK, Error, PANEL};

/// Bytes of a `Q8_0` block in a GGUF file: the scale as f16 and 32 values.
const Q8_0_BYTES: usize = 2 + BLOCK;

/// Int8 weights, (rows, columns), where rows are the layer's outputs.
#[derive(Clone)]
pub struct QuantMatrix {
    rows: usize,
    columns: usize,
    /// `[panel][block][LINES]`
    lines: Vec<Line>,
    /// `[panel][block]`
    scales: Vec<Scales>,
}

impl std::fmt::Debug for QuantMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QuantMatrix({} x {})", self.rows, self.columns)
    }
}

impl QuantMatrix {
    /// Quantises `values`, which are (rows, columns) row by row.
    ///
    /// # Errors
    /// Where there are more or fewer values, no columns, or a weight is not finite or above eight million.
    pub fn from_f32(rows: usize, columns: usize, values: &[f32]) -> Result<Self, Error> {
        let expected = rows.saturating_mul(columns);
        if values.len() != expected {
            return Err(Error::Size { what: "matrix", got: values.len(), expected });
        }
        Self::build(rows, columns, |panel, lanes| {
            for (lane, row) in lanes.enumerate() {
                panel.set_row(lane, row, &values[row * columns..][..columns])?;
            }
            Ok(())
        })
    }

    /// Takes a tensor of a GGUF file over, (rows, columns): `Q8_0` as it is, any other type by quantising it anew.
    ///
    /// # Errors
    /// Where the tensor does not have two dimensions, cannot be read, or has a weight out of range.
    pub fn from_qtensor(tensor: &QTensor) -> Result<Self, Error> {
        let (rows, columns) = tensor.shape().dims2()?;
        let data = tensor.data()?;
        let dtype = tensor.dtype();
        let row_bytes = columns / dtype.block_size() * dtype.type_size();
        if data.len() != rows * row_bytes {
            return Err(Error::Size { what: "tensor data", got: data.len(), expected: rows * row_bytes });
        }
        Self::build(rows, columns, |panel, lanes| {
            let data = &data[lanes.start * row_bytes..lanes.end * row_bytes];
            if dtype == GgmlDType::Q8_0 {
                for (lane, (row, data)) in lanes.zip(data.chunks_exact(row_bytes)).enumerate() {
                    panel.set_q8_0(lane, row, data)?;
                }
                return Ok(());
            }
            let storage = QStorage::from_data(data.into(), &Device::Cpu, dtype)?;
            let part = QTensor::new(storage, (lanes.len(), columns))?.dequantize(&Device::Cpu)?;
            for (lane, (row, values)) in lanes.zip(part.to_vec2::<f32>()?).enumerate() {
                panel.set_row(lane, row, &values)?;
            }
            Ok(())
        })
    }

    /// Takes some rows, in the order given: the shortlist of an output layer.
    ///
    /// # Errors
    /// Where there is no such row.
    pub fn select_rows(&self, rows: &[u32]) -> Result<Self, Error> {
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= self.rows) {
            return Err(Error::NoSuchRow { row: row as usize, rows: self.rows });
        }
        Self::build(rows.len(), self.columns, |panel, lanes| {
            for (lane, &row) in rows[lanes].iter().enumerate() {
                panel.copy_row(lane, self, row as usize);
            }
            Ok(())
        })
    }

    /// Puts matrices of as many columns below each other: one product then gives all of their results side by side.
    ///
    /// # Errors
    /// Where the columns differ, or there are no matrices.
    pub fn stack(parts: &[&Self]) -> Result<Self, Error> {
        let columns = parts.first().map_or(0, |first| first.columns);
        if let Some(other) = parts.iter().find(|part| part.columns != columns) {
            return Err(Error::Columns { got: other.columns, expected: columns });
        }
        Self::build(parts.iter().map(|part| part.rows).sum(), columns, |panel, lanes| {
            for (lane, mut row) in lanes.enumerate() {
                for part in parts {
                    if row < part.rows {
                        panel.copy_row(lane, part, row);
                        break;
                    }
                    row -= part.rows;
                }
            }
            Ok(())
        })
    }

    /// Dequantises one row into `out`, which has a value a column: the embedding of a token.
    ///
    /// # Errors
    /// Where there is no such row, or `out` has another size.
    pub fn row(&self, row: usize, out: &mut [f32]) -> Result<(), Error> {
        if row >= self.rows {
            return Err(Error::NoSuchRow { row, rows: self.rows });
        }
        if out.len() != self.columns {
            return Err(Error::Size { what: "row", got: out.len(), expected: self.columns });
        }
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let (scale, stored) = self.block(row, block);
            let scale = f16::from_bits(scale).to_f32();
            for (out, stored) in out.iter_mut().zip(stored.as_flattened()) {
                *out = f32::from((stored ^ 0x80).cast_signed()) * scale;
            }
        }
        Ok(())
    }

    /// Says how many rows there are: outputs of the layer.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Says how many columns there are: inputs of the layer.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Says how many bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(self.lines.as_slice()) + size_of_val(self.scales.as_slice())
    }

    /// Says how many panels there are; the last may be padded with rows of zeros.
    pub(super) fn panels(&self) -> usize {
        self.rows.div_ceil(PANEL)
    }

    /// Gives the weights' side of a tile's operands: `count` panels from `first`.
    pub(super) fn operands(&self, first: usize, count: usize) -> Operands<'_> {
        let blocks = self.columns.div_ceil(BLOCK);
        Operands {
            blocks,
            lines: &self.lines[first * blocks * LINES..(first + count) * blocks * LINES],
            scales: &self.scales[first * blocks..(first + count) * blocks],
            x: &[],
            x_scales: &[],
            x_offsets: &[],
            next: &[],
            ahead: (0, 0),
        }
    }

    /// Gives the lines from a panel on.
    pub(super) fn lines(&self, first: usize) -> &[Line] {
        &self.lines[first * self.columns.div_ceil(BLOCK) * LINES..]
    }

    /// Makes a matrix panel by panel, by all threads; `fill` gets the panel, all zero, and the rows it is for.
    fn build(
        rows: usize,
        columns: usize,
        fill: impl Fn(&mut Panel<'_>, Range<usize>) -> Result<(), Error> + Sync,
    ) -> Result<Self, Error> {
        if columns == 0 {
            return Err(Error::Columns { got: 0, expected: 1 });
        }
        let blocks = columns.div_ceil(BLOCK);
        let panels = rows.div_ceil(PANEL);
        let mut lines = vec![Line([0x80; 64]); panels * blocks * LINES];
        let mut scales = vec![Scales([0; PANEL]); panels * blocks];
        let parts = lines.par_chunks_exact_mut(blocks * LINES).zip(scales.par_chunks_exact_mut(blocks));
        parts.enumerate().try_for_each(|(index, (lines, scales))| {
            let first = index * PANEL;
            fill(&mut Panel { lines, scales }, first..rows.min(first + PANEL))
        })?;
        Ok(Self { rows, columns, lines, scales })
    }

    /// Gives the scale of a block of a row, and its values as they are stored.
    fn block(&self, row: usize, block: usize) -> (u16, Stored) {
        let at = row / PANEL * self.columns.div_ceil(BLOCK) + block;
        let lane = row % PANEL;
        let mut stored = [[0; 4]; LINES];
        for (stored, line) in stored.iter_mut().zip(&self.lines[at * LINES..][..LINES]) {
            *stored = line.0.as_chunks().0[lane];
        }
        (self.scales[at].0[lane], stored)
    }
}

/// One block of a row as it is stored, value + 128 each.
type Stored = [[u8; 4]; LINES];

/// A panel that is being filled.
struct Panel<'a> {
    lines: &'a mut [Line],
    scales: &'a mut [Scales],
}

impl Panel<'_> {
    fn set_block(&mut self, lane: usize, block: usize, scale: u16, stored: &Stored) {
        self.scales[block].0[lane] = scale;
        for (line, stored) in self.lines[block * LINES..][..LINES].iter_mut().zip(stored) {
            line.0.as_chunks_mut().0[lane] = *stored;
        }
    }

    fn copy_row(&mut self, lane: usize, from: &QuantMatrix, row: usize) {
        for block in 0..self.scales.len() {
            let (scale, stored) = from.block(row, block);
            self.set_block(lane, block, scale, &stored);
        }
    }

    /// Takes one row of `Q8_0` blocks over; `row` is for the error.
    fn set_q8_0(&mut self, lane: usize, row: usize, data: &[u8]) -> Result<(), Error> {
        for (block, data) in data.as_chunks::<Q8_0_BYTES>().0.iter().enumerate() {
            let scale = u16::from_le_bytes([data[0], data[1]]);
            let value = f16::from_bits(scale);
            if !value.is_finite() {
                return Err(Error::Weight { row, value: value.to_f32() });
            }
            let mut stored: Stored = [[0; 4]; LINES];
            for (stored, value) in stored.as_flattened_mut().iter_mut().zip(&data[2..]) {
                *stored = value ^ 0x80;
            }
            self.set_block(lane, block, scale, &stored);
        }
        Ok(())
    }

    /// Quantises one row; `row` is for the error.
    fn set_row(&mut self, lane: usize, row: usize, values: &[f32]) -> Result<(), Error> {
        for (block, values) in values.chunks(BLOCK).enumerate() {
            let mut padded = [0f32; BLOCK];
            padded[..values.len()].copy_from_slice(values);
            let largest = padded.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            let scale = f16::from_f32(largest / 127.0);
            // A scale holds the values of a layer many times over: beyond it lies what is no weight.
            if let Some(&value) = padded.iter().find(|value| !(value.is_finite() && scale.is_finite())) {
                return Err(Error::Weight { row, value });
            }
            // From the scale as it is stored, so that its rounding is not a second error.
            let inverse = if scale == f16::ZERO { 0.0 } else { 1.0 / scale.to_f32() };
            let mut stored: Stored = [[0; 4]; LINES];
            for (stored, value) in stored.as_flattened_mut().iter_mut().zip(&padded) {
                // Adding it rounds, ties to even, and leaves the integer in the lowest bits.
                const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
                let rounded = (value * inverse).clamp(-127.0, 127.0) + ROUND;
                *stored = rounded.to_bits() as u8 ^ 0x80;
            }
            self.set_block(lane, block, scale.to_bits(), &stored);
        }
        Ok(())
    }
}
