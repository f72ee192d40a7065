//! The weights of a linear layer, packed for the kernels.
//!
//! In: f32 rows. Out: a [`Matrix`]. Multiplying is `walk`'s.
//!
//! Layout: 16 rows make a panel, which is one line of 64 bytes after another; a line holds one column of every row in f32,
//! or four columns of every row in int8, each stored as value + 128. int8 has one f32 scale a row beside it.

use rayon::prelude::*;

use super::super::tile::Line;
use super::super::{Error, PANEL};
use super::Precision;

/// Weights, (rows, columns), where rows are the layer's outputs.
#[derive(Clone)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    precision: Precision,
    /// `[panel][step]`
    lines: Vec<Line>,
    /// One a row, those of the last panel's padding 0; empty in f32.
    scales: Vec<f32>,
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matrix({} x {}, {})", self.rows, self.columns, self.precision)
    }
}

impl Matrix {
    /// Packs matrices of as many columns below each other, so that one product serves all. Each part is (rows, columns) row
    /// by row.
    ///
    /// # Errors
    /// Where a part has no whole number of rows, there are no columns, or a weight is not finite.
    pub fn pack(parts: &[&[f32]], columns: usize, precision: Precision) -> Result<Self, Error> {
        if columns == 0 {
            return Err(Error::Columns { got: 0, expected: 1 });
        }
        for part in parts {
            if !part.len().is_multiple_of(columns) {
                let expected = part.len() / columns * columns;
                return Err(Error::Size { what: "matrix", got: part.len(), expected });
            }
        }
        let all: Vec<&[f32]> = parts.iter().flat_map(|part| part.chunks_exact(columns)).collect();
        let rows = all.len();
        let steps = steps(columns, precision);
        let mut lines = vec![Line([0; 64]); rows.div_ceil(PANEL) * steps];
        let mut scales = vec![0f32; if precision == Precision::Int8 { rows.div_ceil(PANEL) * PANEL } else { 0 }];
        if precision == Precision::F32 {
            lines.par_chunks_exact_mut(steps).zip(all.par_chunks(PANEL)).enumerate().try_for_each(
                |(panel, (lines, rows))| {
                    for (lane, row) in rows.iter().enumerate() {
                        check(row, panel * PANEL + lane)?;
                        for (line, value) in lines.iter_mut().zip(*row) {
                            line.0.as_chunks_mut().0[lane] = value.to_le_bytes();
                        }
                    }
                    Ok::<(), Error>(())
                },
            )?;
        } else {
            let parts = lines.par_chunks_exact_mut(steps).zip(scales.par_chunks_exact_mut(PANEL));
            parts.zip(all.par_chunks(PANEL)).enumerate().try_for_each(|(panel, ((lines, scales), rows))| {
                for (lane, row) in rows.iter().enumerate() {
                    check(row, panel * PANEL + lane)?;
                    scales[lane] = quantise_row(row, lane, lines);
                }
                Ok::<(), Error>(())
            })?;
        }
        Ok(Self { rows, columns, precision, lines, scales })
    }

    /// Puts a matrix together from bytes that [`Matrix::lines`] and [`Matrix::scales`] gave.
    ///
    /// # Errors
    /// Where their sizes are not those of the shape.
    pub fn from_parts(
        rows: usize,
        columns: usize,
        precision: Precision,
        bytes: &[u8],
        scales: Vec<f32>,
    ) -> Result<Self, Error> {
        let count = rows.div_ceil(PANEL).saturating_mul(steps(columns, precision));
        if bytes.len() != count.saturating_mul(64) {
            return Err(Error::Size { what: "packed matrix", got: bytes.len(), expected: count.saturating_mul(64) });
        }
        let expected = if precision == Precision::Int8 { rows.div_ceil(PANEL) * PANEL } else { 0 };
        if scales.len() != expected {
            return Err(Error::Size { what: "scales", got: scales.len(), expected });
        }
        if let Some((row, &value)) = scales.iter().enumerate().find(|(_, scale)| !scale.is_finite()) {
            return Err(Error::Weight { row, value });
        }
        let lines = bytes.as_chunks::<64>().0.par_iter().map(|&bytes| Line(bytes)).collect();
        Ok(Self { rows, columns, precision, lines, scales })
    }

    /// Most bytes that [`Matrix::from_pieces`] asks for at once: they stay in a core's cache until they are in their place.
    pub const PIECE: usize = 256 << 10;

    /// Says how many bytes [`Matrix::lines`] and [`Matrix::scales`] of a shape have together; none where no memory could
    /// hold them.
    pub fn packed_bytes(rows: usize, columns: usize, precision: Precision) -> Option<usize> {
        let panels = rows.div_ceil(PANEL);
        let lines = panels.checked_mul(steps(columns, precision))?.checked_mul(64)?;
        let scales = if precision == Precision::Int8 { panels.checked_mul(PANEL * size_of::<f32>())? } else { 0 };
        lines.checked_add(scales).filter(|&bytes| isize::try_from(bytes).is_ok())
    }

    /// Puts a matrix together from pieces of [`Matrix::lines`] and then of [`Matrix::scales`] (little-endian), in order:
    /// `next` fills each piece, of [`Matrix::PIECE`] bytes at most. The memory for all of it is taken before the first.
    ///
    /// # Errors
    /// The first of `next`; where no memory could hold the shape, or a scale is not finite.
    pub fn from_pieces<E: From<Error>>(
        rows: usize,
        columns: usize,
        precision: Precision,
        mut next: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let too_large = Error::Size { what: "packed matrix", got: usize::MAX, expected: isize::MAX as usize };
        let bytes = Self::packed_bytes(rows, columns, precision).ok_or(too_large)?;
        let count = rows.div_ceil(PANEL) * steps(columns, precision);
        let mut lines = Vec::with_capacity(count);
        let mut scales = Vec::with_capacity((bytes - count * 64) / size_of::<f32>());
        let mut piece = vec![0u8; bytes.min(Self::PIECE)];
        while lines.len() < count {
            let wanted = ((count - lines.len()) * 64).min(Self::PIECE);
            next(&mut piece[..wanted])?;
            lines.extend(piece[..wanted].as_chunks::<64>().0.iter().map(|&line| Line(line)));
        }
        let mut left = bytes - count * 64;
        while left > 0 {
            let wanted = left.min(Self::PIECE);
            next(&mut piece[..wanted])?;
            scales.extend(piece[..wanted].as_chunks::<4>().0.iter().map(|&scale| f32::from_le_bytes(scale)));
            left -= wanted;
        }
        if let Some((row, &value)) = scales.iter().enumerate().find(|(_, scale)| !scale.is_finite()) {
            return Err(Error::Weight { row, value }.into());
        }
        Ok(Self { rows, columns, precision, lines, scales })
    }

    /// The packed weights: one panel after the other.
    pub fn lines(&self) -> impl Iterator<Item = &[u8; 64]> {
        self.lines.iter().map(|line| &line.0)
    }

    /// The scales, one a row, padded to whole panels; none in f32.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Writes one row into `out`, which has a value a column: the embedding of a token.
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
        let lines = self.panels(row / PANEL);
        let lane = row % PANEL;
        match self.precision {
            Precision::F32 => {
                for (out, line) in out.iter_mut().zip(lines) {
                    *out = f32::from_le_bytes(line.0.as_chunks().0[lane]);
                }
            }
            Precision::Int8 => {
                let scale = self.scales[row];
                for (out, line) in out.chunks_mut(4).zip(lines) {
                    for (out, stored) in out.iter_mut().zip(line.0.as_chunks::<4>().0[lane]) {
                        *out = f32::from((stored ^ 0x80).cast_signed()) * scale;
                    }
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

    /// Says how the weights are kept.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Says how many bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(self.lines.as_slice()) + size_of_val(self.scales.as_slice())
    }

    /// Lines of a panel.
    pub(super) fn steps(&self) -> usize {
        steps(self.columns, self.precision)
    }

    /// The lines from a panel on.
    pub(super) fn panels(&self, first: usize) -> &[Line] {
        &self.lines[first * self.steps()..]
    }
}

/// Lines of a panel with so many columns.
pub(super) fn steps(columns: usize, precision: Precision) -> usize {
    match precision {
        Precision::F32 => columns,
        Precision::Int8 => columns.div_ceil(4),
    }
}

fn check(row: &[f32], index: usize) -> Result<(), Error> {
    match row.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(Error::Weight { row: index, value }),
        None => Ok(()),
    }
}

/// Quantises one row into its lane of a panel; returns its scale.
fn quantise_row(row: &[f32], lane: usize, lines: &mut [Line]) -> f32 {
    let largest = row.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale < f32::MIN_POSITIVE { 0.0 } else { 127.0 / largest };
    for (line, values) in lines.iter_mut().zip(row.chunks(4)) {
        let stored = &mut line.0.as_chunks_mut::<4>().0[lane];
        *stored = [0x80; 4];
        for (stored, value) in stored.iter_mut().zip(values) {
            *stored = ((value * inverse).round_ties_even().clamp(-127.0, 127.0) as i8).cast_unsigned() ^ 0x80;
        }
    }
    if inverse == 0.0 { 0.0 } else { scale }
}
