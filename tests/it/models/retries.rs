//! A hub that is busy, breaks off or falls silent, and comes back.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use mujaz::hub::{Error, SourceError};
use mujaz::progress::{Progress, Silent};

use super::{Sources, World};
use crate::common::fake_hub::{FILE, Fault};
use crate::common::said::{has, stderr};

const LONG: Duration = Duration::from_secs(20);

/// Keeps what is noticed, and asks to stop at the first notice where it is told to.
#[derive(Default)]
struct Told {
    lines: Mutex<Vec<String>>,
    stops: bool,
}

impl Told {
    fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}

impl Progress for Told {
    fn notice(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_owned());
    }

    fn cancelled(&self) -> bool {
        self.stops && !self.lines.lock().unwrap().is_empty()
    }
}

#[test]
fn a_hub_that_recovers_is_asked_again_and_each_pause_is_said() {
    for (fault, words, transfers) in [
        (Fault::StatusAtFirst(503, 1), "HTTP status 503", &[0][..]),
        (Fault::StatusAtFirst(429, 4), "HTTP status 429", &[0]),
        (Fault::StatusAtFirst(408, 2), "HTTP status 408", &[0]),
        (Fault::BodyStatusOnce(502), "HTTP status 502", &[0, 0]),
        (Fault::DropAtFirst(2), "broke the connection off before it answered", &[0]),
        (Fault::CutOnce(120_000), "broke off after 120000 of 300000 bytes", &[0, 120_000]),
        (Fault::Short(120_000), "the body was short", &[0, 120_000]),
        // A server that cannot resume gives the whole, which is taken from its start.
        (Fault::CutAndNoRange(120_000), "broke off after 120000", &[0, 120_000]),
        (Fault::BodyOfOtherCommitOnce, "the hub lists the commit", &[0, 0]),
        // The address of another server ran out: the hub is asked for a new one.
        (Fault::RedirectRunsOut, "and gives HTTP status 403", &[0, 0, 0, 0]),
    ] {
        let (world, told) = (World::new(Sources::Hub), Told::default());
        let hub = world.hub(fault);
        let pulled = world.pull_quickly(&hub, LONG, &told);
        assert!(pulled.is_ok(), "{fault:?}: {pulled:?}");
        has(&told.text(), &[words, "trying again"]);
        let asked: Vec<usize> = hub.transfers();
        if fault != Fault::RedirectRunsOut {
            assert_eq!(asked, transfers, "{fault:?}");
        }
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes, "{fault:?}");
    }
}

#[test]
fn a_pause_that_the_hub_asks_for_is_kept_and_said() {
    for header in ["Retry-After: 1", "RateLimit: \"resolvers\";r=0;t=1"] {
        let world = World::new(Sources::Hub);
        let hub = world.hub(Fault::AskedToWait(429, header));
        let start = Instant::now();
        let pulled = world.run(Some(&hub), &["pull", "tiny"]).success();
        assert!(start.elapsed() >= Duration::from_secs(1), "{header}: {:?}", start.elapsed());
        has(&stderr(&pulled), &["HTTP status 429", "trying again in 1 s, as it asks"]);
    }
}

#[test]
fn a_body_that_stands_still_is_asked_for_again_from_where_it_stopped() {
    let (world, told) = (World::new(Sources::Hub), Told::default());
    let hub = world.hub(Fault::Halt(90_000));
    world.pull_quickly(&hub, Duration::from_millis(400), &told).unwrap();
    has(&told.text(), &["nothing came for 0 seconds; trying again"]);
    assert_eq!(hub.transfers(), [0, 90_000]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn tries_are_bounded_and_a_gain_starts_the_count_anew() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::HaltAlways(0));
    let start = Instant::now();
    let result = world.pull_quickly(&hub, Duration::from_millis(200), &Silent);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    match result {
        Err(Error::Unavailable { tried, .. }) => {
            assert!(matches!(tried[0].reason, SourceError::Stalled { .. }), "{tried:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(hub.transfers(), [0; 5]);
    world.assert_nothing_final();
    // Ten pieces are more than five tries, and each brings something.
    let world = World::with_bytes(Sources::Hub, 1_400_000);
    let hub = world.hub(Fault::Cut(140_000));
    world.pull_quickly(&hub, LONG, &Silent).unwrap();
    let steps: Vec<usize> = (0..10).map(|step| step * 140_000).collect();
    assert_eq!(hub.transfers(), steps);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn a_hub_that_answers_nothing_is_given_up() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Silent);
    let start = Instant::now();
    let result = world.pull_quickly(&hub, Duration::from_millis(600), &Silent);
    assert!(start.elapsed() < Duration::from_secs(10), "it was not waited for long");
    match result {
        Err(Error::Unavailable { tried, .. }) => {
            assert!(matches!(tried[0].reason, SourceError::Silent { .. }), "{tried:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(hub.requests().len(), 2, "it is asked once more");
    world.assert_nothing_final();
}

#[test]
fn a_pause_ends_when_the_user_asks_to_stop() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::AskedToWait(429, "Retry-After: 200"));
    let (told, start) = (Told { stops: true, ..Told::default() }, Instant::now());
    let result = world.pull_quickly(&hub, LONG, &told);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_refusal_is_not_asked_for_again() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::StatusFor(FILE, 403));
    assert!(world.pull_quickly(&hub, LONG, &Silent).is_err());
    assert_eq!(hub.requests().len(), 1);
}
