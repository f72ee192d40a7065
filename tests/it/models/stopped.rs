//! Stopping, and two at once.

use std::io::{BufRead, BufReader, Read};
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
    let waits = format!("another process ({}) is fetching tiny, waiting for it", first.id());
    has(&stderr(&second), &[&waits, "already here, verified"]);
    assert!(first.wait_with_output().unwrap().status.success());
    assert_eq!(hub.transfers(), [0]);
}

#[test]
fn a_model_that_is_being_fetched_is_not_removed_before_it_is_here() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Slow);
    let pull = world.spawn(&hub, &["pull", "tiny"]);
    wait_for("the transfer", || !hub.transfers().is_empty());
    let removed = world.run(None, &["remove", "tiny"]).success();
    let waits = format!("another process ({}) is fetching tiny, waiting for it", pull.id());
    has(&stderr(&removed), &[&waits, "tiny: removed, "]);
    let pulled = pull.wait_with_output().unwrap();
    assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
    world.assert_nothing_final();
    assert!(!world.cache().join("mujaz").exists(), "nothing of it is left");
    has(&stderr(&world.run(None, &["remove", "tiny"]).success()), &["tiny: nothing here to remove"]);
}

#[cfg(unix)]
#[test]
fn waiting_for_another_process_can_be_stopped() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Pieces(2048, 30));
    let pull = world.spawn(&hub, &["pull", "tiny"]);
    wait_for("the transfer", || !hub.transfers().is_empty());
    let mut remove = world.spawn(&hub, &["remove", "tiny"]);
    let (mut told, mut said) = (BufReader::new(remove.stderr.take().unwrap()), String::new());
    told.read_line(&mut said).unwrap();
    has(&said, &["is fetching tiny, waiting for it"]);
    assert!(Command::new("kill").args(["-s", "INT", &remove.id().to_string()]).status().unwrap().success());
    told.read_to_string(&mut said).unwrap();
    assert_eq!(remove.wait().unwrap().code(), Some(130), "{said}");
    has(&said, &["stopped on request"]);
    assert!(pull.wait_with_output().unwrap().status.success());
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}
