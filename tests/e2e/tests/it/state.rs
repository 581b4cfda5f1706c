//! An instance a call: nothing survives from one to the next.

use serde_json::json;

use crate::support::{World, call, done, ended};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_survives_from_one_call_to_the_next() {
    let world = World::with(&["state", "trap", "hog"]).await;
    // Many times over every slot of the pool, so that memory is used again.
    for round in 0..300 {
        let arguments = json!({"text": format!("secret of {round}")});
        let output = done(world.call("state", "remember", arguments).await);
        let kept = output.structured.unwrap();
        assert_eq!(kept, json!({"calls": 1, "before": null}), "round {round}");
        if round % 50 == 0 {
            // Neither after calls that ended in the middle, nor after one that filled its memory.
            let reply = world.call("trap", "trap", json!({"how": "abort"})).await;
            assert_eq!(ended(&reply), "failed trapped");
            let reply = world.call("hog", "hog", json!({})).await;
            assert_eq!(ended(&reply), "failed memory_limit");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_passes_between_calls_at_the_same_time() {
    let world = World::with(&["state"]).await;
    for round in 0..10 {
        let mut running = Vec::new();
        for at in 0..40 {
            let host = world.host.clone();
            let arguments = json!({"text": format!("secret of {round}, {at}")});
            let call = call("state", "remember", arguments);
            running.push(tokio::spawn(async move { host.call(call).await }));
        }
        for reply in running {
            let output = done(reply.await.unwrap());
            let kept = output.structured.unwrap();
            assert_eq!(kept, json!({"calls": 1, "before": null}));
        }
    }
}
