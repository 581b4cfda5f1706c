//! Every combination of mode, effect, method, account, scope, trust and identity, and what must come of it.

use std::fmt::Write as _;

use portcullis::policy::{Effect, Mode, Scope};
use serde_json::{Value, json};

use crate::support::world::{Setup, call, event};
use crate::support::{World, ended, name};

const CONNECTOR: &str = "beyond-scope";

/// A request of the component's, to or with a `Contact`, and its field `name` where the host sees fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request {
    method: &'static str,
    target: &'static str,
    body: Option<&'static str>,
    effect: Effect,
    sees: Sees,
}

/// What the host sees of it by its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sees {
    /// It touches no kind.
    NoKind,
    Nothing,
    Kind,
    KindAndFields,
}

const REQUESTS: [Request; 10] = [
    Request {
        method: "GET",
        target: "/about",
        body: None,
        effect: Effect::Read,
        sees: Sees::NoKind,
    },
    Request {
        method: "GET",
        target: "/query?q=x",
        body: None,
        effect: Effect::Read,
        sees: Sees::Nothing,
    },
    Request {
        method: "GET",
        target: "/kind/Contact/1",
        body: None,
        effect: Effect::Read,
        sees: Sees::Kind,
    },
    Request {
        method: "HEAD",
        target: "/kind/Contact/1",
        body: None,
        effect: Effect::Read,
        sees: Sees::Kind,
    },
    Request {
        method: "POST",
        target: "/find",
        body: Some(r#"{"type":"Contact"}"#),
        effect: Effect::Read,
        sees: Sees::Kind,
    },
    Request {
        method: "PATCH",
        target: "/kind/contact/1",
        body: Some(r#"{"name":"x"}"#),
        effect: Effect::Write,
        sees: Sees::KindAndFields,
    },
    Request {
        method: "PUT",
        target: "/kind/Contact/1",
        body: Some(r#"{"name":"x"}"#),
        effect: Effect::Write,
        sees: Sees::KindAndFields,
    },
    Request {
        method: "POST",
        target: "/create",
        body: Some(r#"{"type":"Contact","fields":{"name":1}}"#),
        effect: Effect::Write,
        sees: Sees::KindAndFields,
    },
    Request {
        method: "POST",
        target: "/run",
        body: Some("{}"),
        effect: Effect::Write,
        sees: Sees::Nothing,
    },
    Request {
        method: "DELETE",
        target: "/kind/Contact/1",
        body: None,
        effect: Effect::Destructive,
        sees: Sees::Kind,
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    Own,
    Shared,
    Missing,
}

/// What the agent may touch, named by what it comes to for a `Contact` and its field `name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limits {
    None,
    /// Contacts and nothing else, whole.
    Kind,
    /// Something else.
    OtherKind,
    /// Contacts, but not another field.
    OtherFieldHidden,
    /// Contacts may be read, and only another field changed.
    OtherFieldChanged,
    ReadOnly,
}

const LIMITS: [Limits; 6] = [
    Limits::None,
    Limits::Kind,
    Limits::OtherKind,
    Limits::OtherFieldHidden,
    Limits::OtherFieldChanged,
    Limits::ReadOnly,
];

impl Limits {
    fn scope(self) -> Option<Scope> {
        let scope = match self {
            Self::None => return None,
            Self::Kind => json!({ "read": ["Contact"] }),
            Self::OtherKind => json!({ "read": ["Lead"] }),
            Self::OtherFieldHidden => {
                json!({ "read": ["Contact"], "deny_read": ["Contact.secret"] })
            }
            Self::OtherFieldChanged => json!({ "read": ["*"], "change": ["Contact.phone"] }),
            Self::ReadOnly => json!({ "read_only": true }),
        };
        Some(serde_json::from_value(scope).unwrap())
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    /// None: the default.
    mode: Option<Mode>,
    tool: Effect,
    request: Request,
    account: Account,
    limits: Limits,
    trusted: bool,
    offered: bool,
}

/// What must come of a case. It is written down from the issue, not from the code: in the order in which things are decided.
fn expected(case: &Case) -> &'static str {
    let Case {
        request,
        tool,
        limits,
        ..
    } = case;
    if !case.offered {
        return "refused not_offered";
    }
    let default = |shared: bool| match (tool, shared) {
        (Effect::Read, _) => Mode::Allow,
        (Effect::Write, false) => Mode::Ask,
        (Effect::Write, true) | (Effect::Destructive, _) => Mode::Disabled,
    };
    let mode = |shared| match limits {
        Limits::ReadOnly if *tool > Effect::Read => Mode::Disabled,
        _ => case.mode.unwrap_or(default(shared)),
    };
    // A shared account is not known to be missing before it is looked for.
    if mode(false) == Mode::Disabled {
        return "refused tool_disabled";
    }
    if case.account == Account::Missing {
        return "connect_required";
    }
    let mode = mode(case.account == Account::Shared);
    if mode == Mode::Disabled {
        return "refused tool_disabled";
    }
    if *tool == Effect::Read && mode == Mode::Ask {
        return "approval_required";
    }
    if request.effect > *tool {
        return "refused ceiling";
    }
    let changes = request.effect > Effect::Read;
    let names_kinds = !matches!(limits, Limits::None | Limits::ReadOnly);
    // Of every change it matters what it touches, for some kinds are guarded.
    let guards = changes;
    let is_unseen = match (request.sees, limits) {
        (Sees::NoKind, _) => false,
        (Sees::Nothing, _) => names_kinds || guards,
        (Sees::Kind, Limits::OtherKind) => return "refused scope",
        (Sees::Kind, Limits::OtherFieldHidden) => true,
        (Sees::Kind, Limits::OtherFieldChanged) => changes,
        (Sees::Kind, _) => false,
        (Sees::KindAndFields, Limits::OtherKind | Limits::OtherFieldChanged) => {
            return "refused scope";
        }
        (Sees::KindAndFields, _) => false,
    };
    if is_unseen && !case.trusted {
        return "refused scope";
    }
    // What is announced is a `Contact` with its field `name`.
    if changes && matches!(limits, Limits::OtherKind | Limits::OtherFieldChanged) {
        return "refused scope";
    }
    match (changes, mode) {
        (true, Mode::Ask) => "approval_required",
        _ => "done",
    }
}

fn arguments(request: Request) -> Value {
    let mut arguments = json!({ "method": request.method, "target": request.target });
    if let Some(body) = request.body {
        arguments["body"] = body.into();
    }
    if request.effect > Effect::Read {
        // As the path spells it.
        let kind = request
            .target
            .split('/')
            .nth(2)
            .filter(|kind| kind.eq_ignore_ascii_case("contact"));
        arguments["announce"] = json!([kind.unwrap_or("Contact")]);
        arguments["field"] = "name".into();
    }
    arguments
}

async fn world(shared: bool) -> World {
    let setup = Setup {
        shared,
        ..Setup::default()
    };
    World::new(setup, &["beyond_scope"]).await
}

fn tool(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Destructive => "destroy",
    }
}

async fn outcome(world: &World, case: &Case) -> portcullis::Reply {
    let connector = || name(CONNECTOR);
    world
        .permissions
        .change(name("desk"), connector(), |policy| {
            policy.rules.clear();
            policy.scope = case.limits.scope();
            policy.is_trusted = case.trusted;
        });
    if let Some(mode) = case.mode {
        world.mode(CONNECTOR, tool(case.tool), mode);
    }
    let mut call = call(CONNECTOR, tool(case.tool), arguments(case.request));
    if !case.offered {
        call.agent = name("other");
    }
    if case.account == Account::Missing {
        call.person = name("grace");
    }
    world.host.call(call).await
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for mode in [
        None,
        Some(Mode::Allow),
        Some(Mode::Ask),
        Some(Mode::Disabled),
    ] {
        for tool in [Effect::Read, Effect::Write, Effect::Destructive] {
            for request in REQUESTS {
                for account in [Account::Own, Account::Shared, Account::Missing] {
                    for limits in LIMITS {
                        for (trusted, offered) in [(false, true), (true, true), (true, false)] {
                            cases.push(Case {
                                mode,
                                tool,
                                request,
                                account,
                                limits,
                                trusted,
                                offered,
                            });
                        }
                    }
                }
            }
        }
    }
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "what it counted is worth reading")]
async fn every_combination_comes_to_what_it_must() {
    let (own, shared) = (world(false).await, world(true).await);
    let cases = cases();
    assert_eq!(cases.len(), 4 * 3 * 10 * 3 * 6 * 3);
    let mut counts = std::collections::BTreeMap::new();
    let mut wrong = String::new();
    for case in &cases {
        let world = match case.account {
            Account::Shared => &shared,
            Account::Own | Account::Missing => &own,
        };
        let before = world.service.seen().len();
        let reply = outcome(world, case).await;
        let ended = ended(&reply);
        *counts.entry(ended.clone()).or_insert(0_usize) += 1;
        if ended != expected(case) {
            writeln!(
                wrong,
                "{case:?}: {ended}, not {}: {:?}",
                expected(case),
                reply.outcome.message()
            )
            .unwrap();
        }
        // Nothing arrives but what was let through, and that a request rested on trust is written down.
        let sent = world.service.seen().len() - before;
        assert_eq!(sent, usize::from(ended == "done"), "{case:?}");
        let records = world.records(&reply);
        let has_unseen = records
            .iter()
            .any(|record| event(&record.event) == "unseen");
        assert!(!has_unseen || case.trusted, "{case:?}");
        let names_limits = !matches!(case.limits, Limits::None | Limits::ReadOnly);
        if ended == "done" && case.request.sees == Sees::Nothing && names_limits {
            assert!(has_unseen, "{case:?}");
        }
    }
    assert_eq!(wrong, "");
    // No end is missing, so that the table is not all of one answer.
    let ends: Vec<String> = counts
        .iter()
        .map(|(end, count)| format!("{count:>5} {end}"))
        .collect();
    println!("{} combinations:\n{}", cases.len(), ends.join("\n"));
    assert_eq!(counts.len(), 7, "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_what_and_why() {
    let world = world(false).await;
    let get = REQUESTS[2];
    let case = Case {
        mode: Some(Mode::Allow),
        tool: Effect::Read,
        request: get,
        account: Account::Own,
        limits: Limits::None,
        trusted: false,
        offered: true,
    };
    let mut said = String::new();
    for case in [
        Case {
            offered: false,
            ..case
        },
        Case {
            mode: Some(Mode::Disabled),
            ..case
        },
        Case {
            mode: None,
            tool: Effect::Destructive,
            ..case
        },
        Case {
            limits: Limits::ReadOnly,
            tool: Effect::Write,
            ..case
        },
        Case {
            account: Account::Missing,
            ..case
        },
        Case {
            mode: Some(Mode::Ask),
            ..case
        },
        Case {
            request: REQUESTS[5],
            ..case
        },
        Case {
            limits: Limits::OtherKind,
            ..case
        },
        Case {
            limits: Limits::Kind,
            request: REQUESTS[1],
            ..case
        },
        Case {
            limits: Limits::OtherFieldHidden,
            ..case
        },
        Case {
            limits: Limits::OtherFieldChanged,
            tool: Effect::Write,
            request: REQUESTS[5],
            ..case
        },
        Case {
            limits: Limits::OtherKind,
            tool: Effect::Write,
            request: REQUESTS[8],
            trusted: true,
            ..case
        },
        Case {
            tool: Effect::Write,
            request: REQUESTS[8],
            ..case
        },
        Case {
            tool: Effect::Write,
            request: Request {
                target: "/kind/User/1",
                ..REQUESTS[5]
            },
            ..case
        },
        Case {
            limits: Limits::Kind,
            tool: Effect::Write,
            request: Request {
                body: Some("[]"),
                ..REQUESTS[7]
            },
            ..case
        },
    ] {
        let reply = outcome(&world, &case).await;
        let opened = world
            .records(&reply)
            .into_iter()
            .find_map(|record| match record.event {
                portcullis::ports::audit::Event::Opened(opened) => Some(opened),
                _ => None,
            });
        let rule = opened.unwrap().rule.unwrap_or_default();
        let request = case.request;
        writeln!(
            said,
            "{} {} {} ({:?})",
            tool(case.tool),
            request.method,
            request.target,
            case.limits
        )
        .unwrap();
        writeln!(
            said,
            "  {}: {}",
            ended(&reply),
            reply.outcome.message().unwrap_or_default()
        )
        .unwrap();
        writeln!(said, "  rule: {rule}").unwrap();
    }
    insta::assert_snapshot!(said);
}
