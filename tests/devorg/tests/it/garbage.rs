//! Any bytes at all, over a raw socket: an error in Salesforce's shape or, for what is no HTTP, a closed
//! connection. Never a panic, which would close the connection of a request that is HTTP, and never a hang.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use salesforce_devorg::{DevOrg, Options};
use serde_json::Value as Json;
use tokio::runtime::Runtime;

/// What no answer may take; far more than any does on a machine with much else to do.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// Paths of every family, of this version and of others; `*` is where the bytes go.
const PATHS: &[&str] = &[
    "/*",
    "/services/*",
    "/services/data/*",
    "/services/data/*/sobjects",
    "/services/data/v68.0/*",
    "/services/data/v68.0/limits?*",
    "/services/data/v68.0/query?q=*",
    "/services/data/v68.0/query?explain=*",
    "/services/data/v68.0/queryAll?q=SELECT+Id+FROM+Account+WHERE+*",
    "/services/data/v68.0/query/*",
    "/services/data/v68.0/search?q=FIND+*",
    "/services/data/v68.0/parameterizedSearch?q=*",
    "/services/data/v68.0/recent?limit=*",
    "/services/data/v68.0/sobjects/*",
    "/services/data/v68.0/sobjects/*/describe",
    "/services/data/v68.0/sobjects/Account",
    "/services/data/v68.0/sobjects/Account/*",
    "/services/data/v68.0/sobjects/Account/updated?start=*&end=*",
    "/services/data/v68.0/sobjects/Account/deleted?start=*&end=*",
    "/services/data/v68.0/sobjects/Account/listviews/*/results",
    "/services/data/v68.0/sobjects/Measurement__c/External_Key__c/*",
    "/services/data/v68.0/sobjects/Measurement__c/*/*",
    "/services/data/v68.0/sobjects/ContentVersion/*/VersionData",
    "/services/data/v68.0/composite",
    "/services/data/v68.0/composite/batch",
    "/services/data/v68.0/composite/graph",
    "/services/data/v68.0/composite/tree/*",
    "/services/data/v68.0/composite/sobjects?ids=*",
    "/services/data/v68.0/composite/sobjects/Account/*",
    "/services/data/v68.0/jobs/ingest",
    "/services/data/v68.0/jobs/ingest/*",
    "/services/data/v68.0/jobs/ingest/*/batches",
    "/services/data/v68.0/jobs/query/*/results?locator=*&maxRecords=*",
    "/services/data/v68.0/analytics/reports/*",
    "/services/data/v68.0/actions/standard/*",
    "/services/data/v68.0/process/approvals",
    "/services/data/v68.0/ui-api/object-info/*/picklist-values/*/*",
    "/services/Soap/u/50.0",
    "/services/Soap/u/*",
    "/services/oauth2/*",
    "/services/oauth2/token?*",
    "/services/oauth2/authorize?client_id=*&redirect_uri=*",
    "/services/oauth2/introspect",
    "/services/oauth2/revoke",
    "/services/oauth2/userinfo?access_token=*",
    "/id/*/*",
    "/.well-known/*",
];

const METHODS: &[&str] = &["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "*"];

/// Headers that somebody reads; `*` is where the bytes go.
const HEADERS: &[&str] = &[
    "Authorization: *",
    "Authorization: Bearer *",
    "Content-Type: *",
    "Accept: *",
    "If-Modified-Since: *",
    "If-Unmodified-Since: *",
    "If-Match: *",
    "Sforce-Query-Options: batchSize=*",
    "Sforce-Call-Options: client=*",
    "Sforce-Duplicate-Rule-Header: *",
    "Sforce-Auto-Assign: *",
    "X-PrettyPrint: *",
    "X-HTTP-Method-Override: *",
    "Cookie: *",
    "*: x",
    "*",
];

const KINDS: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data; boundary=b",
    "text/csv",
    "text/xml",
];

/// Beginnings of bodies that are read far before they are found wrong.
const BODIES: &[&str] = &[
    "",
    "{\"Name\": \"x\", ",
    "{\"records\": [{\"attributes\": {\"type\": \"Account\"}, \"Name\": ",
    "{\"compositeRequest\": [{\"method\": \"GET\", \"url\": \"",
    "{\"operation\": \"insert\", \"object\": \"",
    "Name,Phone\n\"",
    "grant_type=authorization_code&code=",
    "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=",
    "--b\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n\r\n",
    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body><",
];

/// One org for every case; it lives as long as the process does.
static ORG: LazyLock<(Runtime, DevOrg)> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let today = Some("2026-11-23".parse().unwrap());
    let options = Options {
        today,
        ..Options::default()
    };
    let org = runtime.block_on(DevOrg::start(options)).unwrap();
    (runtime, org)
});

/// An answer's status, head and body.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

/// Whether more of a request may come.
#[derive(PartialEq)]
enum Then {
    /// The client waits for the answer.
    Wait,
    /// The client has ended, as one does whose bytes are perhaps the beginning of a request.
    End,
}

/// Sends bytes on a connection of their own and reads to its end; `None` where nothing comes.
fn exchange(bytes: &[u8], then: Then) -> Option<Answer> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(ORG.1.address()).unwrap();
    stream.set_read_timeout(Some(ANSWERED_WITHIN)).unwrap();
    stream.set_write_timeout(Some(ANSWERED_WITHIN)).unwrap();
    // The server may have refused, and closed, before all of it is sent.
    let _ = stream.write_all(bytes);
    if then == Then::End {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        // What closes with bytes unread resets; that is no hang.
        assert_eq!(
            error.kind(),
            std::io::ErrorKind::ConnectionReset,
            "{error}: {}",
            bytes.escape_ascii()
        );
    }
    assert!(
        begun.elapsed() < ANSWERED_WITHIN,
        "{}",
        bytes.escape_ascii()
    );
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Answer {
        status,
        head,
        body: answer[end + 4..].to_vec(),
    })
}

/// Checks that an answer is no failure of the org's own and, where it refuses, that it does as Salesforce does.
fn assert_in_shape(path: &str, answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    if path.starts_with("/services/Soap/") && answer.status == 500 {
        assert!(text.contains("faultcode"), "{path} {answer:?}");
        return;
    }
    assert!(answer.status < 500, "{path} {answer:?}");
    if answer.status < 400 {
        return;
    }
    let json: Json = serde_json::from_str(&text).unwrap_or_default();
    let rest = json[0]["errorCode"].is_string() && json[0]["message"].is_string();
    let oauth = path.starts_with("/services/oauth2/")
        && (json["error"].is_string() || text.contains("<html") || text.ends_with("_OAuth_Token"));
    let identity = path.starts_with("/id/") && text.ends_with("_OAuth_Token");
    assert!(rest || oauth || identity, "{path} {} {text}", answer.head);
}

/// Writes bytes into a path: as they are where they may be, and as `%XX` elsewhere.
fn in_path(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!$'()+,;:@/&=".contains(&byte);
    let written = |byte: &u8| match plain(*byte) {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    bytes.iter().map(written).collect()
}

/// Bytes of every kind, or of those that languages here give a meaning to.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..most),
        prop::collection::vec(
            prop::sample::select(b"{}[]()<>\"'\\/,:;=&%?*-+_.\r\n\t 0aZ\0\xff".to_vec()),
            0..most
        ),
        "[ -~é漢\u{202e}]{0,40}".prop_map(String::into_bytes),
    ]
}

fn replaced(template: &str, bytes: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = template.split('*').map(str::as_bytes).collect();
    parts.join(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The request is HTTP, so that there has to be an answer.
    #[test]
    fn any_path_and_body_are_answered(
        path in prop::sample::select(PATHS),
        method in prop::sample::select(&METHODS[..6]),
        kind in prop::sample::select(KINDS),
        start in prop::sample::select(BODIES),
        signed_in in prop::bool::weighted(0.9),
        in_the_path in bytes(30),
        body in bytes(200),
    ) {
        let path = path.replace('*', &in_path(&in_the_path));
        let body = [start.as_bytes(), &body].concat();
        let token = if signed_in { &ORG.1.users()[0].access_token } else { "nothing" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = exchange(&[head.as_bytes(), &body].concat(), Then::Wait);
        let answer = answer.unwrap_or_else(|| unreachable!("no answer: {head}{}", body.escape_ascii()));
        assert_in_shape(&path, &answer);
    }

    /// The bytes may break the request's own syntax, and then the connection is closed.
    #[test]
    fn any_header_is_answered_or_closed(
        path in prop::sample::select(PATHS),
        method in prop::sample::select(METHODS),
        header in prop::sample::select(HEADERS),
        raw_path in any::<bool>(),
        garbage in bytes(60),
    ) {
        let token = &ORG.1.users()[0].access_token;
        let target = if raw_path { replaced(path, &garbage) } else { path.replace('*', "x").into_bytes() };
        let head = format!("HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n");
        let method = replaced(method, &garbage);
        let header = replaced(header, &garbage);
        let request = [&*method, b" ", &*target, b" ", head.as_bytes(), &header, b"\r\n\r\n"].concat();
        if let Some(answer) = exchange(&request, Then::Wait) {
            assert_http_or_in_shape(&answer);
        }
    }

    #[test]
    fn any_bytes_are_answered_or_closed(garbage in bytes(400)) {
        if let Some(answer) = exchange(&garbage, Then::End) {
            assert_http_or_in_shape(&answer);
        }
        let still = b"GET /services/data HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        prop_assert_eq!(exchange(still, Then::Wait).map(|answer| answer.status), Some(200));
    }
}

/// Allows, besides Salesforce's shape, the empty refusal of what is no HTTP.
fn assert_http_or_in_shape(answer: &Answer) {
    let no_http = matches!(answer.status, 400 | 414 | 431) && answer.body.is_empty();
    if !no_http {
        // Bytes that end a head begin a request of their own, so its path is unknown.
        let text = String::from_utf8_lossy(&answer.body);
        let path = if text.contains("faultcode") {
            "/services/Soap/"
        } else {
            "/services/oauth2/"
        };
        assert_in_shape(path, answer);
    }
}
