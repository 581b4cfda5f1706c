//! The pages where a person decides.

use std::fmt::Write as _;

use http::StatusCode;
use jiff::Timestamp;
use portcullis::{Outcome, Reply, SentChange};
use portcullis_store::{ApprovalState, Held, Question};

use super::sign_in::SignOut;
use super::{Page, escaped, heading, list, paragraph};
use crate::Decided;

/// Characters of an answer that are shown to who approved the call.
const ANSWER_CHARS_MAX: usize = 4_000;

/// What the page of a question is made of.
pub(in crate::pages) struct Shown<'a> {
    pub(in crate::pages) question: &'a Question,
    pub(in crate::pages) action: String,
    pub(in crate::pages) token: String,
    pub(in crate::pages) yes: Yes,
    pub(in crate::pages) problem: Option<&'a str>,
    /// Where all questions are, for whoever may see them.
    pub(in crate::pages) all: Option<String>,
    pub(in crate::pages) sign_out: Option<SignOut>,
}

/// How a question is approved on its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pages) enum Yes {
    /// By a button.
    Button,
    /// With a passphrase.
    WithPassphrase,
    /// Not here, but on a terminal.
    Elsewhere,
}

/// A question in the list.
pub(in crate::pages) struct Listed {
    pub(in crate::pages) path: String,
    pub(in crate::pages) title: String,
    pub(in crate::pages) agent: String,
    pub(in crate::pages) since: Timestamp,
    pub(in crate::pages) state: ApprovalState,
}

impl Page {
    /// Shows a question, and how to decide where nobody has.
    pub(in crate::pages) fn question(shown: &Shown<'_>) -> Self {
        let approval = &shown.question.approval;
        let mut body = String::new();
        if let Some(problem) = shown.problem {
            body += &format!("<p role=\"alert\"><strong>{}</strong>", escaped(problem));
        }
        let title = match &shown.question.held {
            // The card has escaped what is in it.
            Some(Held { card, .. }) => {
                body += &card.html();
                card.title()
            }
            None => {
                body += &settled(shown.question);
                "It is decided".to_owned()
            }
        };
        if approval.state == ApprovalState::Pending {
            body += &forms(shown);
            body += &paragraph(&format!(
                "It waits until {}. If you do nothing, nothing is done.",
                approval.expires
            ));
        } else if shown.question.held.is_some() {
            body += &paragraph("You have approved this; it was not sent yet.");
        }
        if let Some(all) = &shown.all {
            let all = escaped(all);
            let _ = write!(body, "<p><a href=\"{all}\">All that waits for you</a>");
        }
        if let Some(sign_out) = &shown.sign_out {
            body += &sign_out.html();
        }
        let status = match shown.problem {
            Some(_) => StatusCode::FORBIDDEN,
            None => StatusCode::OK,
        };
        Self::new(status, &title, body)
    }

    /// Lists what waits for a person.
    pub(in crate::pages) fn questions(listed: &[Listed], count: u64) -> Self {
        let mut body = heading("What waits for you");
        if listed.is_empty() {
            body += &paragraph("Nothing waits for you.");
        }
        body += "<ul>";
        for one in listed {
            let state = match one.state {
                ApprovalState::Approved => ", approved and not sent yet",
                _ => "",
            };
            let _ = write!(
                body,
                "<li><a href=\"{}\">{}</a>, asked by the agent {} at {}{state}",
                escaped(&one.path),
                escaped(&one.title),
                escaped(&one.agent),
                escaped(&one.since.to_string()),
            );
        }
        body += "</ul>";
        let more = count.saturating_sub(listed.len() as u64);
        if more > 0 {
            body += &paragraph(&format!("{more} more: decide on these first."));
        }
        Self::new(StatusCode::OK, "What waits for you", body)
    }

    /// Says that there is no such question, whoever else has one.
    pub(in crate::pages) fn no_question() -> Self {
        Self::words(
            StatusCode::NOT_FOUND,
            "There is no such question of yours. Ask the agent again: it gives a new link.",
        )
    }

    /// Says that the question of a link is over.
    pub(in crate::pages) fn link_ended() -> Self {
        Self::words(
            StatusCode::GONE,
            "This link has ended with its question: that was decided, taken back, or not decided in time. `portcullis approvals list --all` says what became of it.",
        )
    }

    pub(in crate::pages) fn denied() -> Self {
        let mut body = heading("Denied");
        body += &paragraph(
            "Nothing was done, and exactly this is refused for ten minutes. The agent is told, with your reason.",
        );
        Self::new(StatusCode::OK, "Denied", body)
    }

    /// Says what came of a yes; `anew` is where it is asked again.
    pub(in crate::pages) fn approved(decided: &Decided, anew: Option<&str>) -> Self {
        let Some(reply) = &decided.reply else {
            let mut body = heading("Approved");
            body += &paragraph("The agent waited for it and goes on.");
            return Self::new(StatusCode::OK, "Approved", body);
        };
        let (title, mut body) = match &reply.outcome {
            Outcome::Done(output) => {
                let text: String = output.text.chars().take(ANSWER_CHARS_MAX).collect();
                let (title, words) = match (decided.is_kept, reply.sent.is_empty()) {
                    (true, _) => (
                        "Approved and done",
                        "The agent gets this when it asks again:",
                    ),
                    (false, false) => ("Approved and done", "The answer was:"),
                    (false, true) => (
                        "Approved, and nothing was sent",
                        "There was nothing left to do, and your yes is taken back. The answer was:",
                    ),
                };
                (
                    title,
                    paragraph(words) + &format!("<pre>{}</pre>", as_lines(&text)),
                )
            }
            Outcome::ApprovalRequired(asked) => {
                let mut body = paragraph("It is not the same any more, so nothing was sent:");
                body += &list(&asked.card.differs);
                if let Some(path) = anew {
                    let _ = write!(
                        body,
                        "<p><a href=\"{}\">Look at it as it is now</a>",
                        escaped(path)
                    );
                }
                ("Not done: look again", body)
            }
            outcome => {
                let message = outcome.message().unwrap_or_default();
                ("Approved, and not done", paragraph(message))
            }
        };
        body += &sent(reply);
        Self::new(StatusCode::OK, title, heading(title) + &body)
    }
}

/// Says what was sent where the call did not come to an answer.
fn sent(reply: &Reply) -> String {
    if matches!(reply.outcome, Outcome::Done(_)) {
        return String::new();
    }
    let sentences = reply.sent.iter().filter_map(SentChange::sentence);
    sentences.map(|sentence| paragraph(&sentence)).collect()
}

fn settled(question: &Question) -> String {
    let approval = &question.approval;
    let mut body = heading("It is decided");
    body += &paragraph(&format!(
        "What the agent {} asked for by {} is {}. What it was about is forgotten here.",
        approval.agent,
        approval.tool,
        approval.state.as_str()
    ));
    if let Some(reason) = &question.reason {
        body += &paragraph(&format!("The reason: {reason}"));
    }
    body
}

/// The two forms: one that approves, and one that denies.
fn forms(shown: &Shown<'_>) -> String {
    let begin = format!(
        "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"token\" value=\"{}\">",
        escaped(&shown.action),
        escaped(&shown.token)
    );
    let button = "<p><button type=\"submit\" name=\"decision\" value=\"approve\">Approve: do exactly this, once</button></form>";
    let mut forms = match shown.yes {
        Yes::Button => format!("{begin}{button}"),
        Yes::WithPassphrase => format!(
            "{begin}<p><label>Your passphrase <input type=\"password\" name=\"passphrase\" autocomplete=\"off\" required></label>{button}"
        ),
        Yes::Elsewhere => paragraph(&format!(
            "What destroys is not approved by a link alone: run `portcullis approvals approve {}` on a terminal, or set a passphrase (`portcullis approvals passphrase`) and open this page again.",
            shown.question.approval.id
        )),
    };
    forms += &begin;
    forms += "<p><label>Why not (the agent reads it) <input type=\"text\" name=\"reason\" maxlength=\"200\" autocomplete=\"off\"></label>\
              <p><button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button></form>";
    forms
}

/// Writes text so that it is text, in its own lines.
fn as_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escaped).collect();
    lines.join("\n")
}
