//! Walks over the tiles of a product and shares them among threads.
//!
//! In: a [`QuantMatrix`] and [`Activations`]. Out: f32 rows. What a tile is worth is computed in `tile`; here is only
//! who computes it, so the result does not depend on anything in this file.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use super::activations::{tile_rows, tiles};
use super::matrix::QuantMatrix;
use super::tile::{LINES, MAX_ROWS, Path, Tile};
use super::{Activations, Error, PANEL};

/// Multiply-adds below which one thread does it all: about ten microseconds, what it costs to wake another.
const ALONE: usize = 1 << 22;

/// What a weight costs at least, in multiply-adds: the time to read it from memory.
const READ: usize = 8;

/// Where the results go, shared among threads that write to different columns.
struct Output {
    start: *mut f32,
    /// Values in a row.
    width: usize,
}

// SAFETY: `multiply_with` gives each tile (a pair of panels by some rows) to one task, which writes to its columns of
// these rows only, so no two threads write to the same value; nobody reads before all have ended.
unsafe impl Sync for Output {}

impl QuantMatrix {
    /// Multiplies `x`, (m, columns) row by row, with the transposed matrix into `out`, (m, rows) row by row.
    ///
    /// # Errors
    /// Where a buffer does not have the size for it.
    pub fn matmul(&self, x: &[f32], m: usize, out: &mut [f32]) -> Result<(), Error> {
        self.matmul_quantized(&Activations::quantize(x, m, self.columns())?, out)
    }

    /// Multiplies as [`QuantMatrix::matmul`] does, into a new buffer.
    ///
    /// # Errors
    /// Where `x` does not have the size for it.
    pub fn product(&self, x: &[f32], m: usize) -> Result<Vec<f32>, Error> {
        let x = Activations::quantize(x, m, self.columns())?;
        let count = m * self.rows();
        let mut out = Vec::with_capacity(count);
        multiply_with(Path::best(), self, &x, &mut out.spare_capacity_mut()[..count])?;
        // SAFETY: the first `count` values have the capacity, and `multiply_with` has written all of its output.
        unsafe { out.set_len(count) };
        Ok(out)
    }

    /// Multiplies activations that are already quantised into `out`, (activations' rows, rows) row by row.
    ///
    /// # Errors
    /// Where the columns differ, or `out` does not have the size for it.
    pub fn matmul_quantized(&self, x: &Activations, out: &mut [f32]) -> Result<(), Error> {
        multiply_with(Path::best(), self, x, uninit(out))
    }
}

/// Views values as a place to write values to.
pub(super) fn uninit(out: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: the layouts are the same, and this module writes nothing but values into what it is given.
    unsafe { &mut *(std::ptr::from_mut(out) as *mut [MaybeUninit<f32>]) }
}

/// Multiplies by one path; where it succeeds, every value of `out` has been written.
pub(super) fn multiply_with(
    path: Path,
    w: &QuantMatrix,
    x: &Activations,
    out: &mut [MaybeUninit<f32>],
) -> Result<(), Error> {
    if x.columns() != w.columns() {
        return Err(Error::Columns { got: x.columns(), expected: w.columns() });
    }
    let (m, width) = (x.rows(), w.rows());
    let expected = m.saturating_mul(width);
    if out.len() != expected {
        return Err(Error::Size { what: "output", got: out.len(), expected });
    }
    let output = Output { start: out.as_mut_ptr().cast::<f32>(), width };
    let pairs = w.panels().div_ceil(2);
    let threads = rayon::current_num_threads();
    let alone = threads == 1 || m.max(READ) * width * w.columns() < ALONE;
    let tasks = if alone { 1 } else { 4 * threads };
    // By weights first, since these then are read once; by activations where there are not enough weights to share.
    let by_pairs = tasks.min(pairs).max(1);
    let by_tiles = (tasks / by_pairs).clamp(1, tiles(m).max(1));
    let task = |task: usize| {
        let (part, group) = (task % by_pairs, task / by_pairs);
        let pairs = part * pairs / by_pairs..(part + 1) * pairs / by_pairs;
        let tiles = group * tiles(m) / by_tiles..(group + 1) * tiles(m) / by_tiles;
        multiply_part(path, w, x, pairs, tiles, &output);
    };
    if by_pairs * by_tiles == 1 {
        task(0);
    } else {
        (0..by_pairs * by_tiles).into_par_iter().for_each(task);
    }
    Ok(())
}

/// Computes some tiles: a range of pairs of panels by a range of the activations' tiles.
fn multiply_part(
    path: Path,
    w: &QuantMatrix,
    x: &Activations,
    pairs: Range<usize>,
    part: Range<usize>,
    output: &Output,
) {
    let m = x.rows();
    let mut tile: Tile = [[0.0; 2 * PANEL]; MAX_ROWS];
    for pair in pairs.clone() {
        let first = pair * 2;
        let count = (w.panels() - first).min(2);
        let columns = (output.width - first * PANEL).min(count * PANEL);
        let mut operands = w.operands(first, count);
        for index in part.clone() {
            let (start, end) = tile_rows(index, m);
            if pair + 1 < pairs.end {
                let step = |index: usize| (index - part.start) * LINES / part.len();
                operands.ahead = (step(index), step(index + 1));
                operands.next = w.lines(first + 2);
            }
            x.fill(start, end, &mut operands);
            path.run(&operands, &mut tile);
            for (row, line) in (start..end).zip(&tile) {
                // SAFETY: `row` is below `m` and `first * PANEL + columns` at most `width`, so the values lie within
                // the `m * width` of the output, and no other task has the same tiles.
                unsafe {
                    let to = output.start.add(row * output.width + first * PANEL);
                    std::ptr::copy_nonoverlapping(line.as_ptr(), to, columns);
                }
            }
        }
    }
}
