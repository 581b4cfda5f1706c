//! What this program's calls have not come to yet: their end, and the outcome of a change that was sent. A log that is closed meanwhile
//! must not read as if all was well.

use std::collections::{BTreeSet, HashMap};

use portcullis::CallId;
use portcullis::ports::audit::{Event, Record};
use portcullis_policy::Effect;

/// The calls of this program that have no end, or a change without an outcome.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    calls: HashMap<CallId, Course>,
}

#[derive(Debug, Default)]
struct Course {
    has_ended: bool,
    /// Changes that may be sent and have no outcome, by their numbers.
    changes: BTreeSet<u32>,
}

impl UnderWay {
    /// Takes over what was written of a call.
    pub(super) fn note(&mut self, record: &Record) {
        match &record.event {
            Event::Opened(_) => {
                self.calls.insert(record.call, Course::default());
            }
            Event::Intended(intent) if intent.effect > Effect::Read => {
                // One that is not known any more has ended.
                let course = self.calls.entry(record.call).or_insert_with(|| Course {
                    has_ended: true,
                    ..Course::default()
                });
                course.changes.insert(intent.request);
            }
            Event::Answered(answer) => {
                if let Some(course) = self.calls.get_mut(&record.call) {
                    course.changes.remove(&answer.request);
                }
            }
            Event::Closed(_) => {
                if let Some(course) = self.calls.get_mut(&record.call) {
                    course.has_ended = true;
                }
            }
            _ => return,
        }
        let is_over = |course: &Course| course.has_ended && course.changes.is_empty();
        if self.calls.get(&record.call).is_some_and(is_over) {
            self.calls.remove(&record.call);
        }
    }

    /// Gives the calls that have no end and no change that may be sent.
    pub(super) fn without_end(&self) -> Vec<CallId> {
        let is_cut_off = |course: &Course| !course.has_ended && course.changes.is_empty();
        let calls = self.calls.iter();
        let mut cut_off: Vec<CallId> = calls
            .filter(|(_, course)| is_cut_off(course))
            .map(|(call, _)| *call)
            .collect();
        cut_off.sort();
        cut_off
    }

    /// Says whether a change may be sent whose outcome is not written.
    pub(super) fn has_unclear(&self) -> bool {
        self.calls.values().any(|course| !course.changes.is_empty())
    }
}
