//! A server that runs while an administrator installs, goes back and decides: its client is told, and its calls go on.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, ProtocolVersion, ServerNotification, SubscriptionFilter};
use rmcp::service::{NotificationContext, Peer, RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ServiceExt};
use tokio::sync::mpsc;

use super::{example, patched};
use crate::program::{Home, PROGRAM, cache};

/// A client that keeps what it is told.
struct Told(mpsc::UnboundedSender<()>);

impl ClientHandler for Told {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.send(()).unwrap();
    }
}

type Client = RunningService<RoleClient, Told>;

/// The program, as a server for the agent `helper`.
fn server(home: &Home) -> TokioChildProcess {
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .args(["serve", "--stdio", "--agent", "helper"])
        .env("XDG_CACHE_HOME", cache())
        .env("PORTCULLIS_DATA_DIR", home.data())
        .env("USER", "ada")
        .env_remove("PORTCULLIS_KEY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("XDG_RUNTIME_DIR");
    TokioChildProcess::new(command).unwrap()
}

async fn serve(home: &Home) -> (Client, mpsc::UnboundedReceiver<()>) {
    let (sender, told) = mpsc::unbounded_channel();
    let client = Told(sender).serve(server(home)).await.unwrap();
    (client, told)
}

/// A store whose agent `helper` has the connector `hello`, of which a later version is at hand.
async fn with_hello() -> Arc<Home> {
    let home = Arc::new(Home::new());
    let hello = tokio::task::spawn_blocking(|| example("portcullis-sdk", "hello"))
        .await
        .unwrap();
    let later = patched(&hello, "\"version\": \"0.1.0\"", "\"version\": \"0.2.0\"");
    home.write("hello.wasm", &hello);
    home.write("later.wasm", &later);
    for arguments in [
        &["connector", "install", "hello.wasm"][..],
        &["connector", "accept", "hello", "--yes"],
        &["agent", "add", "helper"],
        &["agent", "give", "helper", "hello"],
    ] {
        must(&home, arguments).await;
    }
    home
}

async fn tools(client: &Client) -> Vec<String> {
    let tools = client.list_all_tools().await.unwrap();
    tools
        .into_iter()
        .map(|tool| tool.name.into_owned())
        .collect()
}

async fn echo(client: Peer<RoleClient>, text: &str) -> String {
    let mut request = CallToolRequestParams::new("echo");
    request.arguments = serde_json::json!({ "text": text }).as_object().cloned();
    let answer = client.call_tool(request).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_ne!(answer["isError"], true, "{answer}");
    answer["content"][0]["text"].as_str().unwrap().to_owned()
}

/// Waits until the client is told; the deadline is for a test that fails.
async fn hears(told: &mut mpsc::UnboundedReceiver<()>) {
    let heard = tokio::time::timeout(Duration::from_secs(60), told.recv()).await;
    assert_eq!(heard, Ok(Some(())), "the client is told");
}

async fn must(home: &Arc<Home>, arguments: &'static [&'static str]) -> String {
    let home = Arc::clone(home);
    tokio::task::spawn_blocking(move || home.must(arguments))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_when_versions_and_permissions_change_and_no_call_fails() {
    let home = with_hello().await;
    let (client, mut told) = serve(&home).await;
    assert_eq!(tools(&client).await, ["echo", "greet"]);
    let capabilities = serde_json::to_value(client.peer_info()).unwrap();
    assert_eq!(capabilities["capabilities"]["tools"]["listChanged"], true);
    // Calls are made all the while.
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let callers: Vec<_> = (0..8)
        .map(|caller: usize| {
            let (peer, stopped) = (client.peer().clone(), stopped.clone());
            tokio::spawn(async move {
                let mut made = 0;
                while !*stopped.borrow() {
                    let text = format!("{caller}-{made}");
                    assert_eq!(echo(peer.clone(), &text).await, text);
                    made += 1;
                }
                made
            })
        })
        .collect();
    must(&home, &["connector", "install", "later.wasm"]).await;
    hears(&mut told).await;
    must(&home, &["connector", "rollback", "hello"]).await;
    hears(&mut told).await;
    must(&home, &["connector", "install", "later.wasm"]).await;
    hears(&mut told).await;
    must(&home, &["allow", "helper", "greet", "off"]).await;
    hears(&mut told).await;
    assert_eq!(tools(&client).await, ["echo"]);
    must(&home, &["allow", "helper", "greet", "default"]).await;
    hears(&mut told).await;
    assert_eq!(tools(&client).await, ["echo", "greet"]);
    stop.send(true).unwrap();
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
    must(&home, &["agent", "take", "helper", "hello"]).await;
    hears(&mut told).await;
    assert!(tools(&client).await.is_empty());
    client.cancel().await.unwrap();
}

/// In protocol version 2026-07-28 a client asks to be told.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_listens_is_told() {
    let home = with_hello().await;
    let discover = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    let client = ().serve_with_lifecycle(server(&home), discover).await.unwrap();
    let wanted = SubscriptionFilter::builder().tools_list_changed().build();
    let mut subscription = client.listen(wanted).await.unwrap();
    must(&home, &["connector", "install", "later.wasm"]).await;
    let heard = tokio::time::timeout(Duration::from_secs(60), subscription.next()).await;
    let heard = heard.unwrap().unwrap();
    assert!(
        matches!(
            heard,
            Some(ServerNotification::ToolListChangedNotification(_))
        ),
        "{heard:?}"
    );
    client.cancel().await.unwrap();
}
