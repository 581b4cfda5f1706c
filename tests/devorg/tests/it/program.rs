//! The program: one line, then it serves until it is stopped.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::client::{V, query};
use crate::process::{Running, run};

#[test]
fn one_line_says_where_it_is_and_how_to_get_in() {
    let arguments = [
        ["--listen", "localhost:0"],
        ["--today", "2026-11-23"],
        ["--client-id", "3MVG9given"],
        ["--limit", "DailyApiRequests=2"],
        ["--client-secret-env", "APP_SECRET"],
        ["--access-token-env", "ADMINISTRATORS_TOKEN"],
    ];
    let secrets = [("APP_SECRET", "s3cret"), ("ADMINISTRATORS_TOKEN", "00D!t")];
    let running = Running::with_environment(arguments.as_flattened(), &secrets);
    let keys: Vec<&String> = running.started.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["client_id", "client_secret", "url", "users"]);
    let user: &Json = &running.started["users"][0];
    let keys: Vec<&String> = user.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "access_token",
            "password",
            "profile",
            "refresh_token",
            "username"
        ]
    );
    let given = |name: &str| running.started[name].as_str().unwrap();
    assert_eq!(
        (given("client_id"), given("client_secret")),
        ("3MVG9given", "s3cret")
    );
    assert_eq!(user["profile"], "System Administrator");
    assert_eq!(user["access_token"], "00D!t");
    let url = given("url");
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    for expected in [200, 200, 403] {
        let (status, answer) = running.send("GET", "/services/data/v68.0", "").unwrap();
        assert_eq!(status, expected, "{answer}");
    }
    assert_eq!(running.stop(), "", "one line is all");
}

#[test]
fn its_time_is_the_machines_unless_it_has_a_day_of_its_own() {
    let running = Running::start(&[]);
    let get = |path: &str| -> Json {
        let (status, body) = running.send("GET", path, "").unwrap();
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    };
    let select = |soql: &str| get(&format!("{V}/query?{}", query(&[("q", soql)])));
    // Nothing of the sample is of the future.
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    for object in ["Account", "Case", "Measurement__c", "User"] {
        let later = select(&format!(
            "SELECT COUNT() FROM {object} WHERE LastModifiedDate > {now}"
        ));
        assert_eq!(later["totalSize"], 0, "{object}");
    }

    let (status, made) = running
        .send(
            "POST",
            &format!("{V}/sobjects/Account"),
            r#"{"Name": "New"}"#,
        )
        .unwrap();
    assert_eq!(status, 201, "{made}");
    let made: Json = serde_json::from_str(&made).unwrap();
    let id = made["id"].as_str().unwrap();
    let row = &select(&format!(
        "SELECT CreatedDate FROM Account WHERE Id = '{id}'"
    ))["records"][0];
    let created = row["CreatedDate"].as_str().unwrap().replace("+0000", "Z");
    let created: Timestamp = created.parse().unwrap();
    let second = SignedDuration::from_secs(1);
    assert!(
        now - second <= created && created <= Timestamp::now() + second,
        "{created}"
    );
    // Who asks by a clock of its own hears of it.
    let minute = SignedDuration::from_secs(60);
    let (start, end) = (now - minute * 10, now + minute * 2);
    let [start, end] = [start, end].map(|moment| moment.strftime("%FT%TZ").to_string());
    let window = query(&[("start", &*start), ("end", &*end)]);
    let updated = get(&format!("{V}/sobjects/Account/updated?{window}"));
    assert_eq!(updated["ids"], serde_json::json!([id]));
    // Several changes may have one moment.
    for name in ["a", "b", "c"] {
        let body = format!(r#"{{"Name": "{name}"}}"#);
        let (status, made) = running
            .send("POST", &format!("{V}/sobjects/Account"), &body)
            .unwrap();
        assert_eq!(status, 201, "{made}");
    }
    let recent = get(&format!("{V}/recent?limit=3"));
    let items = recent.as_array().unwrap().iter();
    let names: Vec<&Json> = items.map(|item| &item["Name"]).collect();
    assert_eq!(names, ["c", "b", "a"]);
    running.stop();
}

#[test]
fn mistakes_are_one_sentence_and_exit_code_2() {
    let mut sentences = String::new();
    for arguments in [
        ["--listen", "nowhere"],
        ["--listen", "127.0.0.1"],
        ["--listen", "localhost"],
        ["--listen", "localhost:65536"],
        ["--listen", "::1:80"],
        ["--listen", "0.0.0.0:0"],
        ["--today", "2026-02-30"],
        ["--tls", "nowhere"],
        ["--tls", "0.0.0.0:0"],
        ["--admin", "0.0.0.0:0"],
        ["--admin", ":0"],
        ["--client-id", "a b"],
        ["--client-id", ""],
        ["--client-secret-env", "NO_SUCH_VARIABLE"],
        ["--access-token-env", "NO_SUCH_VARIABLE"],
        ["--access-token-env", "WITH_SPACES"],
        ["--redirect-uri", "nope"],
        ["--redirect-uri", "localhost:8080/callback"],
        ["--redirect-uri", "https:///callback"],
        ["--redirect-uri", "https://example.com/callback#here"],
        ["--limit", "DailyApiRequests"],
        ["--limit", "DailyApiRequests=many"],
        ["--limit", "DailyRequests=1"],
        [
            "--jwt-certificate",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        sentences += &String::from_utf8(output.stderr).unwrap();
    }
    insta::assert_snapshot!(sentences, @r"
    error: `--listen nowhere` is no address and port; write it like 127.0.0.1:8080
    error: `--listen 127.0.0.1` is no address and port; write it like 127.0.0.1:8080
    error: `--listen localhost` is no address and port; write it like 127.0.0.1:8080
    error: `--listen localhost:65536` is no address and port; write it like 127.0.0.1:8080
    error: `--listen ::1:80` is no address and port; write it like 127.0.0.1:8080
    error: `0.0.0.0:0` can be reached from other machines; listen on 127.0.0.1, or say that other machines are allowed with `--allow-other-machines`
    error: `--today 2026-02-30` is no day; write it like 2026-11-23
    error: `--tls nowhere` is no address and port; write it like 127.0.0.1:8080
    error: `0.0.0.0:0` can be reached from other machines; listen on 127.0.0.1, or say that other machines are allowed with `--allow-other-machines`
    error: `0.0.0.0:0` can be reached from other machines; the admin endpoint is for 127.0.0.1 alone
    error: `--admin :0` is no address and port; write it like 127.0.0.1:8080
    error: `--client-id` must be of visible ASCII characters, at least one, without spaces
    error: `--client-id` must be of visible ASCII characters, at least one, without spaces
    error: `--client-secret-env NO_SUCH_VARIABLE`: the environment has no variable `NO_SUCH_VARIABLE`; the option takes a variable's name, not the secret
    error: `--access-token-env NO_SUCH_VARIABLE`: the environment has no variable `NO_SUCH_VARIABLE`; the option takes a variable's name, not the secret
    error: the value of the variable that `--access-token-env WITH_SPACES` names must be of visible ASCII characters, at least one, without spaces
    error: `--redirect-uri nope` is no address that a browser could be sent to; write all of it, like https://example.com/callback
    error: `--redirect-uri localhost:8080/callback` is no address that a browser could be sent to; write all of it, like https://example.com/callback
    error: `--redirect-uri https:///callback` is no address that a browser could be sent to; write all of it, like https://example.com/callback
    error: `--redirect-uri https://example.com/callback#here` is no address that a browser could be sent to; write all of it, like https://example.com/callback
    error: `--limit DailyApiRequests` is no limit; write it like DailyApiRequests=100, with a whole number
    error: `--limit DailyApiRequests=many` is no limit; write it like DailyApiRequests=100, with a whole number
    error: `--limit DailyRequests=1`: there is no limit `DailyRequests`; `GET /services/data/v68.0/limits` names them
    error: the certificate for the JWT bearer flow is no X.509 certificate in PEM
    ");
}

#[test]
fn an_address_in_use_is_exit_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        words.starts_with(&format!("error: cannot listen on `{address}`: ")),
        "{words}"
    );
}
