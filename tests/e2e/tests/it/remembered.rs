//! A component that was inspected before is taken as it was found, by the very program that found it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis::{ComponentCache, Connector};
use serde_json::json;

use crate::support::world::Setup;
use crate::support::{World, done};

/// Makes a host that keeps its components there.
async fn world(cache: &Path) -> World {
    let cache = ComponentCache::in_folder(cache).unwrap();
    let setup = Setup {
        cache,
        ..Setup::default()
    };
    World::new(setup, &["fetch"]).await
}

fn connector(world: &World) -> Arc<Connector> {
    world.host.connectors().remove(0)
}

/// Everything that a host knows of a connector.
fn known(connector: &Connector) -> String {
    let tools = connector.tools().iter().map(|tool| {
        let schemas = json!([tool.input_schema, tool.output_schema]);
        format!(
            "{} {} {} {} {:?} {} {schemas}\n",
            tool.name, tool.title, tool.description, tool.toolset, tool.effect, tool.idempotent
        )
    });
    let tools: String = tools.collect();
    let (manifest, imports) = (connector.manifest(), connector.imports());
    format!("{manifest:?}\n{imports:?}\n{}\n{tools}", connector.digest())
}

/// The file of what was said.
fn said(cache: &Path) -> PathBuf {
    let entries = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap());
    let mut said: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

/// Puts other words of the same length into the file, and its checksum behind it where that is to fit.
fn alter(path: &Path, from: &str, to: &str, fits: bool) {
    let bytes = fs::read(path).unwrap();
    let (said, checksum) = bytes.split_last_chunk::<4>().unwrap();
    let altered = std::str::from_utf8(said).unwrap().replace(from, to);
    assert_ne!(altered.as_bytes(), said);
    let checksum = match fits {
        true => crc32fast::hash(altered.as_bytes()).to_be_bytes(),
        false => *checksum,
    };
    fs::remove_file(path).unwrap();
    fs::write(path, [altered.as_bytes(), &checksum].concat()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_has_what_the_first_found_out() {
    let cache = tempfile::tempdir().unwrap();
    let first = world(cache.path()).await;
    let found = known(&connector(&first));

    let second = world(cache.path()).await;
    assert_eq!(known(&connector(&second)), found);
    let reply = second
        .call("fetch", "get", json!({ "path": "/record/1" }))
        .await;
    done(reply);

    // That it comes from the file shows in one that says otherwise.
    let title = connector(&first).tools()[0].title.clone();
    alter(&said(cache.path()), &title, &"x".repeat(title.len()), true);
    let third = world(cache.path()).await;
    assert_eq!(connector(&third).tools()[0].title, "x".repeat(title.len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_whole_is_found_out_again() {
    let cache = tempfile::tempdir().unwrap();
    let first = world(cache.path()).await;
    let found = known(&connector(&first));
    let title = connector(&first).tools()[0].title.clone();
    alter(&said(cache.path()), &title, &"x".repeat(title.len()), false);
    assert_eq!(known(&connector(&world(cache.path()).await)), found);

    // Whole, and of another form, as another version of the program could have written it.
    for (from, to) in [
        ("\"tools\"", "\"looks\""),
        ("\\\"routes\\\"", "\\\"ruotes\\\""),
    ] {
        alter(&said(cache.path()), from, to, true);
        assert_eq!(
            known(&connector(&world(cache.path()).await)),
            found,
            "{from}"
        );
    }
}

/// Another build may put its file there while the program runs: the times of the one that runs change, or it is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_whose_file_changes_while_it_runs_is_the_same_build() {
    let cache = tempfile::tempdir().unwrap();
    let first = world(cache.path()).await;
    let found = known(&connector(&first));
    let program = std::env::current_exe().unwrap();
    let beside = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
    // One more name of a file is a change of it.
    fs::hard_link(&program, beside.path().join("another")).unwrap();
    assert_eq!(known(&connector(&world(cache.path()).await)), found);
    said(cache.path());
}
