//! The audit log, with somebody who watches what is written into it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use portcullis::CallId;
use portcullis::ports::PortError;
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};

#[cfg(feature = "otlp")]
use crate::Exporting;
use crate::Numbers;
use crate::seen::{CallBegun, CallEnded, RequestEnded, RequestSeen};
use crate::{Answered, Asked, SessionEnded};

/// Who watches.
#[derive(Clone, Debug, Default)]
pub struct Watchers {
    /// Counts for Prometheus.
    pub numbers: Option<Numbers>,
    /// Tells a collector.
    #[cfg(feature = "otlp")]
    pub exporting: Option<Exporting>,
}

impl Watchers {
    /// Says whether nobody watches.
    pub fn is_empty(&self) -> bool {
        #[cfg(feature = "otlp")]
        let tells = self.exporting.is_some();
        #[cfg(not(feature = "otlp"))]
        let tells = false;
        self.numbers.is_none() && !tells
    }

    /// Tells of a request of the protocol that was answered. A collector is told of what a call was made for by that call.
    pub fn answered(&self, asked: &Asked, answered: &Answered) {
        if let Some(numbers) = &self.numbers {
            numbers.operation(asked, answered);
        }
        #[cfg(feature = "otlp")]
        if let Some(exporting) = self.exporting.as_ref().filter(|_| !asked.is_told()) {
            exporting.answered(asked, answered);
        }
    }

    /// Tells of a session that ended.
    pub fn session(&self, session: &SessionEnded<'_>) {
        if let Some(numbers) = &self.numbers {
            numbers.session(session);
        }
        #[cfg(feature = "otlp")]
        if let Some(exporting) = &self.exporting {
            exporting.session(session);
        }
    }

    fn call(&self, call: &CallBegun, ended: &CallEnded) {
        if let Some(numbers) = &self.numbers {
            numbers.call(call, ended);
        }
        #[cfg(feature = "otlp")]
        if let Some(exporting) = &self.exporting {
            exporting.call(call, ended);
        }
    }

    fn request(&self, connector: &str, request: &RequestSeen, ended: &RequestEnded) {
        if let Some(numbers) = &self.numbers {
            numbers.request(connector, &request.method, request.effect, ended);
        }
        #[cfg(feature = "otlp")]
        if let Some(exporting) = &self.exporting {
            exporting.request(connector, request, ended);
        }
    }

    fn denied(&self, connector: &str, code: &str) {
        if let Some(numbers) = &self.numbers {
            numbers.denied(connector, code);
        }
    }
}

/// An audit log that is watched. It writes what it is given, and fails where that fails: who watches changes nothing.
pub struct Watched {
    log: Arc<dyn AuditLog>,
    watchers: Watchers,
    under_way: Mutex<HashMap<CallId, CallBegun>>,
}

impl Watched {
    /// Watches a log.
    pub fn new(log: Arc<dyn AuditLog>, watchers: Watchers) -> Self {
        Self {
            log,
            watchers,
            under_way: Mutex::default(),
        }
    }

    /// Looks at a record that is about to be written.
    fn look(&self, record: &Record) {
        match &record.event {
            Event::Opened(opened) => {
                let begun = CallBegun::new(record.call, record.at, opened);
                self.under_way().insert(record.call, begun);
            }
            Event::Intended(intent) => {
                if let Some(call) = self.under_way().get_mut(&record.call) {
                    call.requests.push(RequestSeen::new(record.at, intent));
                }
            }
            Event::Answered(answer) => {
                let ended = RequestEnded::from(answer);
                // One that ends after its call was given up is in the log alone.
                let seen = self.under_way().get_mut(&record.call).and_then(|call| {
                    let number = answer.request;
                    let mut requests = call.requests.iter_mut();
                    let request = requests.find(|request| request.number == number)?;
                    request.end = Some(ended.clone());
                    Some((call.connector.clone(), request.clone()))
                });
                if let Some((connector, request)) = seen {
                    self.watchers.request(&connector, &request, &ended);
                }
            }
            Event::Denied { code, .. } => {
                let under_way = self.under_way();
                let connector = under_way.get(&record.call);
                if let Some(connector) = connector.map(|call| call.connector.clone()) {
                    drop(under_way);
                    self.watchers.denied(&connector, code);
                }
            }
            Event::Closed(closed) => {
                let call = self.under_way().remove(&record.call);
                if let Some(call) = call {
                    self.watchers.call(&call, &CallEnded::from(closed));
                }
            }
            _ => {}
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<CallId, CallBegun>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AuditLog for Watched {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        self.look(&record);
        let begun = matches!(record.event, Event::Opened(_)).then_some(record.call);
        let mut beginning = Beginning {
            watched: self,
            call: begun,
        };
        let written = self.log.append(record, durability).await;
        if written.is_ok() {
            beginning.call = None;
        }
        written
    }
}

/// A call whose beginning is being written. Where that fails, or nobody waits for it any more, the call does not go on, and has no end.
struct Beginning<'w> {
    watched: &'w Watched,
    call: Option<CallId>,
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.watched.under_way().remove(&call);
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("watchers", &self.watchers)
            .finish_non_exhaustive()
    }
}
