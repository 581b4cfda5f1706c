//! Questions to people, by the program: who is asked, on a terminal alone, and what comes of a yes and of a no.
//!
//! The attack: an agent with a shell runs the command that approves. Without a terminal that is refused; where it makes itself a terminal
//! as the person, it is outside the promise, and a passphrase stands in its way.

use std::sync::Arc;

use portcullis::policy::PersonId;
use portcullis_store::Owner;
use rexpect::session::{PtySession, spawn_command};
use salesforce_devorg::{DevOrg, Options};
use serde_json::Value;

use crate::program::{Home, Said, connection};

/// An account of the sample records.
const ACCOUNT: &str = "001DO0000000002YAA";
const TERMINAL_MS: Option<u64> = Some(60_000);

/// Ada with an agent, and her own account at an org.
pub(crate) struct Desk {
    pub(crate) home: Home,
    /// Ends when this is dropped.
    _org: DevOrg,
    pub(crate) address: String,
}

impl Desk {
    pub(crate) async fn new() -> Arc<Self> {
        let options = Options {
            today: Some("2026-11-23".parse().unwrap()),
            ..Options::default()
        };
        let org = DevOrg::start(options).await.unwrap();
        let token = org.users()[0].access_token.clone();
        let (url, address) = (org.url().to_owned(), org.address().to_string());
        let home = blocking(move || {
            let home = Home::new();
            home.must(&["person", "add", "bob"]);
            home.must(&["agent", "add", "helper"]);
            home.must(&["agent", "give", "helper", "salesforce"]);
            let mut account = connection(Owner::Person("ada".parse().unwrap()), "Acme", &url);
            account.secrets.access_token = token.into();
            home.connect(account);
            home
        })
        .await;
        Arc::new(Self {
            home,
            _org: org,
            address,
        })
    }

    /// The agent sets an account's site.
    pub(crate) fn set_site(&self, site: &str) -> Said {
        let fields =
            serde_json::json!({ "object": "Account", "id": ACCOUNT, "fields": { "Site": site } });
        let fields = fields.to_string();
        let reason = "the customer has moved";
        self.home.run(&[
            "call",
            "update_record",
            "--json",
            &fields,
            "--reason",
            reason,
            "--output",
            "json",
            "--allow-origin",
            &self.address,
        ])
    }

    fn site(&self) -> Value {
        let soql = format!("{{\"soql\": \"SELECT Site FROM Account WHERE Id = '{ACCOUNT}'\"}}");
        let said = self.home.run(&[
            "call",
            "query",
            "--json",
            &soql,
            "--output",
            "json",
            "--allow-origin",
            &self.address,
        ]);
        let answer: Value = serde_json::from_str(&said.stdout).unwrap();
        answer["structured"]["rows"][0].clone()
    }

    /// The one question that waits.
    pub(crate) fn waiting(&self) -> String {
        let listed = self.home.json(&["approvals", "list"]);
        assert_eq!(listed["count"], 1, "{listed}");
        listed["approvals"][0]["id"].as_str().unwrap().to_owned()
    }

    fn at_terminal(&self, user: &str, arguments: &[&str]) -> PtySession {
        spawn_command(self.home.command(user, arguments), TERMINAL_MS).unwrap()
    }

    pub(crate) fn approve(&self, id: &str, more: &[&str]) -> PtySession {
        let command = ["approvals", "approve", id, "--allow-origin", &self.address];
        self.at_terminal("ada", &[&command[..], more].concat())
    }
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub(crate) const PASSPHRASE: &str = "correct horse battery";

/// Sets Ada's passphrase.
pub(crate) fn set_passphrase(home: &Home) {
    let command = home.command("ada", &["approvals", "passphrase"]);
    let mut terminal = spawn_command(command, TERMINAL_MS).unwrap();
    for _ in 0..2 {
        terminal.exp_regex("passphrase: |again: ").unwrap();
        terminal.send_line(PASSPHRASE).unwrap();
    }
    terminal.exp_string("The passphrase is set").unwrap();
    terminal.exp_eof().unwrap();
}

/// Whoever answers before the terminal is silent would have it stand there.
#[test]
fn a_passphrase_that_is_given_at_once_is_not_shown() {
    let home = Home::new();
    home.must(&["agent", "add", "helper"]);
    let asking = home.command("ada", &["approvals", "passphrase"]);
    for _ in 0..8 {
        // Terminals of tests show nothing as they are made.
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "stty echo; \"$@\"; stty -a", "sh"]);
        shell.arg(asking.get_program()).args(asking.get_args());
        shell.current_dir(asking.get_current_dir().unwrap());
        for (name, value) in asking.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let mut terminal = spawn_command(shell, TERMINAL_MS).unwrap();
        terminal.exp_string("passphrase: ").unwrap();
        // Too short, so that it is asked for once.
        terminal.send_line("pst-17").unwrap();
        let said = terminal.exp_eof().unwrap();
        assert!(!said.contains("pst-17"), "{said}");
        assert!(said.contains(" echo "), "it is silent for ever: {said}");
    }
}

/// Runs what asks Ada for a passphrase, gives one, and returns what is said after that.
pub(crate) fn with_passphrase(home: &Home, arguments: &[&str], given: &str) -> String {
    let mut terminal = spawn_command(home.command("ada", arguments), TERMINAL_MS).unwrap();
    terminal.exp_string("Your passphrase:").unwrap();
    terminal.send_line(given).unwrap();
    terminal.exp_eof().unwrap()
}

fn code(said: &Said) -> Value {
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    value["code"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_asked_for_shown_approved_and_made_once() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let before = at.site();
        let said = at.set_site("Munich");
        assert_eq!(
            (said.code, code(&said)),
            (1, "approval_required".into()),
            "{}",
            said.stderr
        );
        assert_eq!(at.site(), before);
        assert_eq!(code(&at.set_site("Munich")), "approval_required");
        let id = at.waiting();
        // What a person reads.
        let card = at.home.must(&["approvals", "show", &id[..20]]);
        let card: String = card
            .replace(&at.address, "ORG")
            .lines()
            .filter(|line| !line.starts_with("It waits for you, until"))
            .map(|line| match line.starts_with("  | if-unmodified-since") {
                true => "  | if-unmodified-since: …\n".to_owned(),
                false => format!("{line}\n"),
            })
            .collect();
        insta::assert_snapshot!("card", card);
        // Bob is not asked, and neither is a program.
        let bob = at.home.run_as("bob", &["approvals", "show", &id]);
        assert_eq!(bob.code, 2, "{}", bob.stdout);
        let program = at.home.run(&["approvals", "approve", &id]);
        assert_eq!(program.code, 2);
        assert!(
            program.stderr.contains("on a terminal only"),
            "{}",
            program.stderr
        );
        assert_eq!(at.site(), before);
        // A no at the prompt leaves it as it is.
        let mut terminal = at.approve(&id, &[]);
        terminal.exp_string("Approve? [y/N]").unwrap();
        terminal.send_line("").unwrap();
        terminal.exp_string("it still waits").unwrap();
        terminal.exp_eof().unwrap();
        // A yes makes the change.
        let mut terminal = at.approve(&id, &[]);
        terminal.exp_string("Update Account").unwrap();
        terminal.exp_string("Munich").unwrap();
        says_yes(&mut terminal);
        assert_eq!(at.site()[0], "Munich");
        // The agent gets the answer, once; after that, it is a question of its own.
        let said = at.set_site("Munich");
        assert_eq!(said.code, 0, "{}", said.stderr);
        let answer: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(answer["outcome"], "done");
        assert_eq!(answer["sent"].as_array().unwrap().len(), 1);
        let again: Value = serde_json::from_str(&at.set_site("Munich").stdout).unwrap();
        assert_eq!(
            again["sent"],
            serde_json::json!([]),
            "nothing is left to change"
        );
        let again = at.home.run(&["approvals", "approve", &id]);
        assert!(again.code == 2 && at.home.json(&["approvals", "list"])["count"] == 0);
    })
    .await;
    drop(desk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_changed_meanwhile_is_asked_for_anew() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let _ = at.set_site("Munich");
        let id = at.waiting();
        let allow = ["allow", "helper", "update_record", "always"];
        at.home.must(&allow);
        let theirs = at.set_site("Vienna");
        assert_eq!(theirs.code, 0, "{}", theirs.stderr);
        at.home.must(&["allow", "helper", "update_record", "ask"]);
        let mut terminal = at.approve(&id, &[]);
        terminal.exp_string("Approve? [y/N]").unwrap();
        terminal.send_line("yes").unwrap();
        terminal.exp_string("not the same any more").unwrap();
        terminal.exp_string("has changed meanwhile").unwrap();
        terminal.exp_eof().unwrap();
        assert_eq!(at.site()[0], "Vienna");
        assert_ne!(at.waiting(), id);
    })
    .await;
    drop(desk);
}

/// Approves what a terminal asks about, and sees it done.
pub(crate) fn says_yes(terminal: &mut PtySession) {
    terminal.exp_string("Approve? [y/N]").unwrap();
    terminal.send_line("y").unwrap();
    terminal.exp_string("Approved and done").unwrap();
    terminal.exp_eof().unwrap();
}

/// A yes to what cannot be run here would be lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_run_is_not_asked_about_and_still_waits() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let before = at.site();
        let _ = at.set_site("Munich");
        let id = at.waiting();
        // The org is on this machine, which nothing allows here.
        let mut terminal = at.at_terminal("ada", &["approvals", "approve", &id]);
        let said = terminal.exp_eof().unwrap();
        assert!(
            said.contains("nothing was approved, and it still waits"),
            "{said}"
        );
        let allow = format!("to allow it: --allow-origin {}", at.address);
        assert!(said.contains(&allow), "{said}");
        assert!(!said.contains("Approve?"), "{said}");
        // What is no address is said before anything else.
        let mut terminal = at.at_terminal(
            "ada",
            &["approvals", "approve", &id, "--allow-origin", "x:y"],
        );
        let said = terminal.exp_eof().unwrap();
        assert!(!said.contains("Approve?"), "{said}");
        // Nor is what is switched off meanwhile.
        at.home.must(&["allow", "helper", "update_record", "off"]);
        let mut terminal = at.approve(&id, &[]);
        let said = terminal.exp_eof().unwrap();
        assert!(said.contains("is disabled for this agent"), "{said}");
        at.home.must(&["allow", "helper", "update_record", "ask"]);
        assert_eq!((at.waiting(), at.site()), (id.clone(), before));
        let mut terminal = at.approve(&id, &[]);
        says_yes(&mut terminal);
        assert_eq!(at.site()[0], "Munich");
    })
    .await;
    drop(desk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_told_and_a_passphrase_is_asked_for() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let before = at.site();
        let _ = at.set_site("Munich");
        let id = at.waiting();
        at.home
            .must(&["approvals", "deny", &id, "--reason", "not on a Friday"]);
        let said = at.set_site("Munich");
        assert_eq!(code(&said), "approval_denied");
        assert!(said.stdout.contains("not on a Friday"), "{}", said.stdout);

        let program = at.home.run(&["approvals", "passphrase"]);
        assert_eq!(program.code, 2, "{}", program.stdout);
        set_passphrase(&at.home);

        let _ = at.set_site("Berlin");
        let id = at.waiting();
        for (given, says) in [
            ("wrong horse", "this is not the passphrase"),
            (PASSPHRASE, "Approved and done"),
        ] {
            let mut terminal = at.approve(&id, &[]);
            terminal.exp_string("Approve? [y/N]").unwrap();
            terminal.send_line("y").unwrap();
            terminal.exp_string("Your passphrase:").unwrap();
            assert_eq!(at.site(), before);
            terminal.send_line(given).unwrap();
            terminal.exp_string(says).unwrap();
            terminal.exp_eof().unwrap();
        }
        assert_eq!(at.site()[0], "Berlin");
    })
    .await;
    drop(desk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_approval_lets_a_few_alike_pass() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let _ = at.set_site("Munich");
        let id = at.waiting();
        let mut terminal = at.approve(&id, &["--records", "2", "--minutes", "5"]);
        terminal.exp_string("would pass for 5 minutes").unwrap();
        says_yes(&mut terminal);
        for site in ["Vienna", "Berlin"] {
            let said = at.set_site(site);
            assert_eq!(said.code, 0, "{}", said.stderr);
        }
        assert_eq!(code(&at.set_site("Paris")), "approval_required");
        assert_eq!(at.site()[0], "Berlin");
        assert_eq!(
            at.home.json(&["approvals", "standing"]),
            serde_json::json!([])
        );
        let id = at.waiting();
        at.home.must(&["approvals", "withdraw", &id]);
        let settled = at.home.must(&["approvals", "show", &id]);
        assert!(settled.contains("withdrawn"), "{settled}");
    })
    .await;
    drop(desk);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_takes_back_what_another_is_asked_and_sees_nothing_of_it() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let _ = at.set_site("Munich");
        let id = at.waiting();
        let withdraw = ["approvals", "withdraw", &id];
        // A member has nothing to do with it, and an administrator nothing but this.
        let refused = at.home.run_as("bob", &withdraw);
        assert_eq!(refused.code, 2, "{}", refused.stdout);
        assert!(!refused.stderr.contains("ada"), "{}", refused.stderr);
        at.home.must(&["person", "role", "bob", "admin"]);
        for command in ["show", "deny"] {
            let refused = at.home.run_as("bob", &["approvals", command, &id]);
            assert_eq!(refused.code, 2, "{}", refused.stdout);
            assert!(
                refused.stderr.contains("is for `ada`"),
                "{}",
                refused.stderr
            );
            assert!(!refused.stderr.contains("Munich"), "{}", refused.stderr);
        }
        let done = at.home.run_as("bob", &withdraw);
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(!done.stdout.contains("Munich"), "{}", done.stdout);
        let settled = at.home.must(&["approvals", "show", &id]);
        assert!(settled.contains("withdrawn"), "{settled}");
        let decided = at.home.json(&["activity", "--decisions"]);
        let last = decided.as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["person"], &last["decided"], &last["to"]),
            (&"bob".into(), &"approval".into(), &"withdrawn".into())
        );
        let again = at.home.run_as("bob", &withdraw);
        assert!(again.stdout.contains("nothing changed"), "{}", again.stdout);
    })
    .await;
    drop(desk);
}

/// The attack: who cannot approve for want of the passphrase takes the rule away that asks, and what is done is not asked for.
#[test]
fn what_loosens_asks_for_the_passphrase_as_a_yes_does() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    home.must(&["agent", "add", "helper"]);
    home.must(&["agent", "give", "helper", "salesforce"]);
    // Nothing is asked where no passphrase is set.
    home.must(&["allow", "helper", "query", "always"]);
    home.must(&["allow", "helper", "update_record", "ask"]);
    home.must(&["scope", "helper", "--read", "Account,Contact"]);
    home.must(&["connector", "trust-scope", "salesforce"]);
    set_passphrase(&home);
    let file = "[agents.helper]\nconnectors.salesforce = { account = \"personal\" }\n\n[agents.helper.tools]\n\"effect:write\" = \"always\"\n";
    std::fs::write(home.folder.path().join("portcullis.toml"), file).unwrap();
    let state = || {
        let asked: [&[&str]; 4] = [
            &["explain", "helper"],
            &["scope", "helper"],
            &["agent", "list", "--json"],
            &["person", "list"],
        ];
        asked.map(|arguments| home.must(arguments))
    };
    let before = state();
    let loosens: [&[&str]; 10] = [
        &["allow", "helper", "effect:write", "always"],
        &["allow", "helper", "update_record", "default"],
        &["scope", "helper", "--clear"],
        &["connector", "trust-scope", "salesforce"],
        &["connector", "remove", "salesforce"],
        &["agent", "trust-client", "helper"],
        &["person", "role", "bob", "admin"],
        &["person", "add", "eve", "--role", "admin"],
        &["apply", "--yes"],
        &["agent", "remove", "helper"],
    ];
    for arguments in loosens {
        let said = home.json(arguments);
        assert_eq!(said["code"], "no_terminal", "{arguments:?}: {said}");
        assert_eq!(state(), before, "{arguments:?}");
    }
    let always = ["allow", "helper", "effect:write", "always"];
    let said = with_passphrase(&home, &always, "wrong horse");
    assert!(said.contains("this is not the passphrase"), "{said}");
    assert_eq!(state(), before);
    // What tightens is not held up.
    home.must(&["allow", "helper", "create_record", "off"]);
    home.must(&["allow", "helper", "query", "ask"]);
    home.must(&["connector", "trust-scope", "salesforce", "--no"]);
    home.must(&["agent", "trust-client", "helper", "--no"]);
    let said = with_passphrase(&home, &always, PASSPHRASE);
    assert!(said.contains("There is a rule now"), "{said}");
    let said = with_passphrase(&home, &["scope", "helper", "--clear"], PASSPHRASE);
    assert!(said.contains("Now what the agent"), "{said}");
}

/// The attack: who cannot approve for want of the passphrase is let in as somebody else, gives agents and people what they had not, or
/// has what restricts an account go with it.
#[test]
fn what_lets_in_or_widens_asks_for_the_passphrase() {
    const ACME: &str = "https://acme.my.salesforce.com";
    let home = Home::new();
    let setup: [&[&str]; 7] = [
        &["person", "add", "bob"],
        &["group", "add", "sales"],
        &["group", "add", "idle"],
        &["agent", "add", "helper"],
        &["agent", "add", "free"],
        &["agent", "give", "helper", "salesforce"],
        &["allow", "helper", "update_record", "off"],
    ];
    for arguments in setup {
        home.must(arguments);
    }
    let bob = Owner::Person(PersonId::parse("bob").unwrap());
    let own = home.connect(connection(bob, "Bob's Acme", ACME));
    let shared = home.connect(connection(Owner::Shared, "Acme production", ACME));
    home.must(&["allow", "--connection", &own, "effect:write", "off"]);
    home.must(&["allow", "--connection", &shared, "effect:read", "ask"]);
    home.must(&["connections", "share", &shared, "--group", "sales"]);
    set_passphrase(&home);
    let state = || {
        let asked: [&[&str]; 7] = [
            &["person", "list", "--json"],
            &["person", "token", "list", "bob", "--json"],
            &["person", "subject", "list", "bob", "--json"],
            &["group", "list", "--json"],
            &["agent", "list", "--json"],
            &["connections", "show", &shared, "--json"],
            &["allow", "--list", "--json"],
        ];
        asked.map(|arguments| home.must(arguments))
    };
    let before = state();
    let issuer = "https://login.example.com";
    let file = "[agents.free]\nconnectors.salesforce = { account = \"personal\" }\n";
    std::fs::write(home.folder.path().join("portcullis.toml"), file).unwrap();
    let widens: [&[&str]; 11] = [
        &[
            "person", "subject", "add", "bob", "00ubob", "--issuer", issuer,
        ],
        &["person", "token", "add", "bob"],
        &["person", "remove", "bob"],
        &["agent", "give", "free", "salesforce"],
        &["agent", "give", "helper", "salesforce", "--shared", &shared],
        &["connections", "share", &shared, "--everyone"],
        &["connections", "disconnect", &shared],
        &["group", "join", "sales", "bob"],
        &["allow", "helper", "update_record", "ask"],
        &["allow", "helper", "effect:destructive", "ask"],
        &["apply", "--yes"],
    ];
    for arguments in widens {
        let said = home.json(arguments);
        assert_eq!(said["code"], "no_terminal", "{arguments:?}: {said}");
        assert_eq!(state(), before, "{arguments:?}");
    }
    // One's own token, what is so already, and what widens nothing are not held up.
    home.must(&["person", "token", "add", "ada"]);
    home.must(&["agent", "give", "helper", "salesforce"]);
    home.must(&["connections", "share", &shared, "--group", "sales"]);
    home.must(&["group", "join", "idle", "bob"]);
    home.must(&["allow", "helper", "query", "ask"]);
    home.must(&["allow", "helper", "update_record", "off"]);
    let said = with_passphrase(&home, &["person", "token", "add", "bob"], PASSPHRASE);
    assert!(said.contains("shown this once"), "{said}");
    let join = ["group", "join", "sales", "bob"];
    let said = with_passphrase(&home, &join, PASSPHRASE);
    assert!(said.contains("now: `bob`"), "{said}");
}
