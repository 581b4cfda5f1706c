//! The pages away from a person's own machine: real programs on one store, real sockets, and browsers that are scripted.

#[allow(dead_code, reason = "others call the API, too")]
#[path = "../../../../connect/tests/it/browser.rs"]
mod browser;

mod attacks;
mod command;
mod ends;
mod front;
mod sessions;
pub(crate) mod visitor;
mod whole;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use portcullis::policy::PersonId;
use portcullis_store::{ConnectLink, Store};
use salesforce_devorg::fault::{Fault, Rule, When};
use salesforce_devorg::{DevOrg, DevUser, Options};
use secrecy::{ExposeSecret, SecretString};

use crate::program::Home;
use visitor::Visitor;

/// How people's browsers reach the pages: a proxy that is played by the test ends TLS.
pub(crate) const BASE: &str = "https://portcullis.acme.example";
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A store with Ada, who administers, and Bob; an org; and a program that serves the pages.
pub(crate) struct Place {
    pub(crate) home: Home,
    pub(crate) org: DevOrg,
    pub(crate) server: Server,
}

/// A program that serves. It ends with the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// What it said before that.
    pub(crate) said: String,
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::at(BASE).await
    }

    pub(crate) async fn at(base: &str) -> Self {
        let org = DevOrg::start(Options {
            redirect_uris: vec![format!("{base}/callback")],
            ..Options::default()
        });
        let org = org.await.unwrap();
        let home = Home::new();
        home.must(&["person", "add", "bob"]);
        home.must(&["agent", "add", "helper"]);
        home.must(&["agent", "give", "helper", "salesforce"]);
        let app = ["app", "set", "salesforce", "--client-id", org.client_id()];
        let of = ["--login", org.url(), "--client-secret-env", "THE_SECRET"];
        let mut set = home.command("ada", &[&app[..], &of].concat());
        set.env("THE_SECRET", org.client_secret());
        assert!(set.output().unwrap().status.success());
        let server = Server::start(&home, &org, base, &[]);
        Self { home, org, server }
    }

    pub(crate) async fn store(&self) -> Store {
        self.home.store().await
    }

    /// Begins what the org is asked for at a path, which it answers late, and waits until it is asked.
    pub(crate) async fn slow<T: Send + 'static>(
        &self,
        path: &str,
        ms: u64,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let slow = Rule {
            fault: Fault::Latency { ms },
            when: When {
                path: Some(path.to_owned()),
                times: Some(1),
                ..When::default()
            },
            work: None,
        };
        self.org.add_fault(slow).unwrap();
        let before = self.org.requests();
        let work = tokio::spawn(work);
        while self.org.requests() == before {
            tokio::task::yield_now().await;
        }
        work
    }

    /// Makes a token for a person.
    pub(crate) async fn token(&self, person: &str) -> SecretString {
        let person = id(person);
        let store = self.store().await;
        let made = store.make_person_token(&person, "test", DAY).await;
        made.unwrap().0
    }

    /// Makes a link for a person, as an agent hands it on, and gives its path.
    pub(crate) async fn link(&self, person: &str) -> String {
        let link = ConnectLink {
            person: id(person),
            agent: Some("helper".parse().unwrap()),
            connector: "salesforce".parse().unwrap(),
        };
        let secret = self.store().await.make_link(&link, DAY).await.unwrap();
        format!("/connect/{}", secret.expose_secret())
    }

    /// Gives a browser in which nobody has signed in.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::at(self.server.address, BASE)
    }

    /// Gives a browser in which a person has signed in.
    pub(crate) async fn signed_in(&self, person: &str) -> Visitor {
        let mut visitor = self.visitor();
        let seen = visitor.sign_in("/sign-in", &self.token(person).await).await;
        assert_eq!((seen.status, seen.to()), (303, "/sign-in"), "{}", seen.text);
        visitor
    }

    /// Gives a user of the org by the beginning of the name.
    pub(crate) fn user(&self, name: &str) -> DevUser {
        let mut users = self.org.users().iter();
        users
            .find(|user| user.username.starts_with(name))
            .unwrap()
            .clone()
    }

    /// Signs in at the service, and gives the path that it leads back to.
    pub(crate) async fn come_back(&self, url: &str, user: &str, decision: &str) -> String {
        let user = self.user(user);
        visitor::come_back(&self.org, url, (&user.username, &user.password), decision).await
    }

    /// Says how many accounts are connected, or about to be.
    pub(crate) async fn connected(&self) -> usize {
        self.store().await.connections().await.unwrap().len()
    }
}

impl Server {
    pub(crate) fn start(home: &Home, org: &DevOrg, base: &str, more: &[&str]) -> Self {
        let allowed = org.address().to_string();
        let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", base];
        let reach = ["--allow-origin", &allowed, "--log", "info"];
        Self::of(home.command("ada", &[&serve[..], &reach, more].concat()))
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut log, (address, said)) = (String::new(), address(&mut stderr));
        let rest = std::thread::spawn(move || {
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        Self {
            address,
            said,
            child,
            log: Some(rest),
        }
    }

    /// Says how much memory it has, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.unwrap().split_whitespace().next().unwrap();
        number.parse().unwrap()
    }

    /// Tells it to end, as the system does.
    pub(crate) fn tell_to_end(&self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(told.unwrap().success());
    }

    /// Waits until it has ended, and gives its exit code and what it logged.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        (code, self.log.take().unwrap().join().unwrap())
    }

    /// Ends it, and gives what it logged.
    pub(crate) fn log(self) -> String {
        self.tell_to_end();
        self.ended().1
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads where a server is, and what it said until then.
fn address(stderr: &mut BufReader<ChildStderr>) -> (SocketAddr, String) {
    let mut said = String::new();
    loop {
        let at = said.len();
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended: {said}");
        if let Some((_, rest)) = said[at..].split_once(" is served at ") {
            let address = rest.split(';').next().unwrap().parse().unwrap();
            return (address, said);
        }
    }
}

pub(crate) fn id(person: &str) -> PersonId {
    person.parse().unwrap()
}
