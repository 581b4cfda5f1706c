//! Which part of an event is plain, and which is sealed.

use std::borrow::Cow;

use portcullis::ports::audit::{
    Answer, Closed, Event, IntendedPart, Intent, Opened, RequestEnd, Source,
};
use portcullis::ports::{Caller, Sensitive};
use portcullis_policy::{Change, Digest, Effect, FieldChange};

use super::form::{
    Hidden, HiddenChange, HiddenNames, HiddenSource, Name, Plain, PlainAnswer, PlainChange,
    PlainClosed, PlainEnd, PlainField, PlainIntent, PlainOpened, PlainPart, PlainSource,
    PlainUnsent,
};
use super::outline::outline;

/// Bytes of one text that are kept; what is longer says so.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Takes an event apart.
pub(super) fn split(event: &Event, keeps_values: bool) -> (Plain<'_>, Option<Hidden<'_>>) {
    match event {
        Event::Opened(opened) => (
            Plain::Opened(Box::new(plain_opened(opened))),
            Some(Hidden::Arguments(kept_arguments(opened, keeps_values))),
        ),
        Event::Step { title, detail } => (
            Plain::Step,
            Some(Hidden::Step(text(title), detail.as_ref().map(text))),
        ),
        Event::Cited(sources) => {
            let hidden = Hidden::Sources(sources.iter().map(hidden_source).collect());
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
                message: intent.message.as_ref().map(text),
                parts: intent.parts.iter().map(|part| text(&part.path)).collect(),
                body: intent.body,
                finds_out: intent.finds_out.clone(),
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
        Event::Closed(closed) => split_closed(closed),
        Event::CutOff { unclear } => (
            Plain::CutOff {
                unclear: unclear.clone(),
            },
            None,
        ),
        Event::Fetched { approval, call } => (
            Plain::Fetched {
                approval: approval.to_string(),
                call: call.to_string(),
            },
            None,
        ),
        Event::Unseen { request, route } => (
            Plain::Unseen {
                request: *request,
                route: route.clone(),
            },
            None,
        ),
        Event::Unsent {
            request,
            attempt,
            body_bytes,
            why,
        } => (
            Plain::Unsent(PlainUnsent {
                request: *request,
                attempt: *attempt,
                body_bytes: u64::try_from(*body_bytes).unwrap_or(u64::MAX),
            }),
            Some(Hidden::Text(text(why))),
        ),
        // One that is new in the library is kept as its `Debug`, which has no values, until it has a form of its own.
        other => (
            Plain::Step,
            Some(Hidden::Step("other".to_owned(), Some(format!("{other:?}")))),
        ),
    }
}

/// Puts an event together again; none where the parts do not belong together.
pub(super) fn join(plain: Plain<'_>, hidden: Option<Hidden<'_>>) -> Option<Event> {
    Some(match (plain, hidden) {
        (Plain::Opened(opened), Some(Hidden::Arguments(arguments))) => {
            Event::Opened(join_opened(*opened, arguments))
        }
        (Plain::Step, Some(Hidden::Step(title, detail))) => Event::Step {
            title: Sensitive::new(title),
            detail: detail.map(Sensitive::new),
        },
        (Plain::Cited(sources), Some(Hidden::Cited(hidden))) => {
            let hidden = hidden.into_iter().map(|(label, url)| HiddenSource {
                label: label.map(Cow::Owned),
                url: url.map(Cow::Owned),
                names: None,
            });
            let both = sources.into_iter().zip(hidden);
            Event::Cited(
                both.map(|(plain, hidden)| join_source(plain, hidden))
                    .collect(),
            )
        }
        (Plain::Cited(sources), Some(Hidden::Sources(hidden))) => {
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
        (
            Plain::Intended(intent),
            Some(Hidden::Intended {
                path,
                message,
                parts,
                body,
                finds_out,
            }),
        ) => Event::Intended(Intent {
            finds_out,
            message: message.map(Sensitive::new),
            ..join_intent(*intent, path, parts, body)?
        }),
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
        (Plain::Fetched { approval, call }, _) => Event::Fetched {
            approval: approval.parse().ok()?,
            call: call.parse().ok()?,
        },
        (Plain::Unseen { request, route }, _) => Event::Unseen { request, route },
        (Plain::Unsent(unsent), Some(Hidden::Text(why))) => Event::Unsent {
            request: unsent.request,
            attempt: unsent.attempt,
            body_bytes: usize::try_from(unsent.body_bytes).unwrap_or(usize::MAX),
            why: Sensitive::new(why),
        },
        _ => return None,
    })
}

fn text(text: &Sensitive) -> String {
    cut(text.expose())
}

fn cut(text: &str) -> String {
    shortened(text).into_owned()
}

fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    Cow::Owned(format!("{} [{} bytes cut]", &text[..end], text.len() - end))
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

/// What an administrator did not ask for is not kept of a change, sealed or not.
fn kept_arguments(opened: &Opened, keeps_values: bool) -> String {
    match opened.effect {
        Some(Effect::Read) => text(&opened.arguments),
        _ if keeps_values => text(&opened.arguments),
        _ => cut(&outline(opened.arguments.expose())),
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

fn plain_source(source: &Source) -> PlainSource<'_> {
    match are_names(source) {
        true => PlainSource {
            kind: Cow::Borrowed(&source.kind),
            id: source.id.as_deref().map(Cow::Borrowed),
            fields: source.fields.iter().map(|name| Name::of(name)).collect(),
        },
        false => PlainSource {
            kind: Cow::Borrowed(""),
            id: None,
            fields: Vec::new(),
        },
    }
}

/// Says whether all that a source names are names as they stand in the clear.
fn are_names(source: &Source) -> bool {
    let mut names = [&source.kind]
        .into_iter()
        .chain(&source.id)
        .chain(&source.fields);
    names.all(|name| is_name(name))
}

fn hidden_source(source: &Source) -> HiddenSource<'_> {
    HiddenSource {
        label: source.label.as_ref().map(|label| shortened(label.expose())),
        url: source.url.as_deref().map(Cow::Borrowed),
        names: (!are_names(source)).then(|| HiddenNames {
            action: String::new(),
            kind: cut(&source.kind),
            id: source.id.as_deref().map(cut),
            fields: source
                .fields
                .iter()
                .map(|field| (cut(field), None))
                .collect(),
        }),
    }
}

fn join_source(plain: PlainSource<'_>, hidden: HiddenSource<'_>) -> Source {
    let HiddenSource { label, url, names } = hidden;
    let (kind, id, fields) = match names {
        Some(names) => {
            let fields = names.fields.into_iter().map(|(name, _)| name);
            (names.kind, names.id, fields.collect())
        }
        None => (
            plain.kind.into_owned(),
            plain.id.map(Cow::into_owned),
            plain
                .fields
                .into_iter()
                .map(|Name(name)| name.into_owned())
                .collect(),
        ),
    };
    Source {
        kind,
        id,
        label: label.map(|label| Sensitive::new(label.into_owned())),
        url: url.map(Cow::into_owned),
        fields,
    }
}

/// Characters of a name that stands in the clear, and of a place in a body.
const NAME_LEN_MAX: usize = 128;
const POINTER_LEN_MAX: usize = 256;

/// Says whether a text is shaped as the names and ids of services are. What a connector calls a name may be anything that it has read, so
/// whatever is not shaped so is sealed. One word of a record that is passed off as a name is not told from one.
fn is_name(text: &str) -> bool {
    let is_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':');
    (1..=NAME_LEN_MAX).contains(&text.len()) && text.bytes().all(is_of_name)
}

fn is_pointer(text: &str) -> bool {
    let mut segments = text
        .strip_prefix('/')
        .into_iter()
        .flat_map(|rest| rest.split('/'));
    let is_segment = |segment: &str| segment.is_empty() || is_name(&segment.replace('~', "_"));
    text.is_empty()
        || (text.len() <= POINTER_LEN_MAX && text.starts_with('/') && segments.all(is_segment))
}

fn plain_change(change: &Change) -> PlainChange {
    let field = |field: &FieldChange| PlainField {
        name: field.name.clone(),
        pointer: field.pointer.clone(),
    };
    match change_names(change) {
        None => PlainChange {
            action: change.action.clone(),
            kind: change.kind.clone(),
            id: change.id.clone(),
            fields: change.fields.iter().map(field).collect(),
        },
        Some(_) => PlainChange {
            action: String::new(),
            kind: String::new(),
            id: None,
            fields: Vec::new(),
        },
    }
}

/// What a change names, where any of it is none of the names that stand in the clear.
fn change_names(change: &Change) -> Option<HiddenNames> {
    let mut names = [&change.action, &change.kind].into_iter().chain(&change.id);
    let is_field = |field: &FieldChange| {
        is_name(&field.name) && field.pointer.as_deref().is_none_or(is_pointer)
    };
    let are_names = names.all(|name| is_name(name)) && change.fields.iter().all(is_field);
    let field = |field: &FieldChange| (cut(&field.name), field.pointer.as_deref().map(cut));
    (!are_names).then(|| HiddenNames {
        action: cut(&change.action),
        kind: cut(&change.kind),
        id: change.id.as_deref().map(cut),
        fields: change.fields.iter().map(field).collect(),
    })
}

/// The notes and the undo are the connector's own words and may quote values, so they are kept only where values are.
fn hidden_change(change: &Change, keeps_values: bool) -> HiddenChange {
    let words = change.notes.iter().filter(|_| keeps_values);
    let kept = |value: &Option<String>| value.as_deref().filter(|_| keeps_values).map(cut);
    let field = |field: &FieldChange| (cut(&field.label), kept(&field.before), kept(&field.after));
    HiddenChange {
        label: cut(&change.label),
        url: change.url.clone(),
        notes: words.map(|note| cut(note)).collect(),
        undo: kept(&change.undo),
        fields: change.fields.iter().map(field).collect(),
        names: change_names(change),
    }
}

fn join_change(plain: PlainChange, hidden: HiddenChange) -> Change {
    let plain = match hidden.names {
        None => plain,
        Some(names) => PlainChange {
            action: names.action,
            kind: names.kind,
            id: names.id,
            fields: names
                .fields
                .into_iter()
                .map(|(name, pointer)| PlainField { name, pointer })
                .collect(),
        },
    };
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
        attempt: intent.attempt,
        effect: intent.effect,
        method: intent.method,
        origin: intent.origin.clone(),
        route: intent.route.clone(),
        parts: intent.parts.iter().map(plain_part).collect(),
        body_bytes: u64::try_from(intent.body_bytes).unwrap_or(u64::MAX),
        approval: intent.approval.map(|approval| approval.to_string()),
    }
}

fn plain_part(part: &IntendedPart) -> PlainPart {
    PlainPart {
        method: part.method,
        route: part.route.clone(),
    }
}

fn join_intent(
    plain: PlainIntent,
    path: String,
    parts: Vec<String>,
    body: Digest,
) -> Option<Intent> {
    let parts = plain.parts.into_iter().zip(parts);
    let part = |(plain, path): (PlainPart, String)| IntendedPart {
        method: plain.method,
        route: plain.route,
        path: Sensitive::new(path),
    };
    Some(Intent {
        parts: parts.map(part).collect(),
        request: plain.request,
        attempt: plain.attempt,
        method: plain.method,
        origin: plain.origin,
        route: plain.route,
        path: Sensitive::new(path),
        message: None,
        effect: plain.effect,
        body,
        body_bytes: usize::try_from(plain.body_bytes).unwrap_or(usize::MAX),
        approval: plain.approval.map(|id| id.parse()).transpose().ok()?,
        finds_out: None,
    })
}

fn split_answer(answer: &Answer) -> (Plain<'static>, Option<Hidden<'static>>) {
    let (end, reason) = match &answer.end {
        RequestEnd::Status(status) => (PlainEnd::Status(*status), None),
        RequestEnd::Refused(status) => (PlainEnd::Refused(*status), None),
        RequestEnd::InPart {
            status,
            refused,
            of,
        } => {
            let (status, refused, of) = (*status, refused.clone(), *of);
            let end = PlainEnd::InPart {
                status,
                refused,
                of,
            };
            (end, None)
        }
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

fn join_answer(plain: PlainAnswer, hidden: Option<Hidden<'_>>) -> Answer {
    let reason = match hidden {
        Some(Hidden::Text(reason)) => reason,
        _ => String::new(),
    };
    Answer {
        request: plain.request,
        effect: plain.effect,
        end: match plain.end {
            PlainEnd::Status(status) => RequestEnd::Status(status),
            PlainEnd::Refused(status) => RequestEnd::Refused(status),
            PlainEnd::InPart {
                status,
                refused,
                of,
            } => RequestEnd::InPart {
                status,
                refused,
                of,
            },
            PlainEnd::NotModified => RequestEnd::NotModified,
            PlainEnd::NotSent => RequestEnd::NotSent(reason),
            PlainEnd::Unclear => RequestEnd::Unclear(reason),
        },
        renewed: plain.renewed,
        elapsed_us: plain.elapsed_us,
        body_bytes: plain.body_bytes,
    }
}

fn split_closed(closed: &Closed) -> (Plain<'static>, Option<Hidden<'static>>) {
    let plain = PlainClosed {
        outcome: closed.outcome.clone().into_owned(),
        code: closed.code.clone().map(Into::into),
        dropped: closed.dropped,
        received_bytes: closed.received_bytes,
        elapsed_us: closed.elapsed_us,
    };
    let message = closed.message.as_ref();
    (
        Plain::Closed(plain),
        message.map(|message| Hidden::Text(text(message))),
    )
}
