//! Lists that come in pages, as a client asks for them one after the other; and what a server that gives less than all has of them.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use portcullis_server::{Served, Server};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};

use crate::support::world::{AGENT, PERSON};
use crate::support::{World, name};

struct Client {
    input: WriteHalf<DuplexStream>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
}

impl Client {
    async fn begin(served: Served) -> Self {
        let world = World::with(&["contents"]).await;
        let server = Server::new(world.host.clone(), name(AGENT), name(PERSON), served);
        let (here, there) = tokio::io::duplex(64 << 10);
        let (reader, writer) = tokio::io::split(there);
        tokio::spawn(server.serve(reader, writer));
        let (reader, input) = tokio::io::split(here);
        let output = BufReader::new(reader).lines();
        let mut client = Self { input, output };
        let me = json!({"name": "test", "version": "1"});
        let begin = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": me});
        client.ask("initialize", begin).await;
        client
            .send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        client
    }

    async fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
            .await;
        let line = self.output.next_line().await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Asks for all pages, and gives the names on each.
    async fn pages(&mut self, method: &str, member: &str) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut asked = json!({});
        loop {
            let listed = self.ask(method, asked).await["result"].clone();
            let items = listed[member].as_array().unwrap().iter();
            pages.push(
                items
                    .map(|item| item["name"].as_str().unwrap().to_owned())
                    .collect(),
            );
            if listed["nextCursor"].is_null() {
                return pages;
            }
            asked = json!({ "cursor": listed["nextCursor"] });
        }
    }
}

const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
    ("prompts/list", "prompts"),
];

#[tokio::test]
async fn every_list_comes_whole_in_pages() {
    let mut whole = Client::begin(Served::default()).await;
    let mut paged = Client::begin(Served {
        page_items: NonZeroUsize::new(1),
        ..Served::default()
    })
    .await;
    for (method, member) in LISTS {
        let whole = whole.pages(method, member).await;
        assert_eq!(whole.len(), 1, "{method}");
        let pages = paged.pages(method, member).await;
        assert!(
            pages.len() > 1 && pages.iter().all(|page| page.len() == 1),
            "{pages:?}"
        );
        assert_eq!(pages.concat(), whole[0], "{method}");
        let wrong = paged.ask(method, json!({"cursor": "made up"})).await;
        assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
    }
}

#[tokio::test]
async fn what_is_not_served_is_neither_listed_nor_read() {
    let mut client = Client::begin(Served {
        toolsets: Some(BTreeSet::from(["other".to_owned()])),
        ..Served::default()
    })
    .await;
    for (method, member) in LISTS {
        let pages = client.pages(method, member).await;
        assert_eq!(pages.concat(), [""; 0], "{method}");
    }
    let uri = json!({"uri": "test://static-text"});
    let read = client.ask("resources/read", uri).await;
    assert_eq!(read["error"]["code"], -32002, "{read}");
}
