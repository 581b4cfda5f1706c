//! What leaves after a yes is what was approved, whoever asks for it and however: again or as a run of the approval, in any mode, by another
//! account, organization or version of the connector, beside a standing approval, and in either of two programs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis::policy::{Environment, Mode, Origin};
use portcullis::ports::approvals::{Approvals, Claim, DigestKey, HeldRequest};
use portcullis::ports::credentials::{Connection, Identity};
use portcullis::ports::{PortError, Ports};
use portcullis::{ApprovalId, Call, CallId, Outcome, Rerun};
use portcullis_store::{
    ApprovalState, Location, MasterKey, Role, Standing, Store, StoreApprovals, StoreOptions, Which,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::announcements::{JSON, with};
use crate::support::components::component;
use crate::support::world::{PERSON, Setup, TOKEN, call};
use crate::support::{World, ended, name};

/// The approvals of one store as two programs have them, by turns.
struct ByTurns {
    programs: [StoreApprovals; 2],
    turn: AtomicUsize,
}

impl ByTurns {
    fn next(&self) -> &StoreApprovals {
        &self.programs[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

#[async_trait]
impl Approvals for ByTurns {
    fn key(&self) -> &DigestKey {
        self.programs[0].key()
    }

    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError> {
        self.next().claim(request).await
    }

    async fn unsent(&self, id: ApprovalId, call: CallId) -> Result<(), PortError> {
        self.next().unsent(id, call).await
    }
}

/// A change of two fields.
fn pair() -> Value {
    with(&[
        (
            "/announce/0/fields",
            json!([
                ["name", "Old", "New", "/name"],
                ["city", "Ulm", "Rome", "/city"]
            ]),
        ),
        ("/send/0/body", json!(PAIR)),
    ])
}

const PAIR: &str = r#"{"name":"New","city":"Rome"}"#;

/// What may be different in a plan after the yes, each by a text that is never the one that was approved.
const IN_PLAN: [fn(&mut Value, &str); 21] = [
    // Path and query.
    |plan, text| plan["send"][0]["path"] = json!(format!("/kind/Account/001{text}")),
    |plan, text| plan["send"][0]["path"] = json!(format!("/kind/Account{text}/001")),
    |plan, text| plan["send"][0]["path"] = json!(format!("/kind/Account/001?{text}=x")),
    // Method.
    |plan, _| plan["send"][0]["method"] = json!("DELETE"),
    |plan, _| plan["send"][0]["method"] = json!("POST"),
    // Headers.
    |plan, text| plan["send"][0]["headers"] = json!([JSON, ["if-match", text]]),
    |plan, text| {
        let charset = format!("application/json; charset={text}");
        plan["send"][0]["headers"][0] = json!(["content-type", charset]);
    },
    // Body: its spaces, its values, alone and with what is announced, and one value more.
    |plan, _| plan["send"][0]["body"] = json!(format!("{PAIR} ")),
    |plan, text| plan["send"][0]["body"] = json!(PAIR.replace("New", text)),
    |plan, text| {
        plan["send"][0]["body"] = json!(PAIR.replace("New", text));
        plan["announce"][0]["fields"][0][2] = json!(text);
    },
    |plan, text| {
        let more = PAIR.replace('}', &format!(r#","more":"{text}"}}"#));
        plan["send"][0]["body"] = json!(more);
        let announced = json!(["more", null, text, "/more"]);
        plan["announce"][0]["fields"]
            .as_array_mut()
            .unwrap()
            .push(announced);
    },
    // Before-values, and the other words that a person saw.
    |plan, text| plan["announce"][0]["fields"][0][1] = json!(format!("Old{text}")),
    |plan, text| plan["announce"][0]["fields"][1][1] = json!(text),
    |plan, text| plan["announce"][0]["label"] = json!(text),
    |plan, text| {
        let seen = json!(["seen", text, null, null]);
        plan["announce"][0]["fields"]
            .as_array_mut()
            .unwrap()
            .push(seen);
    },
    // Order: of the body's members, of what is announced, and another request before this one.
    |plan, _| plan["send"][0]["body"] = json!(r#"{"city":"Rome","name":"New"}"#),
    |plan, _| {
        plan["announce"][0]["fields"]
            .as_array_mut()
            .unwrap()
            .swap(0, 1)
    },
    |plan, text| {
        let mut first = plan["send"][0].clone();
        first["body"] = json!(PAIR.replace("New", text));
        plan["send"].as_array_mut().unwrap().insert(0, first);
    },
    // Tickets: one that covers more, one that covers nothing, one that is made up.
    |plan, _| {
        let record = plan["announce"][0].clone();
        plan["announce"].as_array_mut().unwrap().push(record);
    },
    |plan, _| plan["announce"] = json!([]),
    |plan, text| plan["ticket"] = json!(format!("{text:0>32}")),
];

/// What may be different in who calls, with what, and by what.
const IN_CALL: [fn(&Desk, &mut Call, &str); 7] = [
    |_, call, _| call.tool = "write_too".to_owned(),
    |_, call, text| call.arguments = json!({ "more": text }),
    |_, call, _| call.person = name("grace"),
    |_, call, _| call.agent = name("other"),
    // The same person, by another account at the same service, or by one that is another organization's by now.
    |desk, _, text| desk.connect("ada", text, "00D1"),
    |desk, _, text| desk.connect("ada", CONNECTION, text),
    // An earlier call's ticket, for which there is nothing to do here.
    |_, _, _| {},
];

/// Which way a lie comes: as the agent's call made again, or as the run of the approval, while that is asked for or not.
const WAYS: [Option<Mode>; 3] = [None, Some(Mode::Ask), Some(Mode::Allow)];

const CONNECTION: &str = "turncoat-connection";

/// A host whose questions are in a store that two programs have.
struct Desk {
    world: World,
    store: Store,
    _folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        let open = || {
            let location = Location::in_folder(folder.path());
            Store::open(StoreOptions::new(location, master.clone()))
        };
        let store = open().await.unwrap();
        for person in [PERSON, "grace"] {
            let id = name(person);
            store.add_person(&id, person, Role::Admin).await.unwrap();
        }
        let approvals = Arc::new(ByTurns {
            programs: [
                StoreApprovals::open(store.clone()).await.unwrap(),
                StoreApprovals::open(open().await.unwrap()).await.unwrap(),
            ],
            turn: AtomicUsize::new(0),
        });
        let setup = Setup {
            ports: Box::new(move |ports| Ports { approvals, ..ports }),
            ..Setup::default()
        };
        let world = World::new(setup, &["turncoat"]).await;
        world.permissions.offer(name("other"), name("turncoat"));
        let desk = Self {
            world,
            store,
            _folder: folder,
        };
        desk.connect("grace", "of-grace", "00D1");
        desk.connect(PERSON, CONNECTION, "00D1");
        desk
    }

    /// Gives a person an account, of an organization.
    fn connect(&self, person: &str, id: &str, organization: &str) {
        let connection = Connection {
            id: name(id),
            shared: false,
            origin: Origin::parse(&self.world.service.origin()).unwrap(),
            scopes: vec!["records".to_owned()],
            identity: Some(Identity {
                environment: Environment::Sandbox,
                user_id: "005".to_owned(),
                user_name: person.to_owned(),
                organization_id: Some(organization.to_owned()),
                organization_name: None,
                facts: Vec::new(),
            }),
        };
        let secret = TOKEN.to_owned().into();
        let (connector, person) = (name("turncoat"), Some(name(person)));
        self.world
            .credentials
            .connect(connector, person, connection, secret);
    }

    /// Tells the connector what to do, and calls it.
    async fn told(&self, plan: &Value, call: Call) -> portcullis::Reply {
        self.world.service.put_record("plan", plan.clone());
        self.world.host.call(call).await
    }

    /// Asks for a plan and has it approved.
    async fn approved(&self, plan: &Value, standing: Option<Standing>) -> ApprovalId {
        let reply = self.told(plan, write()).await;
        let Outcome::ApprovalRequired(asked) = &reply.outcome else {
            panic!("{reply:?}");
        };
        let person = name(PERSON);
        let approved = self.store.approve(asked.id, &person, standing).await;
        approved.unwrap();
        asked.id
    }

    /// Makes a call the run of an approval.
    async fn rerun(&self, call: &mut Call, id: ApprovalId) {
        let question = self.store.question(id, &name(PERSON)).await.unwrap();
        call.rerun = Some(Rerun {
            approval: id,
            replay: question.held.unwrap().replay,
        });
    }

    async fn state(&self, id: ApprovalId) -> ApprovalState {
        let question = self.store.question(id, &name(PERSON)).await.unwrap();
        question.approval.state
    }

    /// Takes back whatever waits, so that nothing is denied.
    async fn clear(&self) {
        let which = Which {
            person: None,
            settled: false,
            limit: 50,
        };
        for open in self.store.approvals(&which).await.unwrap().0 {
            self.store.withdraw(open.id, &open.person).await.unwrap();
        }
    }

    fn mode(&self, mode: Mode) {
        for tool in ["write", "write_too"] {
            self.world.mode("turncoat", tool, mode);
        }
    }
}

fn write() -> Call {
    call("turncoat", "write", json!({}))
}

/// Whatever the guest sends after an approval, and whoever calls it, only the request that was approved leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_request_that_was_approved_leaves() {
    let desk = Desk::new().await;
    let changes = || desk.world.service.changes().len();
    // A rule for one of the two fields is there all the while, and covers nothing of this.
    let city = with(&[
        (
            "/announce/0/fields",
            json!([["city", "Ulm", "Rome", "/city"]]),
        ),
        ("/send/0/body", json!(r#"{"city":"Rome"}"#)),
    ]);
    let standing = Standing {
        records: 10,
        lasts: Duration::from_secs(3_600),
    };
    desk.approved(&city, Some(standing)).await;
    desk.clear().await;
    let mut runner = TestRunner::default();
    let mut earlier = "0".repeat(32);
    let cases = IN_PLAN.len() + IN_CALL.len();
    for round in 0..2 * WAYS.len() * cases {
        let (case, way) = (round % cases, WAYS[round / cases % WAYS.len()]);
        let id = desk.approved(&pair(), None).await;
        let before = changes();
        let text = "[a-z0-9]{1,12}".new_tree(&mut runner).unwrap().current();
        let (mut lie, mut lying) = (pair(), write());
        if let Some(mode) = way {
            desk.rerun(&mut lying, id).await;
            desk.mode(mode);
        }
        match case.checked_sub(IN_PLAN.len()) {
            None => IN_PLAN[case](&mut lie, &text),
            Some(last) if last + 1 == IN_CALL.len() => lie["ticket"] = json!(earlier),
            Some(case) => IN_CALL[case](&desk, &mut lying, &text),
        }
        let reply = desk.told(&lie, lying).await;
        desk.mode(Mode::Ask);
        let (sent, ended) = (changes() - before, ended(&reply));
        assert_eq!((sent, reply.sent.len()), (0, 0), "{case}: {lie}: {ended}");
        assert_ne!(ended, "done", "{case}: {lie}");
        if case >= IN_PLAN.len() && case + 1 < cases {
            // Nothing is wrong with it, but that nobody has said yes to this.
            assert_eq!(ended, "approval_required", "{case}, {way:?}: {lie}");
        }

        // As it was, it leaves, once; or it is asked for, where its run came to something else.
        desk.connect(PERSON, CONNECTION, "00D1");
        let state = desk.state(id).await;
        let reply = desk.told(&pair(), write()).await;
        match (&reply.outcome, state) {
            (Outcome::Done(output), ApprovalState::Approved) => {
                earlier = output.text.split([' ', ';']).nth(1).unwrap().to_owned();
                assert_eq!(changes(), before + 1);
                let last = &desk.world.service.changes()[before];
                assert_eq!(&last.body[..], PAIR.as_bytes());
            }
            (Outcome::ApprovalRequired(_), ApprovalState::Replaced) => {
                assert!(way.is_some() && changes() == before, "{case}: {lie}");
            }
            _ => panic!("{case}, {way:?}: after {lie}: {state:?}, {reply:?}"),
        }
        desk.clear().await;
    }
    let rules = desk.store.standing_approvals(&name(PERSON)).await.unwrap();
    assert_eq!(rules[0].records_left, 10);
}

/// A yes was for the version that asked: what another one sends is asked for, though it be the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_of_the_connector_sends_nothing_on_a_yes_of_before() {
    let desk = Desk::new().await;
    let standing = Standing {
        records: 10,
        lasts: Duration::from_secs(3_600),
    };
    let id = desk.approved(&pair(), Some(standing)).await;
    // Another digest, and nothing else: a custom section that has a name and is empty.
    let mut other = component("turncoat");
    other.extend([0, 2, 1, b'x']);
    desk.world.install_bytes(other).await;
    desk.connect(PERSON, CONNECTION, "00D1");
    let mut rerun = write();
    desk.rerun(&mut rerun, id).await;
    for asks in [write(), rerun] {
        let reply = desk.told(&pair(), asks).await;
        assert_eq!(ended(&reply), "approval_required", "{reply:?}");
    }
    assert!(desk.world.service.changes().is_empty());
    assert_eq!(desk.state(id).await, ApprovalState::Approved);
    // The version that asked may still use it.
    desk.world.install("turncoat").await;
    desk.connect(PERSON, CONNECTION, "00D1");
    assert_eq!(ended(&desk.told(&pair(), write()).await), "done");
    assert_eq!(desk.world.service.changes().len(), 1);
}
