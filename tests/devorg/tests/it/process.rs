//! The program, as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value as Json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_salesforce-devorg");

/// A program that serves. It ends however the test ends.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    /// The line that it printed.
    pub(crate) started: Json,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::with_environment(arguments, &[])
    }

    pub(crate) fn with_environment(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).envs(variables.iter().copied());
        Self::of(command)
    }

    /// Starts the program so that a file that is too large is an error for it, and not its end.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_limits(arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", PROGRAM]);
        command.args(arguments);
        Self::of(command)
    }

    /// Bounds how large the program's files may become, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn bound_files(&self, bytes: &str) {
        let pid = self.pid().to_string();
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]);
        assert!(prlimit.status().unwrap().success());
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let started = serde_json::from_str(&line).unwrap_or_else(|_| unreachable!("{line:?}"));
        Self {
            child,
            stdout,
            started,
        }
    }

    /// Sends a request of the administrator, and gives status and body; an error is a program that
    /// has ended.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> std::io::Result<(u16, String)> {
        let url = self.started["url"].as_str().unwrap();
        let token = self.started["users"][0]["access_token"].as_str().unwrap();
        send(url, token, method, path, body)
    }

    /// Sends a request to the admin endpoint.
    pub(crate) fn send_to_admin(&self, method: &str, path: &str) -> std::io::Result<(u16, String)> {
        let url = self.started["admin_url"].as_str().unwrap();
        send(url, "", method, path, "")
    }

    /// Sends the data of a job.
    pub(crate) fn upload(&self, path: &str, csv: &str) -> std::io::Result<(u16, String)> {
        let url = self.started["url"].as_str().unwrap();
        let token = self.started["users"][0]["access_token"].as_str().unwrap();
        send_as(url, token, "PUT", path, ("text/csv", csv))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells the program to end, and waits until it has; whatever else it printed is given.
    pub(crate) fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.unwrap().success());
        assert!(self.child.wait().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill(); // It may have ended by itself.
        let _ = self.child.wait();
    }
}

/// Kills a program, which has no time to do anything any more.
pub(crate) fn kill(pid: u32) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command
        .env_remove("NO_SUCH_VARIABLE")
        .env("WITH_SPACES", "a b");
    command.args(arguments).output().unwrap()
}

/// Sends a request on a connection of its own, and gives status and body.
pub(crate) fn send(
    url: &str,
    token: &str,
    method: &str,
    path: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    send_as(url, token, method, path, ("application/json", body))
}

fn send_as(
    url: &str,
    token: &str,
    method: &str,
    path: &str,
    (content_type, body): (&str, &str),
) -> std::io::Result<(u16, String)> {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    Ok((
        status.ok_or(std::io::ErrorKind::InvalidData)?,
        body.to_owned(),
    ))
}
