//! What is left of a round: what the org was asked for, what the log says, and what became of the question.

use std::fmt;

use portcullis::policy::Effect;
use portcullis::ports::audit::Event;
use portcullis::{ApprovalId, CallId};
use portcullis_store::{Activity, Approval, ApprovalState, CallEnd, Filter};
use salesforce_devorg::TakenChange;

use super::site::{Plan, Site};

/// How far a round had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// There is no question yet.
    Asking,
    /// The question waits.
    Asked,
    /// The person has said yes.
    Approved,
    /// The approval is used up, and the intent is not on record.
    Used,
    /// The intent is on record, and no answer.
    Sent,
    /// The answer is on record, and the call has no end.
    Answered,
    /// The call has ended, and the program has not.
    Closed,
    /// The program came to its end.
    Ended,
}

impl Stage {
    pub(super) const ALL: [Self; 8] = [
        Self::Asking,
        Self::Asked,
        Self::Approved,
        Self::Used,
        Self::Sent,
        Self::Answered,
        Self::Closed,
        Self::Ended,
    ];
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asking => "before the question was kept",
            Self::Asked => "before the yes",
            Self::Approved => "before the approval was used up",
            Self::Used => "before the intent was on record",
            Self::Sent => "before the answer was on record",
            Self::Answered => "before the call's end was",
            Self::Closed => "before the program's end",
            Self::Ended => "too late",
        })
    }
}

/// A call as its lines tell of it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) ended: CallEnd,
    /// The approval of each change that it was about to send, and whether its answer is on record.
    changes: Vec<(Option<ApprovalId>, bool)>,
}

impl Call {
    /// Says whether it has no end.
    fn is_cut(&self) -> bool {
        !matches!(self.ended, CallEnd::As(_))
    }

    /// Says whether a change of it has no outcome.
    pub(super) fn is_unclear(&self) -> bool {
        self.changes.iter().any(|(_, is_answered)| !is_answered)
    }
}

/// What can be seen of a round.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) taken: Vec<TakenChange>,
    pub(super) calls: Vec<Call>,
    pub(super) questions: Vec<Approval>,
    /// Whether a person is asked for it.
    is_asked: bool,
}

impl Seen {
    /// Gives the intents to send a change: of which calls, and by which approvals.
    pub(super) fn intents(&self) -> impl Iterator<Item = (CallId, Option<ApprovalId>)> {
        let calls = self.calls.iter();
        calls.flat_map(|call| call.changes.iter().map(|change| (call.id, change.0)))
    }

    pub(super) async fn of(site: &Site, plan: &Plan) -> Self {
        let activity = Activity::open(site.store.clone()).await.unwrap();
        let newest = Filter {
            limit: Some(12),
            ..Filter::default()
        };
        let mut calls = Vec::new();
        for row in activity.calls(&newest).await.unwrap().0 {
            let mut call = Call {
                id: row.id,
                ended: row.ended.clone(),
                changes: Vec::new(),
            };
            let mut is_of_plan = false;
            let mut numbers = Vec::new();
            for line in activity.lines(&row).await.unwrap() {
                match line.record.event {
                    Event::Opened(opened) => {
                        is_of_plan = opened.arguments.expose().contains(&plan.value);
                    }
                    Event::Intended(intent) if intent.effect > Effect::Read => {
                        numbers.push(intent.request);
                        call.changes.push((intent.approval, false));
                    }
                    Event::Answered(answer) => {
                        if let Some(at) = numbers.iter().position(|it| *it == answer.request) {
                            call.changes[at].1 = true;
                        }
                    }
                    _ => {}
                }
            }
            if is_of_plan {
                calls.push(call);
            }
        }
        let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
        let mut questions = site.questions().await;
        questions.retain(|question| ids.contains(&question.call));
        let mut taken = site.org.taken_changes();
        taken.retain(|change| change.body.contains(&plan.value));
        Self {
            taken,
            calls,
            questions,
            is_asked: plan.runner.asks(),
        }
    }

    /// Says how far it had come, when the program was killed or ended by itself.
    pub(super) fn stage(&self, was_running: bool) -> Stage {
        let changes = || self.calls.iter().flat_map(|call| &call.changes);
        match self.questions[..] {
            [] if self.is_asked => Stage::Asking,
            [] if changes().next().is_none() => Stage::Used,
            [] if changes().any(|(_, is_answered)| !is_answered) => Stage::Sent,
            [] if self.calls.iter().any(Call::is_cut) => Stage::Answered,
            [] if was_running => Stage::Closed,
            [] => Stage::Ended,
            [ref question, ..] => match question.state {
                ApprovalState::Pending => Stage::Asked,
                ApprovalState::Approved => Stage::Approved,
                _ if changes().next().is_none() => Stage::Used,
                _ if changes().any(|(_, is_answered)| !is_answered) => Stage::Sent,
                _ if self.calls.iter().any(Call::is_cut) => Stage::Answered,
                _ if was_running => Stage::Closed,
                _ => Stage::Ended,
            },
        }
    }

    /// Asserts what holds at every moment.
    pub(super) fn holds(&self, about: &str) {
        // No write happens twice.
        assert!(self.taken.len() <= 1, "made twice: {about}");
        // None without its intent on record,
        let intents: Vec<_> = self.intents().collect();
        assert!(intents.len() <= 1, "intended twice: {about}");
        assert!(
            self.taken.len() <= intents.len(),
            "without an intent: {about}"
        );
        // nor without its approval, which is used up by this very call.
        for (call, approval) in intents {
            if !self.is_asked {
                assert_eq!(approval, None, "{about}");
                continue;
            }
            let question = self.questions.iter().find(|it| Some(it.id) == approval);
            let is_used = question.is_some_and(|question| {
                question.state == ApprovalState::Used && question.used_by == Some(call)
            });
            assert!(is_used, "without its approval: {about}");
        }
    }
}
