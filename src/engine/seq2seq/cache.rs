//! The kv cache of a source: what cross-attention and self-attention of its hypotheses read.
//!
//! In: keys and values as f32 rows. Out: attention over them. Beside int8 weights they are kept as bf16: half the memory and
//! half the way from it, which is what attention waits for; rounding to 8 bits of mantissa (one part in 512) is less than what
//! quantising the activations to int8 costs already. Beside f32 weights they stay f32.

use std::sync::{Arc, Mutex, PoisonError};

use super::attention::{Keys, Queries, attend};
use super::path::{Path, attend_path};
use crate::engine::kernels::dense::Precision;
use crate::engine::simd::dispatch;

/// How a value is kept.
pub(super) trait Stored: Copy + Default + Send + Sync {
    /// Rounds a value.
    fn narrow(value: f32) -> Self;

    /// Gives values back: themselves, or widened into `scratch`, which has room for as many. A loop of its own, since within
    /// others it does not become vectors.
    fn widened<'v>(values: &'v [Self], scratch: &'v mut [f32]) -> &'v [f32];

    /// Says how much room [`Stored::widened`] needs for so many values.
    fn room(values: usize) -> usize;
}

impl Stored for f32 {
    #[inline(always)]
    fn narrow(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn widened<'v>(values: &'v [Self], _scratch: &'v mut [f32]) -> &'v [f32] {
        values
    }

    fn room(_values: usize) -> usize {
        0
    }
}

/// The upper half of an f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bf16(u16);

impl Stored for Bf16 {
    /// To nearest, ties to even. What is not a number may become infinite, which no later step takes for a number.
    #[inline(always)]
    fn narrow(value: f32) -> Self {
        let bits = value.to_bits();
        Self((bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16) as u16)
    }

    #[inline(always)]
    fn widened<'v>(values: &'v [Self], scratch: &'v mut [f32]) -> &'v [f32] {
        let scratch = &mut scratch[..values.len()];
        for (wide, value) in scratch.iter_mut().zip(values) {
            *wide = f32::from_bits(u32::from(value.0) << 16);
        }
        scratch
    }

    fn room(values: usize) -> usize {
        values
    }
}

/// Slots of a block.
pub(super) const BLOCK: usize = 16;

/// Blocks that no source uses now. Growing caches by blocks that go from source to source spares the system to map, zero and
/// take away pages all the time, which cost a tenth of the whole.
#[derive(Debug)]
pub(super) struct Pool<T>(Mutex<Vec<Box<[T]>>>);

/// The blocks of a model's caches.
#[derive(Debug)]
pub(super) enum Pools {
    F32(Arc<Pool<f32>>),
    Bf16(Arc<Pool<Bf16>>),
}

impl Pools {
    /// Makes empty pools; beside int8 weights of bf16.
    pub fn new(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32(Arc::new(Pool(Mutex::default()))),
            Precision::Int8 => Self::Bf16(Arc::new(Pool(Mutex::default()))),
        }
    }
}

/// Keys and values of one source and kind of storage.
#[derive(Debug)]
pub(super) struct Stores<T> {
    /// What cross-attention reads, a layer each.
    cross: Vec<Keys<T>>,
    /// What self-attention reads, a layer each: blocks of ([`BLOCK`] slots, keys and values, (h, n)); one slot a token of a
    /// hypothesis.
    own: Vec<Vec<Box<[T]>>>,
    /// Slots that are filled, a layer each.
    filled: Vec<usize>,
    pool: Arc<Pool<T>>,
}

/// Keys and values of one source.
#[derive(Debug)]
pub(super) enum Cache {
    F32(Stores<f32>),
    Bf16(Stores<Bf16>),
}

/// Runs a block for either kind of storage.
macro_rules! either {
    ($cache:expr, $stores:ident => $body:expr) => {
        match $cache {
            Cache::F32($stores) => $body,
            Cache::Bf16($stores) => $body,
        }
    };
}

impl Cache {
    /// Makes an empty cache of so many layers.
    pub fn new(pools: &Pools, layers: usize) -> Self {
        match pools {
            Pools::F32(pool) => Self::F32(Stores::new(pool, layers)),
            Pools::Bf16(pool) => Self::Bf16(Stores::new(pool, layers)),
        }
    }

    /// Adds the next layer's keys and values of the source: rows of (keys, values), each (n, h).
    pub fn push_cross(&mut self, rows: &[f32], heads: usize, head_width: usize) {
        let inner = heads * head_width;
        either!(self, stores => stores.cross.push(Keys::new(rows, 2 * inner, 0, inner, heads, head_width)));
    }

    /// Attends to the source; see [`attend`].
    pub fn attend_cross(&self, layer: usize, queries: Queries<'_>, out: &mut [f32], weights: Option<&mut [f32]>) {
        either!(self, stores => attend(queries, &stores.cross[layer], None, out, weights));
    }

    /// Fills the next slot of a layer: keys and values, each (h, n).
    pub fn push(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        either!(self, stores => stores.push(layer, keys, values));
    }

    /// Attends from the last token of a hypothesis to all of its tokens, by their slots; see [`attend_path`].
    pub fn attend_own(
        &self,
        layer: usize,
        query: &[f32],
        (slots, heads): (&[u32], usize),
        shift: Option<&[f32]>,
        out: &mut [f32],
        scratch: &mut Vec<f32>,
    ) {
        either!(self, stores => {
            attend_path(query, Path { blocks: &stores.own[layer], slots, heads }, shift, out, scratch);
        });
    }
}

impl<T: Stored> Stores<T> {
    fn new(pool: &Arc<Pool<T>>, layers: usize) -> Self {
        Self {
            cross: Vec::with_capacity(layers),
            own: (0..layers).map(|_| Vec::new()).collect(),
            filled: vec![0; layers],
            pool: Arc::clone(pool),
        }
    }

    fn push(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let width = keys.len();
        let (blocks, slot) = (&mut self.own[layer], self.filled[layer]);
        if slot == blocks.len() * BLOCK {
            let spare = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            blocks.push(spare.unwrap_or_else(|| vec![T::default(); BLOCK * 2 * width].into()));
        }
        let kept = &mut blocks[slot / BLOCK][slot % BLOCK * 2 * width..][..2 * width];
        let (kept_keys, kept_values) = kept.split_at_mut(width);
        narrow_all(keys, kept_keys);
        narrow_all(values, kept_values);
        self.filled[layer] += 1;
    }
}

impl<T> Drop for Stores<T> {
    fn drop(&mut self) {
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).extend(self.own.drain(..).flatten());
    }
}

dispatch! {
    fn narrow_all<T: Stored>(values: &[f32], kept: &mut [T]) = narrow_body
}

#[inline(always)]
fn narrow_body<const FMA: bool, T: Stored>(values: &[f32], kept: &mut [T]) {
    kept.iter_mut().zip(values).for_each(|(kept, value)| *kept = T::narrow(*value));
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Bf16 {
        fn wide(self) -> f32 {
            Stored::widened(&[self], &mut [0.0])[0]
        }
    }

    proptest::proptest! {
        #[test]
        fn bf16_is_the_nearest_of_its_kind(value in -1e30f32..1e30) {
            let kept = Bf16::narrow(value).wide();
            proptest::prop_assert!((kept - value).abs() <= value.abs() / 256.0);
            proptest::prop_assert_eq!(Bf16::narrow(kept).wide(), kept);
            let half_step = f32::from_bits(kept.to_bits() | 0x8000) - kept;
            proptest::prop_assert!((kept - value).abs() <= half_step.abs());
        }
    }

    #[test]
    fn bf16_rounds_ties_to_even() {
        assert_eq!(Bf16::narrow(1.0 + 1.0 / 256.0).wide(), 1.0);
        assert_eq!(Bf16::narrow(1.0 + 3.0 / 256.0).wide(), 1.0 + 4.0 / 256.0);
        assert_eq!(Bf16::narrow(-0.0).wide().to_bits(), (-0.0f32).to_bits());
        assert!(!Bf16::narrow(f32::INFINITY).wide().is_finite());
        assert!(!Bf16::narrow(f32::NAN).wide().is_finite());
    }
}
