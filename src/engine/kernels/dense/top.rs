//! The output projection: the best columns of each row and the log of the sum of all exponentials, in one pass.
//!
//! In: a [`Matrix`] of (vocabulary, width), an [`Input`] of hidden states. Out: [`Tops`]. Logits live in a tile of 64 and are
//! gone with the next. The result does not depend on how tiles are shared among threads: sums are kept for every
//! `SEGMENT` of columns and added in order; the best are a set with an order of its own.

use std::ops::Range;

use super::super::Error;
use super::super::tile::Path;
use super::tile::{Tile, WIDTH};
use super::walk::{Sink, walk};
use super::{Input, Matrix, Threads};
use crate::engine::simd::{self, LANES, dispatch};

/// Groups of 64 columns whose exponentials are summed together, whatever thread does it.
const SEGMENT: usize = 16;

/// A segment's reference moves where a value exceeds it by more: e^16 times 1,024 values is far from infinite.
const SLACK: f32 = 16.0;

/// What is looked for in each row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Columns that cannot be chosen (beside [`Tops`]' own), ascending.
    pub banned: &'a [u32],
}

/// The best columns of some rows.
#[derive(Debug, Clone, Copy)]
pub struct Tops<'a> {
    /// How many columns a row.
    pub top: usize,
    /// Added to the logits; one value a column.
    pub bias: Option<&'a [f32]>,
    /// Columns that cannot be chosen, ascending.
    pub banned: &'a [u32],
    /// Whether banned columns are left out of the sum too.
    pub renormalize: bool,
}

/// What was found in a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Best {
    /// Columns with their logits, best first, of equals the smaller column first.
    pub columns: Vec<(u32, f32)>,
    /// Natural log of the sum of all exponentials.
    pub log_sum_exp: f32,
}

/// One row's search within a task.
#[derive(Clone)]
struct State {
    best: Vec<(u32, f32)>,
    /// What a value must exceed to be among the best.
    threshold: f32,
    /// Of the segment: the reference of the exponentials.
    reference: f32,
    /// Of the segment: sums of exponentials, column mod 16.
    lanes: [f32; LANES],
    /// Reference and sum of each segment that is done.
    sums: Vec<(f32, f32)>,
}

impl State {
    fn close(&mut self) {
        if self.reference > f32::NEG_INFINITY || self.lanes[0].is_nan() {
            self.sums.push((self.reference, simd::sum_lanes(self.lanes)));
        }
        self.reference = f32::NEG_INFINITY;
        self.lanes = [0.0; LANES];
    }

    fn offer(&mut self, column: u32, value: f32, top: usize) {
        let place = self.best.partition_point(|&(_, best)| best >= value);
        if place < top {
            self.best.truncate(top - 1);
            self.best.insert(place, (column, value));
            if self.best.len() == top {
                self.threshold = self.best[top - 1].1;
            }
        }
    }
}

struct Search<'a> {
    tops: Tops<'a>,
    rows: &'a [Row<'a>],
}

impl Search<'_> {
    /// Takes banned columns out of a line: those of `list` that are among the 64 from `first` on.
    fn ban(list: &[u32], first: usize, line: &mut [f32; WIDTH]) {
        let from = list.partition_point(|&column| (column as usize) < first);
        for &column in list[from..].iter().take_while(|&&column| (column as usize) < first + WIDTH) {
            line[column as usize - first] = f32::NEG_INFINITY;
        }
    }
}

impl Sink for Search<'_> {
    /// One a row, and the segment they are in.
    type Local = (Vec<State>, usize);

    fn start(&self) -> Self::Local {
        let state = State {
            best: Vec::with_capacity(self.tops.top),
            threshold: f32::NEG_INFINITY,
            reference: f32::NEG_INFINITY,
            lanes: [0.0; LANES],
            sums: Vec::new(),
        };
        (vec![state; self.rows.len()], usize::MAX)
    }

    fn take(&self, local: &mut Self::Local, rows: Range<usize>, first: usize, count: usize, tile: &mut Tile) {
        let (states, segment) = local;
        let here = first / (WIDTH * SEGMENT);
        if *segment != here {
            *segment = here;
            states.iter_mut().for_each(State::close);
        }
        for (row, line) in rows.zip(tile.iter_mut()) {
            let state = &mut states[row];
            if let Some(bias) = self.tops.bias {
                line.iter_mut().zip(&bias[first..first + count]).for_each(|(value, bias)| *value += bias);
            }
            line[count..].fill(f32::NEG_INFINITY);
            let bans = |line: &mut [f32; WIDTH]| {
                Self::ban(self.tops.banned, first, line);
                Self::ban(self.rows[row].banned, first, line);
            };
            if self.tops.renormalize {
                bans(line);
            }
            let largest = fold(line, &mut state.reference, &mut state.lanes);
            if largest > state.threshold {
                bans(line);
                for (column, &value) in line.iter().enumerate() {
                    if value > state.threshold {
                        state.offer((first + column) as u32, value, self.tops.top);
                    }
                }
            }
        }
    }
}

dispatch! {
    /// Adds the exponentials of a line to the lanes, relative to the reference, which moves up where it must. Returns the
    /// largest value.
    fn fold(line: &[f32; WIDTH], reference: &mut f32, lanes: &mut [f32; LANES]) -> f32 = fold_body
}

#[inline(always)]
fn fold_body<const FMA: bool>(line: &[f32; WIDTH], reference: &mut f32, lanes: &mut [f32; LANES]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    for values in line.as_chunks::<LANES>().0 {
        for i in 0..LANES {
            most[i] = if values[i] > most[i] { values[i] } else { most[i] };
        }
    }
    let largest = simd::max_lanes(most);
    if largest > *reference + SLACK || *reference == f32::NEG_INFINITY {
        if largest == f32::NEG_INFINITY {
            // Nothing but banned columns and, where weights are broken, what is not a number.
            line.iter().filter(|value| value.is_nan()).for_each(|value| lanes[0] += value);
            return largest;
        }
        let shrink = simd::exp::<FMA>(*reference - largest);
        lanes.iter_mut().for_each(|lane| *lane *= shrink);
        *reference = largest;
    }
    let reference = *reference;
    for values in line.as_chunks::<LANES>().0 {
        for i in 0..LANES {
            lanes[i] += simd::exp::<FMA>(values[i] - reference);
        }
    }
    largest
}

impl Matrix {
    /// Multiplies rows with the transposed matrix and keeps the best columns of each. `rows` has one entry a row of the
    /// input. A row whose logits are not all numbers has a sum that is not finite.
    ///
    /// # Errors
    /// Where columns or precision of the input are not the matrix's, or bias or rows have another size.
    pub fn tops(
        &self,
        input: &Input<'_>,
        tops: Tops<'_>,
        rows: &[Row<'_>],
        threads: Threads,
    ) -> Result<Vec<Best>, Error> {
        if let Some(bias) = tops.bias.filter(|bias| bias.len() != self.rows()) {
            return Err(Error::Size { what: "bias", got: bias.len(), expected: self.rows() });
        }
        if rows.len() != input.rows() {
            return Err(Error::Size { what: "rows", got: rows.len(), expected: input.rows() });
        }
        let tops = Tops { top: tops.top.max(1), ..tops };
        let mut parts = walk(Path::best(), self, input, threads, SEGMENT, &Search { tops, rows })?;
        parts.iter_mut().for_each(|(states, _)| states.iter_mut().for_each(State::close));
        let best = (0..rows.len()).map(|row| {
            let states: Vec<&State> = parts.iter().map(|(states, _)| &states[row]).collect();
            merge(&states, tops.top)
        });
        Ok(best.collect())
    }
}

/// Joins what the tasks found in one row; the tasks are in the order of their columns.
fn merge(states: &[&State], top: usize) -> Best {
    let mut columns: Vec<(u32, f32)> = states.iter().flat_map(|state| &state.best).copied().collect();
    // Stable, so that of equals the smaller column stays first.
    columns.sort_by(|a, b| b.1.total_cmp(&a.1));
    columns.truncate(top);
    let sums = || states.iter().flat_map(|state| &state.sums);
    let reference = sums().fold(f32::NEG_INFINITY, |most, &(reference, _)| most.max(reference));
    let sum: f32 = sums().map(|&(of, sum)| simd::exp::<false>(of - reference) * sum).sum();
    Best { columns, log_sum_exp: reference + sum.ln() }
}
