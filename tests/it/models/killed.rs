//! Killed at any moment: what lies on the disk is not fetched again.

#![cfg(unix)]

use std::time::{Duration, Instant};

use super::{Sources, World};
use crate::common::fake_hub::Fault;

/// The most that a process reads before it writes (`src/hub/transfer.rs`).
const CHUNK: u64 = 1 << 17;
const KILLS: u32 = 10;

#[test]
fn a_pull_killed_ten_times_ends_in_a_verified_model_with_a_chunk_a_kill_fetched_twice_at_most() {
    let start = Instant::now();
    let mut state = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    println!("seed {state}");
    let mut below = |end: u64| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u64::from(state >> 8) % end
    };
    let world = World::with_bytes(Sources::Hub, 4_000_000);
    let hub = world.hub(Fault::Pieces(8192, 2));
    let on_disk = || std::fs::metadata(world.part()).map_or(0, |metadata| metadata.len());
    let mut kept = vec![0];
    for kill in 0..KILLS {
        let mut child = world.spawn(&hub, &["pull", "tiny"]);
        // Somewhere in the next twelfth of the file, or a moment after the start.
        let goal = on_disk() + below(world.bytes.len() as u64 / 12);
        let pause = Duration::from_micros(below(20_000));
        let end = Instant::now() + Duration::from_secs(20);
        while on_disk() <= goal {
            assert!(child.try_wait().unwrap().is_none(), "kill {kill}: it ended by itself");
            assert!(Instant::now() < end, "kill {kill}: it stands still");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(pause);
        child.kill().unwrap();
        child.wait().unwrap();
        world.assert_nothing_final();
        kept.push(on_disk());
    }
    world.run(Some(&hub), &["pull", "tiny"]).success();
    world.run(None, &["verify", "tiny"]).success();
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    let kept: Vec<usize> = kept.into_iter().map(|bytes| usize::try_from(bytes).unwrap()).collect();
    assert_eq!(hub.transfers(), kept, "each run goes on behind the last byte on the disk");
    let twice = hub.sent() - world.bytes.len() as u64;
    println!("{KILLS} kills, {twice} of {} bytes sent twice, {:?}", world.bytes.len(), start.elapsed());
    assert!(twice <= u64::from(KILLS) * CHUNK, "{twice} bytes were sent twice");
}
