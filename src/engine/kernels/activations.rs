//! The activations of a linear layer, quantised once for every matrix that reads them.
//!
//! In: f32 rows. Out: int8 in blocks of 32 with an f32 scale, in the order in which the kernels read them. A block is
//! quantised from its own 32 values only, so a row's result does not depend on the others.

use rayon::prelude::*;

use super::tile::{MAX_ROWS, Operands, Path};
use super::{BLOCK, Error};

/// Blocks whose largest magnitude is below this become zero: 127 over it would not be finite.
pub(super) const SMALLEST: f32 = 1e-30;

/// Values below which one thread quantises them all.
const ALONE: usize = 1 << 16;

/// Quantised rows, ready to be multiplied with any matrix of as many columns.
#[derive(Debug, Clone)]
pub struct Activations {
    rows: usize,
    columns: usize,
    /// `[tile][block][row of the tile][32]`
    values: Vec<i8>,
    /// `[tile][block][row of the tile]`
    scales: Vec<f32>,
    /// -128 times the sum of each block; same order.
    offsets: Vec<i32>,
}

impl Activations {
    /// Quantises `x`, which is (rows, columns) row by row.
    ///
    /// # Errors
    /// Where `x` has another size, or there are no columns.
    pub fn quantize(x: &[f32], rows: usize, columns: usize) -> Result<Self, Error> {
        Self::quantize_with(Path::best(), x, rows, columns)
    }

    /// Quantises by one path.
    pub(super) fn quantize_with(path: Path, x: &[f32], rows: usize, columns: usize) -> Result<Self, Error> {
        if columns == 0 {
            return Err(Error::Columns { got: 0, expected: 1 });
        }
        let expected = rows.saturating_mul(columns);
        if x.len() != expected {
            return Err(Error::Size { what: "input", got: x.len(), expected });
        }
        let blocks = columns.div_ceil(BLOCK);
        let mut values = vec![0i8; rows * blocks * BLOCK];
        let mut scales = vec![0f32; rows * blocks];
        let mut offsets = vec![0i32; rows * blocks];
        let mut parts = Vec::with_capacity(tiles(rows));
        let mut rest = (x, values.as_mut_slice(), scales.as_mut_slice(), offsets.as_mut_slice());
        for tile in 0..tiles(rows) {
            let (start, end) = tile_rows(tile, rows);
            let count = end - start;
            let (x, x_rest) = rest.0.split_at(count * columns);
            let (values, values_rest) = rest.1.split_at_mut(count * blocks * BLOCK);
            let (scales, scales_rest) = rest.2.split_at_mut(count * blocks);
            let (offsets, offsets_rest) = rest.3.split_at_mut(count * blocks);
            parts.push(Part { x, columns, values: values.as_chunks_mut().0, scales, offsets });
            rest = (x_rest, values_rest, scales_rest, offsets_rest);
        }
        if expected < ALONE || rayon::current_num_threads() == 1 {
            parts.into_iter().for_each(|part| path.quantize(part));
        } else {
            parts.into_par_iter().for_each(|part| path.quantize(part));
        }
        Ok(Self { rows, columns, values, scales, offsets })
    }

    /// Says how many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Says how many columns each row had.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Fills in the activations' side of a tile's operands.
    pub(super) fn fill<'a>(&'a self, start: usize, end: usize, operands: &mut Operands<'a>) {
        let blocks = operands.blocks;
        operands.x = &self.values[start * blocks * BLOCK..end * blocks * BLOCK];
        operands.x_scales = &self.scales[start * blocks..end * blocks];
        operands.x_offsets = &self.offsets[start * blocks..end * blocks];
    }
}

/// Says into how many tiles `rows` are cut: as few as hold them, of sizes that differ by one at most.
pub(super) fn tiles(rows: usize) -> usize {
    rows.div_ceil(MAX_ROWS)
}

/// Says where a tile of `rows` starts and ends.
pub(super) fn tile_rows(tile: usize, rows: usize) -> (usize, usize) {
    let tiles = tiles(rows);
    (tile * rows / tiles, (tile + 1) * rows / tiles)
}

/// The rows of one tile, and where their quantised values go.
pub(super) struct Part<'a> {
    x: &'a [f32],
    columns: usize,
    values: &'a mut [[i8; BLOCK]],
    scales: &'a mut [f32],
    offsets: &'a mut [i32],
}

/// Quantises the rows of one tile, block by block.
#[inline(always)]
pub(super) fn quantize_part(part: Part<'_>, quantize_block: impl Fn(&[f32; BLOCK], &mut [i8; BLOCK]) -> (f32, i32)) {
    let rows = part.x.len() / part.columns;
    for (row, x) in part.x.chunks_exact(part.columns).enumerate() {
        let (whole, rest) = x.as_chunks::<BLOCK>();
        let mut at = row;
        for x in whole {
            (part.scales[at], part.offsets[at]) = quantize_block(x, &mut part.values[at]);
            at += rows;
        }
        if !rest.is_empty() {
            let mut padded = [0f32; BLOCK];
            padded[..rest.len()].copy_from_slice(rest);
            (part.scales[at], part.offsets[at]) = quantize_block(&padded, &mut part.values[at]);
        }
    }
}

/// Quantises one block; returns its scale and -128 times the sum of its values.
///
/// A value that is infinite or not a number makes the scale so too, and with it every result of the row. Inlined into
/// a caller for each instruction set, where it becomes vectors; there is nothing in it that another order would change.
#[inline(always)]
pub(super) fn quantize_block(x: &[f32; BLOCK], values: &mut [i8; BLOCK]) -> (f32, i32) {
    // The bits of magnitudes order as the magnitudes do, with infinity and not-a-number above all others.
    let largest = f32::from_bits(x.iter().fold(0, |largest, x| largest.max(x.abs().to_bits())));
    let (scale, inverse) = if largest < SMALLEST { (0.0, 0.0) } else { (largest / 127.0, 127.0 / largest) };
    // At most 127 * (1 + 2^-23) before it is rounded, so 127 after; what is not a number becomes 0.
    let rounded = x.map(|x| (x * inverse).round_ties_even() as i32);
    for (value, rounded) in values.iter_mut().zip(rounded) {
        *value = rounded as i8;
    }
    (scale, -128 * rounded.iter().sum::<i32>())
}
