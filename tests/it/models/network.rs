//! Proxies and certificates between us and the hub.

use super::{Sources, World};
use crate::common::fake_hub::Fault;
use crate::common::fake_proxy::FakeProxy;
use crate::common::fake_tls::FakeTls;
use crate::common::said::{has, stderr};

// ---- proxies

#[test]
fn plain_http_goes_through_the_proxy_with_its_whole_address() {
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let world = World::new(Sources::Hub);
        let (hub, proxy) = (world.hub(Fault::None), FakeProxy::start(None));
        let mut command = world.command(Some(&hub), &["pull", "tiny"]);
        command.env(name, format!("http://{}", proxy.address())).assert().success();
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
        let passed = proxy.passed();
        assert_eq!(passed.len(), hub.requests().len(), "{name}: {passed:?}");
        let is_whole = |goal: &str| goal.starts_with(&format!("{}/owner/tiny/", hub.endpoint()));
        assert!(passed.len() >= 2 && passed.iter().all(|one| one.method == "GET" && is_whole(&one.goal)), "{passed:?}");
    }
}

#[test]
fn https_goes_through_the_proxy_in_a_tunnel() {
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let world = World::new(Sources::Hub);
        let (hub, proxy) = (world.hub(Fault::None), FakeProxy::start(None));
        let tls = FakeTls::before(hub.endpoint());
        std::fs::write(world.path("ca.pem"), tls.ca()).unwrap();
        let mut command = world.command(None, &["pull", "tiny"]);
        command.env("HF_ENDPOINT", tls.endpoint()).env("SSL_CERT_FILE", world.path("ca.pem"));
        // The one for plain http does not concern an https hub.
        command.env(name, proxy.address()).env("HTTP_PROXY", "http://127.0.0.1:9").assert().success();
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
        let (passed, goal) = (proxy.passed(), tls.endpoint().trim_start_matches("https://"));
        assert!(
            !passed.is_empty() && passed.iter().all(|one| one.method == "CONNECT" && one.goal == goal),
            "{passed:?}"
        );
    }
}

#[test]
fn what_no_proxy_names_is_reached_without_the_proxy() {
    for (name, value) in [("NO_PROXY", "localhost, 127.0.0.1"), ("no_proxy", "127.0.0.0/8"), ("NO_PROXY", "*")] {
        let world = World::new(Sources::Hub);
        let (hub, proxy) = (world.hub(Fault::None), FakeProxy::start(None));
        let mut command = world.command(Some(&hub), &["pull", "tiny"]);
        command.env("HTTP_PROXY", format!("http://{}", proxy.address())).env(name, value).assert().success();
        assert_eq!(proxy.passed(), [], "{name}={value}");
        assert!(!hub.requests().is_empty());
    }
}

#[test]
fn a_proxy_gets_its_password_and_is_named_where_it_lets_nobody_through() {
    // RFC 7617: base64 of `me:hush hush`.
    let wants = "Basic bWU6aHVzaCBodXNo";
    let world = World::new(Sources::Hub);
    let (hub, proxy) = (world.hub(Fault::None), FakeProxy::start(Some(wants)));
    let tls = FakeTls::before(hub.endpoint());
    let with_password = format!("http://me:hush%20hush@{}", proxy.address());
    world.command(Some(&hub), &["pull", "tiny"]).env("HTTP_PROXY", &with_password).assert().success();
    assert!(proxy.passed().iter().all(|one| one.authorization.as_deref() == Some(wants)), "{:?}", proxy.passed());
    assert!(hub.requests().iter().all(|request| request.authorization.is_none()), "it is the proxy's alone");
    let world = World::new(Sources::Hub);
    let refused = world.command(Some(&hub), &["pull", "tiny"]).env("HTTP_PROXY", proxy.address()).assert().code(3);
    has(&stderr(&refused), &["407", "http://NAME:PASSWORD@HOST:PORT"]);
    let mut command = world.command(None, &["pull", "tiny"]);
    command.env("HF_ENDPOINT", tls.endpoint()).env("HTTPS_PROXY", proxy.address());
    has(&stderr(&command.assert().code(3)), &["the proxy does not let us through", "407"]);
    world.assert_nothing_final();
}

#[test]
fn a_proxy_that_is_not_there_or_none_is_named() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    let proxy = "http://me:hush@127.0.0.1:9";
    let failed = world.command(Some(&hub), &["pull", "tiny"]).env("HTTP_PROXY", proxy).assert().code(3);
    has(&stderr(&failed), &["is not reachable (its proxy http://127.0.0.1:9: ", "refused"]);
    assert!(!stderr(&failed).contains("hush"), "a password is never shown");
    let failed = world.command(Some(&hub), &["pull", "tiny"]).env("HTTP_PROXY", "ftp://x").assert().code(2);
    has(&stderr(&failed), &["HTTP_PROXY: \"ftp://x\" is not the address of a proxy"]);
    assert_eq!(hub.requests().len(), 0);
}

// ---- certificates

#[test]
fn a_hub_with_a_certificate_of_its_own_needs_the_ca_file() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    let tls = FakeTls::before(hub.endpoint());
    std::fs::write(world.path("ca.pem"), tls.ca()).unwrap();
    let command = |args: &[&str]| {
        let mut command = world.command(None, args);
        command.env("HF_ENDPOINT", tls.endpoint());
        command
    };
    let failed = command(&["pull", "tiny"]).assert().code(3);
    has(&stderr(&failed), &["shows a certificate that is not trusted", "--ca-file FILE"]);
    world.assert_nothing_final();
    let other = FakeTls::before(hub.endpoint());
    std::fs::write(world.path("other.pem"), other.ca()).unwrap();
    let failed = command(&["pull", "tiny"]).env("SSL_CERT_FILE", world.path("other.pem")).assert().code(3);
    has(&stderr(&failed), &["shows a certificate that is not trusted"]);
    assert_eq!(hub.requests().len(), 0, "nothing is asked of a server that cannot prove who it is");
    let ca = world.path("ca.pem");
    for (flag, name) in [(true, ""), (false, "SSL_CERT_FILE"), (false, "REQUESTS_CA_BUNDLE"), (false, "CURL_CA_BUNDLE")]
    {
        let mut command = match flag {
            true => command(&["--ca-file", ca.to_str().unwrap(), "pull", "tiny"]),
            false => command(&["pull", "tiny"]),
        };
        if !flag {
            command.env(name, &ca);
        }
        command.assert().success();
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
        world.run(None, &["remove", "tiny"]).success();
    }
}

#[test]
fn a_ca_file_that_is_none_is_a_usage_error() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    let path = world.path("ca.pem");
    let failed = |content: Option<&str>| {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let failed = world.run(Some(&hub), &["--ca-file", path.to_str().unwrap(), "pull", "tiny"]).code(2);
        has(&stderr(&failed), &[&format!("{}: these certificates cannot be used: ", path.display()), "PEM"]);
        stderr(&failed)
    };
    has(&failed(None), &["No such file"]);
    has(&failed(Some("not a certificate")), &["it holds no certificate in PEM form"]);
    assert_eq!(hub.requests().len(), 0);
}
