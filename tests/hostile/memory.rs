//! Counts the memory that a reader takes.
//!
//! In: something to run. Out: [`Usage`]. The counts are the whole process', so that threads of a reader count, too: one
//! test at a time, which [`alone`] sees to.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn taken(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
    LARGEST.fetch_max(bytes, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // A block that grows may be there twice for a moment.
        taken(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What was taken while something ran, above what was there before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Most bytes at any moment.
    pub peak: usize,
    /// Bytes of the largest block.
    pub largest: usize,
}

/// Proves that no other test runs.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

/// Waits until no other test runs.
pub fn alone() -> Alone {
    static QUIET: Once = Once::new();
    // What libraries panic with inside of a reader, which catches it, is of no interest, and a backtrace takes memory.
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if info.location().is_some_and(|at| at.file().contains("hostile")) {
                eprintln!("{info}");
            }
        }));
    });
    Alone(ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs something and counts.
pub fn measured<T>(_: &Alone, run: impl FnOnce() -> T) -> (T, Usage) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    LARGEST.store(0, Relaxed);
    let result = run();
    let usage = Usage { peak: PEAK.load(Relaxed).saturating_sub(before), largest: LARGEST.load(Relaxed) };
    (result, usage)
}
