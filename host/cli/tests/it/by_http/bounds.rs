//! Who sends too much, too often or nonsense is refused, and nobody else is.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::Client;
use super::{HOST, client, connect, count};
use crate::public::{BASE, Place, Server};

/// What takes longer does not come.
const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    // A hundred are refused by what is said of them, and, where nothing is said, before all of it has come.
    let token = secrecy::ExposeSecret::expose_secret(ada.token.as_ref().unwrap()).to_owned();
    let head = |length: &str| {
        format!(
            "POST /mcp/helper HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\n{length}\r\n\r\n"
        )
    };
    for (length, part) in [
        ("content-length: 104857600", vec![b' '; 1 << 16]),
        (
            "transfer-encoding: chunked",
            [b"10000\r\n".to_vec(), vec![b' '; 1 << 16], b"\r\n".to_vec()].concat(),
        ),
    ] {
        let mut stream = TcpStream::connect(place.server.address).await.unwrap();
        stream.write_all(head(length).as_bytes()).await.unwrap();
        let (mut reads, mut writes) = stream.split();
        let mut answer = vec![0; 12];
        let sent = async {
            let mut sent = 0;
            while sent < 100 << 20 && writes.write_all(&part).await.is_ok() {
                sent += part.len();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = sent => {}
            read = tokio::time::timeout(LONG, reads.read_exact(&mut answer)) => { read.unwrap().unwrap(); }
        }
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413", "{length}");
        // Who sends no more than is too much is told how much is taken, and what to do.
        let mut stream = TcpStream::connect(place.server.address).await.unwrap();
        stream.write_all(head(length).as_bytes()).await.unwrap();
        if length.contains("chunked") {
            stream.write_all(&part.repeat(17)).await.unwrap();
        }
        let mut answer = Vec::new();
        while !answer.ends_with(b" file.") {
            let read = tokio::time::timeout(LONG, stream.read_buf(&mut answer)).await;
            assert!(
                read.unwrap().unwrap() > 0,
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 413"), "{length}: {answer}");
        assert!(
            answer.contains("1048576 bytes here. Send less"),
            "{length}: {answer}"
        );
    }
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_bad_json() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    let deep = "[".repeat(200_000);
    for bad in [
        "{",
        "",
        "null",
        "[]",
        "{}",
        "[{}]",
        "\u{0}",
        "{\"jsonrpc\": \"2.0\"}",
        "{\"jsonrpc\": \"1.0\", \"id\": 1, \"method\": \"ping\"}",
        "{\"jsonrpc\": \"2.0\", \"id\": {}, \"method\": \"ping\"}",
        "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": 7}",
        &deep,
        "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"tools/call\", \"params\": []}",
        "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"tools/call\", \"params\": {\"name\": \"query\", \"arguments\": \"x\"}}",
    ] {
        let mut new = ada.clone();
        new.session = None;
        for client in [&ada, &new] {
            let answer = client.post(&[], bad.to_owned()).await;
            let is_told =
                answer.status >= 400 && answer.status < 500 || answer.text.contains("\"error\"");
            assert!(is_told, "{bad:.60}: {} {}", answer.status, answer.text);
        }
    }
    let mut floods = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let ada = ada.clone();
        floods.spawn(async move {
            for _ in 0..25 {
                assert!(ada.post(&[], "{\"jsonrpc".to_owned()).await.status >= 400);
            }
        });
    }
    floods.join_all().await;
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_and_one_that_does_not_read() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    let token = secrecy::ExposeSecret::expose_secret(ada.token.as_ref().unwrap()).to_owned();
    let session = ada.session.clone().unwrap();
    let call = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "query", "arguments": {"soql": "SELECT Id, Name FROM Contact"}}});
    let request = format!(
        "POST /mcp/helper HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\nmcp-session-id: {session}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n{call}",
        call.to_string().len()
    );
    let mut open = Vec::new();
    for number in 0..60 {
        let mut stream = TcpStream::connect(place.server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        match number % 2 {
            0 => drop(stream),
            _ => open.push(stream),
        }
    }
    // A session of its own is another's business.
    let other = client(&place, "ada").await;
    assert_eq!(
        other.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
    drop(open);
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_a_system_gives_a_program_at_first() {
    let place = Place::new().await;
    let allowed = place.org.address().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", BASE];
    let asked = place
        .home
        .command("ada", &[&serve[..], &["--allow-origin", &allowed]].concat());
    let mut few = std::process::Command::new("sh");
    few.args(["-c", "ulimit -Sn 64 && exec \"$0\" \"$@\""])
        .arg(asked.get_program())
        .args(asked.get_args())
        .current_dir(place.home.folder.path());
    for (name, value) in asked.get_envs() {
        match value {
            Some(value) => few.env(name, value),
            None => few.env_remove(name),
        };
    }
    let server = Server::of(few);
    let mut open = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let asked = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        let read = tokio::time::timeout(LONG, stream.read_exact(&mut answer)).await;
        read.unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 200");
        open.push(stream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_of_a_person_and_of_strangers() {
    let place = Place::new().await;
    let more = ["--requests-per-minute", "5"];
    let server = Server::start(&place.home, &place.org, BASE, &more);
    let (ada, bob) = (place.token("ada").await, place.token("bob").await);
    let ada = Client::new(server.address, HOST, &ada);
    for _ in 0..5 {
        assert_eq!(ada.initialize().await.status, 200);
    }
    let refused = ada.initialize().await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    // Another of hers counts with it, and Bob's do not.
    let another = Client::new(server.address, HOST, &place.token("ada").await);
    assert_eq!(another.initialize().await.status, 429);
    let bob = Client::new(server.address, HOST, &bob);
    assert_eq!(bob.initialize().await.status, 200);
    // Strangers at one address are refused before their token is looked at, and those at another are not.
    let stranger = format!("pct_{}", "A".repeat(43)).into();
    let stranger = Client::new(server.address, HOST, &stranger);
    let from = async |from: &str| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
        stranger
            .post(&[("x-forwarded-for", from)], body)
            .await
            .status
    };
    for _ in 0..120 {
        assert_eq!(from("203.0.113.7").await, 401);
    }
    assert_eq!(from("203.0.113.7").await, 429);
    assert_eq!(from("203.0.113.8").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_for_nothing_is_told_what_is_wrong() {
    let place = Place::new().await;
    let ada = client(&place, "ada").await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    for (headers, status) in [
        (vec![("content-type", "text/plain")], 415),
        (vec![("accept", "application/json")], 406),
        (vec![("mcp-protocol-version", "1999-01-01")], 400),
    ] {
        assert_eq!(
            ada.post(&headers, body.clone()).await.status,
            status,
            "{headers:?}"
        );
    }
    assert_eq!(
        ada.request("PUT", &[], body.clone().into()).await.status,
        405
    );
    let mut new = ada.clone();
    new.session = None;
    assert_eq!(new.post(&[], body).await.status, 400);
    let unknown = ada
        .ask("tools/call", json!({"name": "nothing", "arguments": {}}))
        .await
        .message();
    assert_eq!(unknown["error"]["code"], Value::from(-32602));
}
