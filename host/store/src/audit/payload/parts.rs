//! Which part of an event is plain, and which is sealed.

use std::borrow::Cow;

use portcullis::ports::audit::{Closed, Event, Intent, Opened};
use portcullis::ports::{Caller, Sensitive};
use portcullis_policy::Effect;

use super::form::{Hidden, HiddenSource, Plain, PlainClosed, PlainOpened, PlainUnsent};
use super::outline::outline;

mod change;
mod names;
mod request;
mod source;

use change::{hidden_change, join_change, plain_change};
use request::{join_answer, join_intent, plain_intent, split_answer};
use source::{hidden_source, join_source, plain_source};

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
