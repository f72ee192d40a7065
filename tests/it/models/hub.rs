//! A hub that does its work, with redirects and with what was left by others.

use super::{Sources, World};
use crate::common::fake_hub::Fault;
use crate::common::said::{has, stderr};

#[test]
fn a_pull_from_the_hub_lands_in_the_shared_cache_and_is_not_repeated() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    let pulled = world.run(Some(&hub), &["pull", "tiny"]).success().stdout("");
    has(&stderr(&pulled), &["tiny is under Tiny Terms (https://example.org/terms): nothing.", "fetched and verified"]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    let blob = world.cache().join("hub/models--owner--tiny/blobs").join(&world.sha256);
    assert_eq!(std::fs::canonicalize(world.hub_path()).unwrap(), std::fs::canonicalize(blob).unwrap());
    let asked = hub.requests().len();
    let again = world.run(Some(&hub), &["pull", "tiny"]).success();
    has(&stderr(&again), &["already here, verified"]);
    assert!(!stderr(&again).contains("Tiny Terms"), "the licence is said at the first pull");
    assert_eq!(hub.requests().len(), asked, "nothing was asked again");
    world.run(None, &["path", "tiny"]).success().stdout(format!("{}\n", world.hub_path().display()));
    assert!(!world.cache().join("mujaz/tiny/.hub").exists(), "no staging folder is left");
}

#[test]
fn a_redirect_to_another_address_is_followed() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Redirect);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    assert!(hub.requests().iter().any(|request| request.path == "/cdn/tiny.gguf"));
}

#[test]
fn a_token_goes_to_the_hub_and_to_no_other_server() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::RedirectElsewhere);
    world.command(Some(&hub), &["pull", "tiny"]).env("HF_TOKEN", "hf_secret").assert().success();
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    let (elsewhere, here): (Vec<_>, Vec<_>) =
        hub.requests().into_iter().partition(|request| request.path.starts_with("/cdn/"));
    assert!(!elsewhere.is_empty() && elsewhere.iter().all(|request| request.authorization.is_none()), "{elsewhere:?}");
    assert!(!here.is_empty() && here.iter().all(|request| request.authorization.is_some()), "{here:?}");
}

#[test]
fn a_token_is_sent_from_the_variable_and_from_the_file() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Status(404));
    std::fs::create_dir_all(world.cache()).unwrap();
    std::fs::write(world.cache().join("token"), "hf_file\n").unwrap();
    world.run(Some(&hub), &["pull", "tiny"]).code(3);
    world.command(Some(&hub), &["pull", "tiny"]).env("HF_TOKEN", "hf_var").assert().code(3);
    let sent: Vec<_> = hub.requests().into_iter().filter_map(|request| request.authorization).collect();
    assert_eq!(sent, ["Bearer hf_file", "Bearer hf_var"]);
}

#[test]
fn a_stale_half_with_other_bytes_does_not_spoil_the_file() {
    let world = World::new(Sources::Hub);
    let staged = world.cache().join("mujaz/tiny/.hub/models--owner--tiny/blobs");
    for stale in [b"x".repeat(1000), b"x".repeat(300_000), b"x".repeat(400_000)] {
        std::fs::create_dir_all(&staged).unwrap();
        std::fs::write(staged.join(format!("{}.part", world.sha256)), &stale).unwrap();
        let hub = world.hub(Fault::None);
        world.run(Some(&hub), &["pull", "tiny"]).success();
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes, "{} stale bytes", stale.len());
        world.run(None, &["remove", "tiny"]).success();
    }
}

#[test]
fn a_transfer_that_only_missed_its_last_step_is_not_repeated() {
    let world = World::new(Sources::Hub);
    let staged = world.cache().join("mujaz/tiny/.hub/models--owner--tiny/blobs");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join(format!("{}.part", world.sha256)), &world.bytes).unwrap();
    let hub = world.hub(Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(hub.transfers(), [0; 0]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn a_hub_that_refuses_connections_is_named_with_all_ways_out() {
    let world = World::new(Sources::Hub);
    let failed = world.run(None, &["pull", "tiny"]).code(3);
    has(&stderr(&failed), &["http://127.0.0.1:9 is not reachable", "refused", "HTTPS_PROXY", "HF_ENDPOINT", "by hand"]);
    let failed = world.command(None, &["pull", "tiny"]).env("HF_ENDPOINT", "http://no.such.host.invalid").assert();
    has(&stderr(&failed.code(3)), &["http://no.such.host.invalid is not reachable"]);
}

#[test]
fn a_blob_that_another_client_brought_is_linked_and_not_fetched() {
    let world = World::new(Sources::Hub);
    let blob = world.cache().join("hub/models--owner--tiny/blobs").join(&world.sha256);
    std::fs::create_dir_all(blob.parent().unwrap()).unwrap();
    std::fs::write(&blob, &world.bytes).unwrap();
    let hub = world.hub(Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(hub.transfers(), [0; 0]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    // One with other bytes under the same name is replaced.
    world.run(None, &["remove", "tiny"]).success();
    std::fs::create_dir_all(blob.parent().unwrap()).unwrap();
    std::fs::write(&blob, vec![7; world.bytes.len()]).unwrap();
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(hub.transfers(), [0]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}
