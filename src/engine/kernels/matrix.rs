//! The weights of a linear layer: int8 in blocks of 32 columns, packed for the kernels.
//!
//! In: f32 rows, a tensor of a GGUF file, or other matrices. Out: a [`QuantMatrix`]. Multiplying is `multiply`'s.
//!
//! Layout: 16 rows make a panel. A panel is one block of 32 columns after another; a block is 8 lines of 64 bytes, each
//! with 4 columns of every row; a weight is stored as value + 128. Scales are f16, 16 of them a block, in a buffer of
//! their own. Together 1.0625 bytes a weight, read in order.

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, IndexOp};
use half::f16;

use super::tile::{LINES, Line, Operands, Scales};
use super::{BLOCK, Error, PANEL};

/// Bytes of a `Q8_0` block in a GGUF file: the scale as f16 and 32 values.
const Q8_0_BYTES: usize = 2 + BLOCK;

/// Weights that are dequantised at a time while a tensor of another type is read.
const CHUNK: usize = 1 << 20;

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
    /// Where there are more or fewer values, no columns, or a weight is not finite.
    pub fn from_f32(rows: usize, columns: usize, values: &[f32]) -> Result<Self, Error> {
        let expected = rows.saturating_mul(columns);
        if values.len() != expected {
            return Err(Error::Size { what: "matrix", got: values.len(), expected });
        }
        let mut matrix = Self::zeros(rows, columns)?;
        for (row, values) in values.chunks_exact(columns).enumerate() {
            matrix.set_row(row, values)?;
        }
        Ok(matrix)
    }

    /// Takes a tensor of a GGUF file over, (rows, columns): `Q8_0` as it is, any other type by quantising it anew.
    ///
    /// # Errors
    /// Where the tensor does not have two dimensions, cannot be read, or has a weight that is not finite.
    pub fn from_qtensor(tensor: &QTensor) -> Result<Self, Error> {
        let (rows, columns) = tensor.shape().dims2()?;
        let mut matrix = Self::zeros(rows, columns)?;
        let data = tensor.data()?;
        let dtype = tensor.dtype();
        let row_bytes = columns / dtype.block_size() * dtype.type_size();
        if data.len() != rows * row_bytes {
            return Err(Error::Size { what: "tensor data", got: data.len(), expected: rows * row_bytes });
        }
        if dtype == GgmlDType::Q8_0 {
            for (row, data) in data.chunks_exact(row_bytes).enumerate() {
                for (block, data) in data.as_chunks::<Q8_0_BYTES>().0.iter().enumerate() {
                    let scale = u16::from_le_bytes([data[0], data[1]]);
                    let finite = f16::from_bits(scale);
                    if !finite.is_finite() {
                        return Err(Error::NotFinite { row, value: finite.to_f32() });
                    }
                    matrix.set_block(row, block, scale, |k| data[2 + k] ^ 0x80);
                }
            }
            return Ok(matrix);
        }
        let chunk = (CHUNK / columns).max(1);
        for start in (0..rows).step_by(chunk) {
            let end = rows.min(start + chunk);
            let storage = QStorage::from_data(data[start * row_bytes..end * row_bytes].into(), &Device::Cpu, dtype)?;
            let part = QTensor::new(storage, (end - start, columns))?.dequantize(&Device::Cpu)?;
            for row in start..end {
                matrix.set_row(row, &part.i(row - start)?.to_vec1::<f32>()?)?;
            }
        }
        Ok(matrix)
    }

    /// Takes some rows, in the order given: the shortlist of an output layer.
    ///
    /// # Errors
    /// Where there is no such row.
    pub fn select_rows(&self, rows: &[u32]) -> Result<Self, Error> {
        let mut matrix = Self::zeros(rows.len(), self.columns)?;
        for (to, &from) in rows.iter().enumerate() {
            let from = from as usize;
            if from >= self.rows {
                return Err(Error::NoSuchRow { row: from, rows: self.rows });
            }
            matrix.copy_row(to, self, from);
        }
        Ok(matrix)
    }

    /// Puts matrices of as many columns below each other: one product then gives all of their results side by side.
    ///
    /// # Errors
    /// Where the columns differ, or there are no matrices.
    pub fn stack(parts: &[&Self]) -> Result<Self, Error> {
        let columns = parts.first().map_or(0, |first| first.columns);
        let mut matrix = Self::zeros(parts.iter().map(|part| part.rows).sum(), columns)?;
        let mut to = 0;
        for part in parts {
            if part.columns != columns {
                return Err(Error::Columns { got: part.columns, expected: columns });
            }
            for from in 0..part.rows {
                matrix.copy_row(to, part, from);
                to += 1;
            }
        }
        Ok(matrix)
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
        let lane = row % PANEL;
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let at = self.block_at(row, block);
            let scale = f16::from_bits(self.scales[at].0[lane]).to_f32();
            for (line, out) in self.lines[at * LINES..][..LINES].iter().zip(out.chunks_mut(4)) {
                for (value, out) in line.0[lane * 4..].iter().zip(out) {
                    *out = f32::from((value ^ 0x80).cast_signed()) * scale;
                }
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

    fn zeros(rows: usize, columns: usize) -> Result<Self, Error> {
        if columns == 0 {
            return Err(Error::Columns { got: 0, expected: 1 });
        }
        let blocks = rows.div_ceil(PANEL) * columns.div_ceil(BLOCK);
        Ok(Self {
            rows,
            columns,
            lines: vec![Line([0x80; 64]); blocks * LINES],
            scales: vec![Scales([0; PANEL]); blocks],
        })
    }

    fn block_at(&self, row: usize, block: usize) -> usize {
        row / PANEL * self.columns.div_ceil(BLOCK) + block
    }

    /// Writes one block of a row; `stored` gives its bytes, value + 128 each.
    fn set_block(&mut self, row: usize, block: usize, scale: u16, stored: impl Fn(usize) -> u8) {
        let at = self.block_at(row, block);
        let lane = row % PANEL;
        self.scales[at].0[lane] = scale;
        for (k, line) in self.lines[at * LINES..][..LINES].iter_mut().enumerate() {
            for (byte, to) in line.0[lane * 4..][..4].iter_mut().enumerate() {
                *to = stored(k * 4 + byte);
            }
        }
    }

    fn copy_row(&mut self, to: usize, other: &Self, from: usize) {
        let lane = from % PANEL;
        for block in 0..self.columns.div_ceil(BLOCK) {
            let at = other.block_at(from, block);
            let lines = &other.lines[at * LINES..][..LINES];
            self.set_block(to, block, other.scales[at].0[lane], |k| lines[k / 4].0[lane * 4 + k % 4]);
        }
    }

    /// Quantises one row.
    fn set_row(&mut self, row: usize, values: &[f32]) -> Result<(), Error> {
        for (block, values) in values.chunks(BLOCK).enumerate() {
            if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::NotFinite { row, value });
            }
            let largest = values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            let mut scale = f16::from_f32(largest / 127.0);
            if scale.is_infinite() {
                scale = f16::MAX;
            }
            // From the scale as it is stored, so that its rounding is not a second error.
            let inverse = if scale == f16::ZERO { 0.0 } else { 1.0 / scale.to_f32() };
            let quantized = |k: usize| match values.get(k) {
                Some(value) => (value * inverse).round().clamp(-127.0, 127.0) as i8,
                None => 0,
            };
            self.set_block(row, block, scale.to_bits(), |k| quantized(k).cast_unsigned() ^ 0x80);
        }
        Ok(())
    }
}
