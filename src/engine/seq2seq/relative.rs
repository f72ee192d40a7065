//! Relative positions of T5: a bias a head for every distance, the far ones sharing buckets of growing width.
//!
//! In: the learned (buckets, heads). Out: tables by distance, as [`super::attention::Shift`] reads them. Source:
//! `T5Attention._relative_position_bucket` of transformers 5.23.0. The decoder looks back only and has all buckets for that;
//! candle's T5 gives it the encoder's halves, which is wrong from the eighth token on.

use super::spec::Side;

/// Returns the bucket of key minus query.
fn bucket(relative: isize, side: Side, buckets: usize, max_distance: usize) -> usize {
    let (buckets, start, distance) = match side {
        Side::Encoder => {
            let half = buckets / 2;
            (half, if relative > 0 { half } else { 0 }, relative.unsigned_abs())
        }
        Side::Decoder => (buckets, 0, (-relative).max(0).unsigned_abs()),
    };
    let exact = buckets / 2;
    if distance < exact {
        return start + distance;
    }
    // In f32 and in this order, as the reference computes it: a bucket's edge is a matter of rounding.
    let spread = (max_distance as f64 / exact.max(1) as f64).ln() as f32;
    let far = (distance as f32 / exact.max(1) as f32).ln() / spread * (buckets - exact) as f32;
    start + (exact + far as usize).min(buckets.saturating_sub(1))
}

/// Biases of one side.
#[derive(Debug, Clone)]
pub struct Relative<'a> {
    /// (buckets, heads)
    pub(super) bias: &'a [f32],
    pub(super) heads: usize,
    pub(super) buckets: usize,
    pub(super) max_distance: usize,
}

impl Relative<'_> {
    /// Returns (heads, 2 s - 1): for key minus query from -(s - 1) to s - 1.
    pub(super) fn around(&self, s: usize) -> Vec<f32> {
        let bucket = |i: usize| {
            let relative = i as isize - (s as isize - 1);
            bucket(relative, Side::Encoder, self.buckets, self.max_distance)
        };
        let buckets: Vec<usize> = (0..2 * s - 1).map(bucket).collect();
        (0..self.heads).flat_map(|head| buckets.iter().map(move |&b| self.bias[b * self.heads + head])).collect()
    }

    /// Returns (t, heads): for the distance back from 0 to t - 1.
    pub(super) fn back(&self, t: usize) -> Vec<f32> {
        let bucket = |back: usize| bucket(-(back as isize), Side::Decoder, self.buckets, self.max_distance);
        (0..t).flat_map(|back| &self.bias[bucket(back) * self.heads..][..self.heads]).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_the_reference() {
        // transformers 5.23.0, 32 buckets, maximum distance 128.
        let encoder: Vec<usize> = [-200, -128, -127, -20, -8, -7, -1, 0, 1, 7, 8, 20, 127, 128, 200]
            .map(|relative| bucket(relative, Side::Encoder, 32, 128))
            .to_vec();
        assert_eq!(encoder, [15, 15, 15, 10, 8, 7, 1, 0, 17, 23, 24, 26, 31, 31, 31]);
        let decoder: Vec<usize> = [0, -1, -8, -15, -16, -20, -64, -127, -200, 3]
            .map(|relative| bucket(relative, Side::Decoder, 32, 128))
            .to_vec();
        assert_eq!(decoder, [0, 1, 8, 15, 16, 17, 26, 31, 31, 0]);
    }
}
