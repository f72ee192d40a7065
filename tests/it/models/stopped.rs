//! Stopping, and two at once.

use std::process::Command;

use super::{Sources, World, wait_for};
use crate::common::fake_hub::Fault;
use crate::common::said::{has, stderr};

#[cfg(unix)]
#[test]
fn a_pull_that_is_stopped_or_killed_leaves_nothing_final_and_is_resumed() {
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(130)), ("KILL", None)] {
        let world = World::new(Sources::Hub);
        let slow = world.hub(Fault::Slow);
        let child = world.spawn(&slow, &["pull", "tiny"]);
        let staged = world.cache().join("mujaz/tiny/.hub/models--owner--tiny/blobs").join(&world.sha256);
        let part = staged.with_extension("part");
        wait_for("some bytes", || std::fs::metadata(&part).is_ok_and(|metadata| metadata.len() > 20_000));
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), code, "{signal}: {}", String::from_utf8_lossy(&ended.stderr));
        world.assert_nothing_final();
        let kept = usize::try_from(std::fs::metadata(&part).unwrap().len()).unwrap();
        assert!((20_000..300_000).contains(&kept), "{signal}");
        let hub = world.hub(Fault::None);
        world.run(Some(&hub), &["pull", "tiny"]).success();
        assert_eq!(hub.transfers(), [kept], "{signal}: what was there is not fetched twice");
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    }
}

#[test]
fn of_two_pulls_at_once_one_fetches_and_the_other_waits() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Slow);
    let first = world.spawn(&hub, &["pull", "tiny"]);
    wait_for("the first transfer", || !hub.transfers().is_empty());
    let second = world.run(Some(&hub), &["pull", "tiny"]).success();
    has(&stderr(&second), &["another process is fetching tiny, waiting for it", "already here, verified"]);
    assert!(first.wait_with_output().unwrap().status.success());
    assert_eq!(hub.transfers(), [0]);
}
