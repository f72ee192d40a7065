//! Walks over the tiles of a product and shares them among threads.
//!
//! In: a [`Matrix`] and an [`Input`]. Out: each tile goes to a [`Sink`]: [`Matrix::product`] writes it, `top` looks for the
//! best columns in it. What a tile is worth is computed in `tile`; here is only who computes it and when.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use super::super::tile::{Line, Path};
use super::super::{Error, PANEL};
use super::input::Values;
use super::tile::{MAX_ROWS, Operands, PANELS, Tile, WIDTH, X};
use super::{Activation, Buffer, Epilogue, Input, Matrix, Precision, Threads};
use crate::engine::simd::{self, dispatch};

/// Multiply-adds below which one thread does it all: about ten microseconds, what it costs to wake another.
const ALONE: usize = 1 << 22;

/// What a weight costs at least, in multiply-adds: the time to read it from memory.
const READ: usize = 8;

/// Columns that f32 tiles are multiplied by before the next tile's turn: 256 KiB of weights, which stay in the second
/// level cache while all rows go by.
const BLOCK: usize = 1024;

/// Where tiles go.
pub(super) trait Sink: Sync {
    /// What a task keeps of its own.
    type Local: Send;

    /// Starts a task.
    fn start(&self) -> Self::Local;

    /// Takes a tile: `rows` of the input by `count` columns of the result from `first` on.
    fn take(&self, local: &mut Self::Local, rows: Range<usize>, first: usize, count: usize, tile: &mut Tile);
}

/// Computes all tiles. Tasks begin at multiples of `align` groups of four panels. Returns what the tasks kept, in the
/// order of the columns.
///
/// # Errors
/// Where columns or precision of the two sides differ.
pub(super) fn walk<S: Sink>(
    path: Path,
    matrix: &Matrix,
    input: &Input<'_>,
    threads: Threads,
    align: usize,
    sink: &S,
) -> Result<Vec<S::Local>, Error> {
    if input.columns != matrix.columns() || input.precision() != matrix.precision() {
        return Err(Error::Columns { got: input.columns, expected: matrix.columns() });
    }
    let groups = matrix.rows().div_ceil(WIDTH);
    let count = rayon::current_num_threads();
    let work = input.rows.max(READ) * matrix.rows() * matrix.columns();
    let alone = threads == Threads::One || count == 1 || work < ALONE;
    let tasks = if alone { 1 } else { (4 * count).min(groups.div_ceil(align)).max(1) };
    let task = |task: usize| {
        let edge = |task: usize| (task * groups.div_ceil(align) / tasks * align).min(groups);
        let mut local = sink.start();
        compute(path, matrix, input, edge(task)..edge(task + 1), sink, &mut local);
        local
    };
    Ok(if tasks == 1 { vec![task(0)] } else { (0..tasks).into_par_iter().with_max_len(1).map(task).collect() })
}

/// Into how many tiles rows are cut: as few as hold them, of sizes that differ by one at most.
fn tiles(rows: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    let tiles = rows.div_ceil(MAX_ROWS);
    (0..tiles).map(move |tile| tile * rows / tiles..(tile + 1) * rows / tiles)
}

fn compute<S: Sink>(
    path: Path,
    matrix: &Matrix,
    input: &Input<'_>,
    groups: Range<usize>,
    sink: &S,
    local: &mut S::Local,
) {
    let stride = matrix.steps();
    let blocked = matrix.precision() == Precision::F32 && stride > BLOCK;
    let mut held: Vec<Tile> = if blocked { vec![[[0.0; WIDTH]; MAX_ROWS]; tiles(input.rows).count()] } else { vec![] };
    let mut one: Tile = [[0.0; WIDTH]; MAX_ROWS];
    let count_of_tiles = input.rows.div_ceil(MAX_ROWS);
    let end = groups.end;
    for group in groups {
        let panel = group * PANELS;
        let first = group * WIDTH;
        let count = (matrix.rows() - first).min(WIDTH);
        let panels = count.div_ceil(PANEL);
        let lines = matrix.panels(panel);
        let operands = |rows: &Range<usize>, from: usize, to: usize| {
            let x = match &input.values {
                Values::F32(values) => {
                    X::F32 { values: &values[rows.start * input.columns + from..], stride: input.columns }
                }
                Values::Int8 { values, scales, offsets } => X::Int8 {
                    values: &values[rows.start * stride * 4..],
                    stride: stride * 4,
                    offsets: &offsets[rows.clone()],
                    scales: &scales[rows.clone()],
                    weights: &matrix.scales()[first..],
                },
            };
            Operands { panels, rows: rows.len(), steps: to - from, stride, lines: &lines[from..], x }
        };
        if blocked {
            held.fill([[0.0; WIDTH]; MAX_ROWS]);
            for from in (0..stride).step_by(BLOCK) {
                let to = (from + BLOCK).min(stride);
                for (rows, tile) in tiles(input.rows).zip(&mut held) {
                    operands(&rows, from, to).run(path, tile);
                    if to == stride {
                        sink.take(local, rows, first, count, tile);
                    }
                }
            }
        } else {
            let next = if group + 1 < end { matrix.panels(panel + PANELS) } else { &[] };
            let next = &next[..next.len().min(PANELS * stride)];
            for (index, rows) in tiles(input.rows).enumerate() {
                ask_for(next, index, count_of_tiles);
                if matrix.precision() == Precision::F32 {
                    one = [[0.0; WIDTH]; MAX_ROWS];
                }
                operands(&rows, 0, stride).run(path, &mut one);
                sink.take(local, rows, first, count, &mut one);
            }
        }
    }
}

/// Asks memory for a tile's share of the weights that come next, where there are tiles enough to hide the waiting behind; one
/// row alone reads as fast as memory gives, without being asked.
#[inline(always)]
fn ask_for(next: &[Line], tile: usize, tiles: usize) {
    #[cfg(target_arch = "x86_64")]
    if tiles > 1 {
        for line in &next[tile * next.len() / tiles..(tile + 1) * next.len() / tiles] {
            // SAFETY: a hint; it touches no memory that the line is not.
            unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(line.0.as_ptr().cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (next, tile, tiles);
}

/// Writes tiles into a buffer, each finished by an [`Epilogue`].
struct Store<'a> {
    start: *mut f32,
    /// Values in a row.
    width: usize,
    epilogue: Epilogue<'a>,
}

// SAFETY: a tile's task alone writes to its columns of its rows, so no two threads write to the same value; nobody reads
// before all tasks have ended.
unsafe impl Sync for Store<'_> {}

impl Sink for Store<'_> {
    type Local = ();

    fn start(&self) {}

    fn take(&self, (): &mut (), rows: Range<usize>, first: usize, count: usize, tile: &mut Tile) {
        let bias = self.epilogue.bias.map(|bias| &bias[first..first + count]);
        finish(tile, rows.len(), bias, self.epilogue.activation);
        for (row, line) in rows.zip(tile.iter()) {
            // SAFETY: `row` is one of the input's and `first + count` at most `width`, so the values lie within the
            // buffer, which has a row for each of the input's; no other task has the same tile.
            unsafe {
                std::ptr::copy_nonoverlapping(line.as_ptr(), self.start.add(row * self.width + first), count);
            }
        }
    }
}

dispatch! {
    /// Adds the bias and applies the nonlinearity to some rows of a tile.
    fn finish(tile: &mut Tile, rows: usize, bias: Option<&[f32]>, activation: Option<Activation>) = finish_body
}

#[inline(always)]
fn finish_body<const FMA: bool>(tile: &mut Tile, rows: usize, bias: Option<&[f32]>, activation: Option<Activation>) {
    for line in tile.iter_mut().take(rows) {
        if let Some(bias) = bias {
            match <&[f32; WIDTH]>::try_from(bias) {
                Ok(bias) => line.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias),
                Err(_) => line.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias),
            }
        }
        match activation {
            None => {}
            Some(Activation::Relu) => line.iter_mut().for_each(|value| *value = value.max(0.0)),
            Some(Activation::Swish) => {
                line.iter_mut().for_each(|value| *value /= 1.0 + simd::exp::<FMA>(-*value));
            }
            Some(Activation::GeluTanh) => {
                line.iter_mut().for_each(|value| *value = simd::gelu_tanh::<FMA>(*value));
            }
            // Used by no model here but old BART-like ones: exact rather than fast.
            Some(Activation::Gelu) => line.iter_mut().for_each(|value| *value = simd::gelu(*value)),
        }
    }
}

impl Matrix {
    /// Multiplies rows with the transposed matrix and finishes each value. Returns (input's rows, rows) row by row.
    ///
    /// # Errors
    /// Where columns or precision of the input are not the matrix's, or the bias has another size.
    pub fn product(&self, input: &Input<'_>, epilogue: Epilogue<'_>, threads: Threads) -> Result<Buffer, Error> {
        self.product_with(Path::best(), input, epilogue, threads)
    }

    /// Multiplies by one path.
    pub(super) fn product_with(
        &self,
        path: Path,
        input: &Input<'_>,
        epilogue: Epilogue<'_>,
        threads: Threads,
    ) -> Result<Buffer, Error> {
        if let Some(bias) = epilogue.bias.filter(|bias| bias.len() != self.rows()) {
            return Err(Error::Size { what: "bias", got: bias.len(), expected: self.rows() });
        }
        let count = input.rows * self.rows();
        let mut buffer = Buffer::with_capacity(count);
        let out = buffer.inner();
        let start = out.spare_capacity_mut().as_mut_ptr().cast::<MaybeUninit<f32>>().cast::<f32>();
        walk(path, self, input, threads, 1, &Store { start, width: self.rows(), epilogue })?;
        // SAFETY: the capacity is at least `count`, and the walk has taken every column of every row to its place.
        unsafe { out.set_len(count) };
        Ok(buffer)
    }
}
