//! A new version takes over while calls are under way: those finish on the old one.

use std::time::Duration;

use portcullis::policy::Digest;
use portcullis::ports::audit::Event;
use portcullis::{BuiltIn, ComponentCache, InstallError, Limits, Reply};
use serde_json::json;

use crate::support::world::{Setup, call};
use crate::support::{World, component, done, ended, patched};

/// The digest of the version that a call ran.
fn ran(world: &World, reply: &Reply) -> Digest {
    match &world.records(reply)[0].event {
        Event::Opened(opened) => opened.component.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn newer(name: &str) -> Vec<u8> {
    patched(
        component(name),
        "\"version\": \"0.1.0\"",
        "\"version\": \"0.2.0\"",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_finishes_on_the_version_that_it_began_on() {
    let world = World::with(&["fetch"]).await;
    world.mode("fetch", "put", portcullis::policy::Mode::Allow);
    let old = world.host.connectors()[0].digest();
    // The service has done the change and keeps its answer back: the call is in the middle of its run.
    world.service.hold_answers();
    let host = world.host.clone();
    let running = tokio::spawn(async move {
        host.call(call("fetch", "put", json!({"id": "1", "name": "Old"})))
            .await
    });
    world.service.arrived(1).await;

    world.install_bytes(newer("fetch")).await;
    let connectors = world.host.connectors();
    assert_eq!(connectors.len(), 1);
    assert_eq!(connectors[0].manifest().version, "0.2.0");
    let new = connectors[0].digest();
    assert_ne!(new, old);
    // A call that begins now runs the new one, while the old one still runs.
    let reply = world
        .call("fetch", "get", json!({"path": "/record/1"}))
        .await;
    assert_eq!(ended(&reply), "done");
    assert_eq!(ran(&world, &reply), new);

    world.service.release();
    let reply = running.await.unwrap();
    assert_eq!(ended(&reply), "done", "{reply:?}");
    assert_eq!(ran(&world, &reply), old);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_through_many_changes_of_version() {
    let setup = Setup {
        limits: Limits {
            concurrent_calls_max: 8,
            wall_clock: Duration::from_secs(20),
            ..Limits::default()
        },
        ..Setup::default()
    };
    let world = World::new(setup, &["hello"]).await;
    let versions = [component("hello"), newer("hello")];
    let mut callers = Vec::new();
    for caller in 0..4 {
        let host = world.host.clone();
        callers.push(tokio::spawn(async move {
            for round in 0..100 {
                let text = format!("{caller}-{round}");
                let reply = host
                    .call(call("hello", "echo", json!({"text": text})))
                    .await;
                assert_eq!(done(reply).text, text);
            }
        }));
    }
    for round in 0..20 {
        world.install_bytes(versions[round % 2].clone()).await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(world.host.connectors().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_to_install_leaves_the_version_before() {
    let world = World::with(&["hello"]).await;
    let digest = world.host.connectors()[0].digest();
    let broken = patched(
        component("hello"),
        "\"version\": \"0.1.0\"",
        "\"version\": \"zero.\"",
    );
    let error = world.host.install(broken).await.unwrap_err();
    assert!(error.to_string().contains("/version"), "{error}");
    // Fetch declares a POST that reads: someone must accept it.
    let error = world.host.install(component("fetch")).await.unwrap_err();
    assert!(error.to_string().contains("/search"), "{error}");
    let connectors = world.host.connectors();
    assert_eq!(connectors.len(), 1);
    assert_eq!(connectors[0].digest(), digest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_sandbox_inspected_is_not_run_in_another() {
    let [one, other] = [World::with(&[]).await, World::with(&[]).await];
    let inspected = one.host.inspect(component("hello")).await.unwrap();
    let error = other.host.activate_accepted(inspected).unwrap_err();
    assert!(matches!(error, InstallError::OtherSandbox), "{error:?}");
    assert!(other.host.connectors().is_empty());
    let inspected = other.host.inspect(component("hello")).await.unwrap();
    other.host.activate_accepted(inspected).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_alone_accepts_no_operation_of_a_service() {
    let world = World::with(&[]).await;
    let inspect = async || {
        let salesforce = component("portcullis_salesforce");
        world.host.inspect(salesforce).await.unwrap()
    };
    let inspected = inspect().await;
    let manifest = inspected.connector().manifest();
    let posts = manifest.posts_declared_read();
    let paths: Vec<String> = posts.iter().map(|route| route.path.clone()).collect();
    let words: Vec<String> = posts.iter().map(|route| route.accepted_as()).collect();
    let error = world.host.activate(inspected, &paths).unwrap_err();
    let InstallError::NeedsAcceptance(missing) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(missing, &words);
    let query = "POST /services/Soap/u/{version} ({urn:partner.soap.sforce.com}query)";
    assert!(error.to_string().contains(query), "{error}");
    world.host.activate(inspect().await, &words).unwrap();
}

/// A component that is part of the program: taken by its digest, which must be its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_built_in_component_is_the_one_of_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let cache = || ComponentCache::in_folder(folder.path().join("cache")).unwrap();
    let setup = || Setup {
        cache: cache(),
        ..Setup::default()
    };
    let bytes: &'static [u8] = component("hello").leak();
    let digest = Digest::of(bytes);
    let world = World::new(setup(), &[]).await;
    let other = BuiltIn {
        bytes,
        digest: Digest::of(b"another"),
    };
    let error = world.host.inspect_built_in(other).await.unwrap_err();
    assert!(matches!(error, InstallError::Digest(_)), "{error:?}");
    let nothing = BuiltIn {
        bytes: b"nothing",
        digest: Digest::of(b"nothing"),
    };
    let error = world.host.inspect_built_in(nothing).await.unwrap_err();
    assert!(matches!(error, InstallError::NotAComponent(_)), "{error:?}");
    let built_in = BuiltIn { bytes, digest };
    let inspected = world.host.inspect_built_in(built_in).await.unwrap();
    assert_eq!(inspected.connector().digest(), digest);
    // Once it is compiled, its bytes are not read any more.
    let unread = BuiltIn { bytes: b"", digest };
    let later = World::new(setup(), &[]).await;
    let inspected = later.host.inspect_built_in(unread).await.unwrap();
    assert_eq!(inspected.connector().manifest().name.as_str(), "hello");
}
