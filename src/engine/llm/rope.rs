//! Rotary position embedding: one table of cosines and sines for each kind of layer, grown as sequences grow.
//!
//! In: a head's vector and its position. Out: the vector rotated in place. Gemma pairs dimension i with i + n/2 (llama.cpp's
//! NEOX), llama pairs 2i with 2i + 1, which is how its GGUF files order the rows (`ggml_rope_ext`).

use super::config::Rope;

/// Which dimensions are rotated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// i with i + n/2.
    Halves,
    /// 2i with 2i + 1.
    Neighbours,
}

/// Cosines and sines of positions 0 up to some length.
#[derive(Debug, Clone)]
pub struct RopeTable {
    frequencies: Vec<f64>,
    /// For each position: n/2 cosines, then n/2 sines.
    values: Vec<f32>,
    half: usize,
}

impl RopeTable {
    /// Makes an empty table for heads whose first `width` dimensions are rotated.
    pub fn new(rope: &Rope, width: usize) -> Self {
        let half = width / 2;
        let frequencies = (0..half)
            .map(|i| {
                let divisor = rope.divisors.get(i).map_or(1.0, |&d| f64::from(d));
                f64::from(rope.scale) * f64::from(rope.base).powf(-2.0 * i as f64 / width as f64) / divisor
            })
            .collect();
        Self { frequencies, values: Vec::new(), half }
    }

    /// Makes sure that positions below `length` are there.
    pub fn grow(&mut self, length: usize) {
        let known = self.values.len() / (2 * self.half);
        if known >= length {
            return;
        }
        // In steps, so that decoding does not come here for every token.
        let target = length.next_multiple_of(256);
        self.values.reserve_exact((target - known) * 2 * self.half);
        for position in known..target {
            self.values.extend(self.frequencies.iter().map(|f| (position as f64 * f).cos() as f32));
            self.values.extend(self.frequencies.iter().map(|f| (position as f64 * f).sin() as f32));
        }
    }

    /// Rotates one head in place.
    ///
    /// # Panics
    /// Where the table was not grown past `position`.
    pub fn rotate(&self, head: &mut [f32], position: usize, pairing: Pairing) {
        let row = &self.values[position * 2 * self.half..][..2 * self.half];
        let (cos, sin) = row.split_at(self.half);
        match pairing {
            Pairing::Halves => {
                let (first, second) = head[..2 * self.half].split_at_mut(self.half);
                for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                    (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
                }
            }
            Pairing::Neighbours => {
                for ((pair, cos), sin) in head.chunks_exact_mut(2).zip(cos).zip(sin) {
                    (pair[0], pair[1]) = (pair[0] * cos - pair[1] * sin, pair[0] * sin + pair[1] * cos);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pairings_rotate_the_same_pairs() {
        let rope = Rope { base: 10_000.0, scale: 0.5, divisors: vec![1.0, 4.0] };
        let mut table = RopeTable::new(&rope, 4);
        table.grow(9);
        let mut halves = [1.0, 2.0, 3.0, 4.0];
        table.rotate(&mut halves, 8, Pairing::Halves);
        let mut neighbours = [1.0, 3.0, 2.0, 4.0];
        table.rotate(&mut neighbours, 8, Pairing::Neighbours);
        assert_eq!(halves, [neighbours[0], neighbours[2], neighbours[1], neighbours[3]]);
        let angle: f32 = 8.0 * 0.5;
        assert!((halves[0] - (angle.cos() - 3.0 * angle.sin())).abs() < 1e-6);
        let angle: f32 = 8.0 * 0.5 * 0.01 / 4.0;
        assert!((halves[1] - (2.0 * angle.cos() - 4.0 * angle.sin())).abs() < 1e-6);
    }
}
