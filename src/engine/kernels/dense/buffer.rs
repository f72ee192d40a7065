//! Buffers of f32 that a thread uses again and again.
//!
//! A decoding step fills some dozens of them, a megabyte each; from the system they would come as pages that have to be
//! mapped, zeroed and taken away again every time, which cost a twentieth of the whole (see `tests/benches/seq2seq.rs`).

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Most buffers that a thread keeps.
const KEPT: usize = 16;

/// Largest buffer that is kept, in values: a batch of long sources is given back to the system.
const LARGEST: usize = 1 << 21;

thread_local! {
    static POOL: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that goes back to its thread's pool when it is dropped.
#[derive(Debug, Default)]
pub struct Buffer(Vec<f32>);

impl Buffer {
    /// Takes an empty buffer with room for `count` values.
    pub(super) fn with_capacity(count: usize) -> Self {
        let mut buffer = POOL.with_borrow_mut(|pool| {
            // The smallest that is large enough; else the largest, to grow.
            let fits = (0..pool.len()).filter(|&i| pool[i].capacity() >= count).min_by_key(|&i| pool[i].capacity());
            let largest = || (0..pool.len()).max_by_key(|&i| pool[i].capacity());
            fits.or_else(largest).map(|i| pool.swap_remove(i)).unwrap_or_default()
        });
        buffer.clear();
        buffer.reserve_exact(count);
        Self(buffer)
    }

    /// Takes a buffer of zeros.
    pub fn zeroed(count: usize) -> Self {
        let mut buffer = Self::with_capacity(count);
        buffer.0.resize(count, 0.0);
        buffer
    }

    /// The values as a vector, for those who write them.
    pub(super) fn inner(&mut self) -> &mut Vec<f32> {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.0.capacity() <= LARGEST {
            let buffer = std::mem::take(&mut self.0);
            // At the end of a thread the pool may be gone already: then the buffer goes too.
            let _ = POOL.try_with(|pool| {
                if let Ok(mut pool) = pool.try_borrow_mut()
                    && pool.len() < KEPT
                {
                    pool.push(buffer);
                }
            });
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
