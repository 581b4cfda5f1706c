//! Which part of an event is plain, and which is sealed.

use portcullis::ports::audit::{Answer, Closed, Event, Intent, Opened, RequestEnd, Source};
use portcullis::ports::{Caller, Sensitive};
use portcullis_policy::{
    AgentId, Change, ConnectionId, ConnectorName, Digest, Effect, FieldChange, Method, Mode,
    Origin, PersonId, ToolName,
};
use serde::{Deserialize, Serialize};

use super::super::lines::Note;

/// Bytes of one text that are kept; what is longer says so.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Names, ids, digests and counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::audit) enum Plain {
    Opened(Box<PlainOpened>),
    Step,
    Cited(Vec<PlainSource>),
    Announced(Vec<PlainChange>),
    Intended(Box<PlainIntent>),
    Answered(PlainAnswer),
    Denied { request: u32, code: String },
    Closed(PlainClosed),
    CutOff { unclear: Vec<u32> },
    Note(Note),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainOpened {
    pub(in crate::audit) person: PersonId,
    pub(in crate::audit) agent: AgentId,
    pub(in crate::audit) connector: ConnectorName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) component: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) tool: Option<ToolName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) effect: Option<Effect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) mode: Option<Mode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) connection: Option<ConnectionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainSource {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainChange {
    action: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<PlainField>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PlainField {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainIntent {
    pub(in crate::audit) request: u32,
    pub(in crate::audit) effect: Effect,
    method: Method,
    origin: Origin,
    route: String,
    pub(in crate::audit) body_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainAnswer {
    pub(in crate::audit) request: u32,
    pub(in crate::audit) effect: Effect,
    pub(in crate::audit) end: PlainEnd,
    #[serde(default)]
    renewed: bool,
    elapsed_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::audit) enum PlainEnd {
    Status(u16),
    NotModified,
    NotSent,
    Unclear,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainClosed {
    pub(in crate::audit) outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) code: Option<String>,
    dropped: u32,
    #[serde(default)]
    pub(in crate::audit) received_bytes: u64,
    pub(in crate::audit) elapsed_us: u64,
}

/// Queries, labels, addresses, messages and arguments.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::audit) enum Hidden {
    Arguments(String),
    Step(String, Option<String>),
    /// The label and the address of each source.
    Cited(Vec<(Option<String>, Option<String>)>),
    Announced(Vec<HiddenChange>),
    Intended {
        path: String,
        body: Digest,
    },
    /// A reason or a message.
    Text(String),
}

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::audit) struct HiddenChange {
    label: String,
    url: Option<String>,
    notes: Vec<String>,
    undo: Option<String>,
    /// The label of each field, and its values where they are kept.
    fields: Vec<(String, Option<String>, Option<String>)>,
}

/// Takes an event apart.
pub(super) fn split(event: &Event, keeps_values: bool) -> (Plain, Option<Hidden>) {
    match event {
        Event::Opened(opened) => (
            Plain::Opened(Box::new(plain_opened(opened))),
            Some(Hidden::Arguments(text(&opened.arguments))),
        ),
        Event::Step { title, detail } => (
            Plain::Step,
            Some(Hidden::Step(text(title), detail.as_ref().map(text))),
        ),
        Event::Cited(sources) => {
            let hidden = sources
                .iter()
                .map(|source| (source.label.as_ref().map(text), source.url.clone()));
            let hidden = Hidden::Cited(hidden.collect());
            (
                Plain::Cited(sources.iter().map(plain_source).collect()),
                Some(hidden),
            )
        }
        Event::Announced(changes) => {
            let hidden = changes
                .iter()
                .map(|change| hidden_change(change, keeps_values));
            let hidden = Hidden::Announced(hidden.collect());
            (
                Plain::Announced(changes.iter().map(plain_change).collect()),
                Some(hidden),
            )
        }
        Event::Intended(intent) => (
            Plain::Intended(Box::new(plain_intent(intent))),
            Some(Hidden::Intended {
                path: text(&intent.path),
                body: intent.body,
            }),
        ),
        Event::Answered(answer) => split_answer(answer),
        Event::Denied {
            request,
            code,
            message,
        } => (
            Plain::Denied {
                request: *request,
                code: code.clone().into_owned(),
            },
            Some(Hidden::Text(text(message))),
        ),
        Event::Closed(closed) => (
            Plain::Closed(PlainClosed {
                outcome: closed.outcome.clone().into_owned(),
                code: closed.code.clone().map(Into::into),
                dropped: closed.dropped,
                received_bytes: closed.received_bytes,
                elapsed_us: closed.elapsed_us,
            }),
            closed
                .message
                .as_ref()
                .map(|message| Hidden::Text(text(message))),
        ),
        Event::CutOff { unclear } => (
            Plain::CutOff {
                unclear: unclear.clone(),
            },
            None,
        ),
        // One that is new in the library is kept as its `Debug`, which has no values, until it has a form of its own.
        other => (
            Plain::Step,
            Some(Hidden::Step("other".to_owned(), Some(format!("{other:?}")))),
        ),
    }
}

/// Puts an event together again; none where the parts do not belong together.
pub(super) fn join(plain: Plain, hidden: Option<Hidden>) -> Option<Event> {
    Some(match (plain, hidden) {
        (Plain::Opened(opened), Some(Hidden::Arguments(arguments))) => {
            Event::Opened(join_opened(*opened, arguments))
        }
        (Plain::Step, Some(Hidden::Step(title, detail))) => Event::Step {
            title: Sensitive::new(title),
            detail: detail.map(Sensitive::new),
        },
        (Plain::Cited(sources), Some(Hidden::Cited(hidden))) => {
            let both = sources.into_iter().zip(hidden);
            Event::Cited(
                both.map(|(plain, hidden)| join_source(plain, hidden))
                    .collect(),
            )
        }
        (Plain::Announced(changes), Some(Hidden::Announced(hidden))) => {
            let both = changes.into_iter().zip(hidden);
            Event::Announced(
                both.map(|(plain, hidden)| join_change(plain, hidden))
                    .collect(),
            )
        }
        (Plain::Intended(intent), Some(Hidden::Intended { path, body })) => {
            Event::Intended(join_intent(*intent, path, body)?)
        }
        (Plain::Answered(answer), hidden) => Event::Answered(join_answer(answer, hidden)),
        (Plain::Denied { request, code }, Some(Hidden::Text(message))) => Event::Denied {
            request,
            code: code.into(),
            message: Sensitive::new(message),
        },
        (Plain::Closed(closed), hidden) => Event::Closed(Closed {
            outcome: closed.outcome.into(),
            code: closed.code.map(Into::into),
            message: match hidden {
                Some(Hidden::Text(message)) => Some(Sensitive::new(message)),
                _ => None,
            },
            dropped: closed.dropped,
            received_bytes: closed.received_bytes,
            elapsed_us: closed.elapsed_us,
        }),
        (Plain::CutOff { unclear }, _) => Event::CutOff { unclear },
        _ => return None,
    })
}

fn text(text: &Sensitive) -> String {
    cut(text.expose())
}

fn cut(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    format!("{} [{} bytes cut]", &text[..end], text.len() - end)
}

fn plain_opened(opened: &Opened) -> PlainOpened {
    PlainOpened {
        person: opened.caller.person.clone(),
        agent: opened.caller.agent.clone(),
        connector: opened.connector.clone(),
        version: opened.version.clone(),
        component: opened.component,
        tool: opened.tool.clone(),
        effect: opened.effect,
        mode: opened.mode,
        rule: opened.rule.clone(),
        connection: opened.connection.clone(),
    }
}

fn join_opened(opened: PlainOpened, arguments: String) -> Opened {
    Opened {
        caller: Caller {
            agent: opened.agent,
            person: opened.person,
        },
        connector: opened.connector,
        version: opened.version,
        component: opened.component,
        tool: opened.tool,
        effect: opened.effect,
        mode: opened.mode,
        rule: opened.rule,
        connection: opened.connection,
        arguments: Sensitive::new(arguments),
    }
}

fn plain_source(source: &Source) -> PlainSource {
    PlainSource {
        kind: source.kind.clone(),
        id: source.id.clone(),
        fields: source.fields.clone(),
    }
}

fn join_source(plain: PlainSource, (label, url): (Option<String>, Option<String>)) -> Source {
    Source {
        kind: plain.kind,
        id: plain.id,
        label: label.map(Sensitive::new),
        url,
        fields: plain.fields,
    }
}

fn plain_change(change: &Change) -> PlainChange {
    let field = |field: &FieldChange| PlainField {
        name: field.name.clone(),
        pointer: field.pointer.clone(),
    };
    PlainChange {
        action: change.action.clone(),
        kind: change.kind.clone(),
        id: change.id.clone(),
        fields: change.fields.iter().map(field).collect(),
    }
}

fn hidden_change(change: &Change, keeps_values: bool) -> HiddenChange {
    let kept = |value: &Option<String>| value.as_deref().filter(|_| keeps_values).map(cut);
    let field = |field: &FieldChange| (cut(&field.label), kept(&field.before), kept(&field.after));
    HiddenChange {
        label: cut(&change.label),
        url: change.url.clone(),
        notes: change.notes.iter().map(|note| cut(note)).collect(),
        undo: change.undo.as_deref().map(cut),
        fields: change.fields.iter().map(field).collect(),
    }
}

fn join_change(plain: PlainChange, hidden: HiddenChange) -> Change {
    let fields = plain.fields.into_iter().zip(hidden.fields);
    Change {
        action: plain.action,
        kind: plain.kind,
        id: plain.id,
        label: hidden.label,
        url: hidden.url,
        fields: fields
            .map(|(field, (label, before, after))| FieldChange {
                name: field.name,
                label,
                before,
                after,
                pointer: field.pointer,
            })
            .collect(),
        notes: hidden.notes,
        undo: hidden.undo,
    }
}

fn plain_intent(intent: &Intent) -> PlainIntent {
    PlainIntent {
        request: intent.request,
        effect: intent.effect,
        method: intent.method,
        origin: intent.origin.clone(),
        route: intent.route.clone(),
        body_bytes: u64::try_from(intent.body_bytes).unwrap_or(u64::MAX),
        approval: intent.approval.map(|approval| approval.to_string()),
    }
}

fn join_intent(plain: PlainIntent, path: String, body: Digest) -> Option<Intent> {
    Some(Intent {
        request: plain.request,
        method: plain.method,
        origin: plain.origin,
        route: plain.route,
        path: Sensitive::new(path),
        effect: plain.effect,
        body,
        body_bytes: usize::try_from(plain.body_bytes).unwrap_or(usize::MAX),
        approval: plain.approval.map(|id| id.parse()).transpose().ok()?,
    })
}

fn split_answer(answer: &Answer) -> (Plain, Option<Hidden>) {
    let (end, reason) = match &answer.end {
        RequestEnd::Status(status) => (PlainEnd::Status(*status), None),
        RequestEnd::NotModified => (PlainEnd::NotModified, None),
        RequestEnd::NotSent(reason) => (PlainEnd::NotSent, Some(reason)),
        RequestEnd::Unclear(reason) => (PlainEnd::Unclear, Some(reason)),
    };
    let plain = PlainAnswer {
        request: answer.request,
        effect: answer.effect,
        end,
        renewed: answer.renewed,
        elapsed_us: answer.elapsed_us,
        body_bytes: answer.body_bytes,
    };
    (
        Plain::Answered(plain),
        reason.map(|reason| Hidden::Text(cut(reason))),
    )
}

fn join_answer(plain: PlainAnswer, hidden: Option<Hidden>) -> Answer {
    let reason = match hidden {
        Some(Hidden::Text(reason)) => reason,
        _ => String::new(),
    };
    Answer {
        request: plain.request,
        effect: plain.effect,
        end: match plain.end {
            PlainEnd::Status(status) => RequestEnd::Status(status),
            PlainEnd::NotModified => RequestEnd::NotModified,
            PlainEnd::NotSent => RequestEnd::NotSent(reason),
            PlainEnd::Unclear => RequestEnd::Unclear(reason),
        },
        renewed: plain.renewed,
        elapsed_us: plain.elapsed_us,
        body_bytes: plain.body_bytes,
    }
}
