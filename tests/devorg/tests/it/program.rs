//! The program: one line, then it serves until it is stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value as Json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_salesforce-devorg");

/// Ends the program however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill(); // It may have ended by itself.
        let _ = self.0.wait();
    }
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command
        .env_remove("NO_SUCH_VARIABLE")
        .env("WITH_SPACES", "a b");
    command.args(arguments).output().unwrap()
}

#[test]
fn one_line_says_where_it_is_and_how_to_get_in() {
    let child = Command::new(PROGRAM)
        .args(["--listen", "localhost:0", "--today", "2026-11-23"])
        .args(["--client-id", "3MVG9given", "--limit", "DailyApiRequests=2"])
        .args(["--client-secret-env", "APP_SECRET"])
        .args(["--access-token-env", "ADMINISTRATORS_TOKEN"])
        .envs([("APP_SECRET", "s3cret"), ("ADMINISTRATORS_TOKEN", "00D!t")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut stdout = BufReader::new(running.0.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let started: Json = serde_json::from_str(&line).unwrap();
    let keys: Vec<&String> = started.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["client_id", "client_secret", "url", "users"]);
    let keys: Vec<&String> = started["users"][0].as_object().unwrap().keys().collect();
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

    let given = |name: &str| started[name].as_str().unwrap();
    assert_eq!(
        (given("client_id"), given("client_secret")),
        ("3MVG9given", "s3cret")
    );
    assert_eq!(started["users"][0]["profile"], "System Administrator");
    assert_eq!(started["users"][0]["access_token"], "00D!t");
    let url = started["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let token = started["users"][0]["access_token"].as_str().unwrap();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let request = format!(
        "GET /services/data/v68.0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("api-usage=1/2\r\n"), "{answer}");

    let pid = running.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(running.0.wait().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line is all");
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
