//! The activations of a product: f32 rows as they are, or quantised with one scale a row.
//!
//! In: f32 rows. Out: what the kernels read. A row is quantised from its own values only.

#![allow(unsafe_code)]

use std::borrow::Cow;

use super::super::Error;
use super::super::tile::Path;
use super::Precision;
use super::matrix::steps;
use crate::engine::simd::dispatch;

/// Rows whose largest magnitude is below this become zero: 127 over it would not be finite.
const SMALLEST: f32 = 1e-30;

/// Activations, ready to be multiplied with any matrix of as many columns and the same precision.
#[derive(Debug)]
pub struct Input<'a> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Values<'a>,
}

#[derive(Debug)]
pub(super) enum Values<'a> {
    /// (rows, columns)
    F32(&'a [f32]),
    /// (rows, columns rounded up to fours), -127 to 127; a scale a row; -128 times the sum of each row: what the 128 added
    /// to each weight costs.
    Int8 { values: Cow<'a, [i8]>, scales: Vec<f32>, offsets: Vec<i32> },
}

impl<'a> Input<'a> {
    /// Takes `x`, (rows, columns) row by row.
    ///
    /// # Errors
    /// Where `x` has no whole number of rows.
    pub fn new(x: &'a [f32], columns: usize, precision: Precision) -> Result<Self, Error> {
        if columns == 0 || !x.len().is_multiple_of(columns) {
            let expected = x.len().checked_div(columns).unwrap_or(0) * columns;
            return Err(Error::Size { what: "input", got: x.len(), expected });
        }
        let rows = x.len() / columns;
        if precision == Precision::F32 {
            return Ok(Self { rows, columns, values: Values::F32(x) });
        }
        let stride = steps(columns, precision) * 4;
        let mut values = vec![0i8; rows * stride];
        let (mut scales, mut offsets) = (vec![0f32; rows], vec![0i32; rows]);
        for (r, (x, values)) in x.chunks_exact(columns).zip(values.chunks_exact_mut(stride)).enumerate() {
            quantise(Path::best(), x, &mut values[..columns], &mut scales[r], &mut offsets[r]);
        }
        Ok(Self { rows, columns, values: Values::Int8 { values: Cow::Owned(values), scales, offsets } })
    }

    /// Says how many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Says how the values are kept.
    pub fn precision(&self) -> Precision {
        match self.values {
            Values::F32(_) => Precision::F32,
            Values::Int8 { .. } => Precision::Int8,
        }
    }
}

/// Quantises one row by a path; all of them give the same.
pub(super) fn quantise(path: Path, x: &[f32], values: &mut [i8], scale: &mut f32, offset: &mut i32) {
    match path {
        Path::Scalar => quantise_body::<false>(x, values, scale, offset),
        _ => quantise_fast(x, values, scale, offset),
    }
}

dispatch! {
    fn quantise_fast(x: &[f32], values: &mut [i8], scale: &mut f32, offset: &mut i32) = quantise_body
}

/// There is nothing in it that another order or width would change: magnitudes are compared as bits, which order infinity and
/// not-a-number above all numbers, so that either makes the scale, and with it the row's results, not a number too.
#[inline(always)]
fn quantise_body<const FMA: bool>(x: &[f32], values: &mut [i8], scale: &mut f32, offset: &mut i32) {
    let largest = x.iter().fold(0u32, |largest, x| largest.max(x.abs().to_bits()));
    let largest = f32::from_bits(largest);
    let inverse = if largest < SMALLEST { 0.0 } else { 127.0 / largest };
    *scale = if largest < SMALLEST { 0.0 } else { largest / 127.0 };
    // Adding it rounds to nearest, ties to even, and leaves the integer in the lowest bits. At most 127 * (1 + 2^-23).
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    let mut sum = 0i32;
    for (value, x) in values.iter_mut().zip(x) {
        let rounded = ((x * inverse + ROUND).to_bits() as i32) - ROUND.to_bits() as i32;
        *value = rounded as i8;
        sum += i32::from(rounded as i8);
    }
    *offset = -128 * sum;
}
