//! A hub that refuses, lies or serves something else: what is said, and that nothing is left.

use super::{Sources, World};
use crate::common::fake_hub::{FILE, Fault, REVISION};
use crate::common::said::{has, stderr};

/// Runs one case a thread: those that are tried again take seconds each.
fn at_once<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| run(case));
        }
    });
}

#[test]
fn every_refusal_says_what_to_do_and_leaves_nothing() {
    let cases = [
        (Fault::Status(401), &["401", "private or gated", "set HF_TOKEN"][..]),
        (Fault::Status(403), &["403", "accept the licence at", "/owner/tiny with the account"]),
        (Fault::Status(404), &["404", REVISION, FILE, "HF_ENDPOINT"]),
        (Fault::Status(407), &["HTTP status 407", "http://NAME:PASSWORD@HOST:PORT"]),
        (Fault::Status(408), &["HTTP status 408", "trying again"]),
        (Fault::Status(500), &["HTTP status 500", "trying again"]),
        (Fault::Status(429), &["HTTP status 429", "trying again"]),
        (Fault::AskedToWait(429, "Retry-After: 3600"), &["HTTP status 429", "asks for a pause of 3600 seconds"]),
        (
            Fault::Refused(401, "GatedRepo"),
            &["/owner/tiny is gated (401)", "accept the licence at", "/settings/tokens"],
        ),
        (Fault::Refused(401, "RepoNotFound"), &["/owner/tiny is private or does not exist (401)", "set HF_TOKEN"]),
        (Fault::Refused(404, "RevisionNotFound"), &["does not have this revision (404)", "a mirror may lag behind"]),
        (Fault::Refused(404, "EntryNotFound"), &["the revision has no such file (404)", "check its path"]),
        (Fault::ErrorPage, &["is not this file of a model hub", "has no etag header"]),
        (Fault::WrongCommit, &["is not this file of a model hub", "ffffffff"]),
        (Fault::PathAsEtag, &["is not this file of a model hub", "escaped"]),
        (Fault::RedirectLoop, &["is not this file of a model hub", "it redirects without end"]),
        (Fault::RedirectNowhere, &["is not this file of a model hub", "it redirects to nowhere"]),
        (Fault::DressedPage, &["is not this file of a model hub", "it answers with a web page"]),
        (Fault::WrongLinkedSize, &["it lists 300001 bytes and gives 300000"]),
        (Fault::WrongSize, &["expected 300000 bytes, got 300001"]),
        (Fault::WrongEtag, &["expected SHA-256", "got eeeeeeee"]),
        (Fault::WrongBytes, &["expected SHA-256", "got ", "it was removed"]),
        (Fault::Long, &["expected 300000 bytes, got 300008"]),
        (Fault::Cut(0), &["broke off after 0 of 300000 bytes", "trying again"]),
        // The listing is right, and what is then given is not.
        (Fault::BodyStatusFor(FILE, 500), &["HTTP status 500", "trying again"]),
        (Fault::BodyStatusFor(FILE, 404), &["repository, revision or file not found (404)"]),
        (Fault::BodyPage, &["the hub lists the file", "and gives a web page", "trying again"]),
        (Fault::BodyOfOtherSize, &["the hub lists 300000 bytes", "and gives 300001", "trying again"]),
        (Fault::BodyOfOtherEtag, &["the hub lists the etag", "and gives \"dddd", "trying again"]),
        (Fault::BodyOfOtherCommit, &["the hub lists the commit", "and gives \"ffff", "trying again"]),
    ];
    at_once(&cases, |(fault, words)| {
        let world = World::new(Sources::Hub);
        let hub = world.hub(*fault);
        let failed = world.run(Some(&hub), &["pull", "tiny"]).code(3).stdout("");
        let said = stderr(&failed);
        has(&said, words);
        has(&said, &["error: model tiny: no source gave tiny.gguf: hub owner/tiny: ", "copy the file by hand to "]);
        has(&said, &[&world.own_path().display().to_string(), &world.sha256]);
        assert!(!said.contains("panicked"), "{fault:?}: {said}");
        world.assert_nothing_final();
        let escaped = world.home.path().parent().unwrap().join("escaped");
        assert!(!escaped.exists() && !world.path("escaped").exists(), "{fault:?}");
        if matches!(fault, Fault::WrongEtag | Fault::WrongSize | Fault::WrongCommit) {
            assert_eq!(hub.transfers(), [0; 0], "{fault:?}: a file known to be wrong is not fetched");
            assert_eq!(hub.requests().len(), 1, "{fault:?}: it would list the same again");
        }
    });
}

#[test]
fn who_has_a_token_is_told_what_it_lacks() {
    let cases = [
        (Fault::Status(401), &["the token in HF_TOKEN is not accepted"][..]),
        (
            Fault::Refused(403, "GatedRepo"),
            &["is gated (403)", "with the account that HF_TOKEN belongs to", "fine-grained"],
        ),
        (Fault::Refused(404, "RepoNotFound"), &["does not exist (404)", "the account that HF_TOKEN belongs to"]),
    ];
    for (fault, words) in cases {
        let world = World::new(Sources::Hub);
        let hub = world.hub(fault);
        let failed = world.command(Some(&hub), &["pull", "tiny"]).env("HF_TOKEN", "hf_secret").assert().code(3);
        has(&stderr(&failed), words);
        assert!(!stderr(&failed).contains("hf_secret"), "a token is never shown");
    }
}
