//! Stage 5: the audit entry is opened. Without one, nothing runs.

use std::sync::Arc;
use std::time::Instant;

use super::close::{Exit, Tally};
use super::consent::Consented;
use super::resolve::unavailable;
use super::settle::{self, Guest};
use crate::bindings::contract::credentials::Identity;
use crate::bindings::contract::failures;
use crate::bindings::tools;
use crate::guard::Guard;
use crate::linker::PortcullisCtx;
use crate::replay::Replay;
use crate::reply::{Outcome, Reply};
use crate::scope::{self, CallScope, Course, Task};

/// A call that may run: the type that everything which runs a guest asks for.
///
/// Dropped without [`settle`](Self::settle), it is written down as abandoned.
///
/// Only [`Guard::open`] gives one, after every stage before it:
///
/// ```compile_fail,E0451
/// let opened = portcullis::Opened { scope: todo!(), exit: todo!() };
/// ```
///
/// It is good for one call, since it cannot be copied,
///
/// ```compile_fail,E0599
/// fn twice(opened: portcullis::Opened) -> [portcullis::Opened; 2] {
///     [opened.clone(), opened]
/// }
/// ```
///
/// and is settled once:
///
/// ```compile_fail,E0382
/// async fn settle(opened: portcullis::Opened) {
///     let _ = opened.settle(Err(wasmtime::Error::msg("it broke"))).await;
///     let _ = opened.settle(Err(wasmtime::Error::msg("it broke again"))).await;
/// }
/// ```
///
/// What a store must hold to send anything comes from one alone:
///
/// ```
/// fn store(opened: &portcullis::Opened) -> portcullis::PortcullisCtx {
///     opened.context()
/// }
/// ```
pub struct Opened {
    scope: Arc<CallScope>,
    exit: Exit,
}

/// Opens the audit entry and starts what belongs to the call.
pub(super) async fn open(
    guard: &Guard,
    consented: Consented,
    exit: &mut Exit,
) -> Result<Arc<CallScope>, Outcome> {
    let connected = consented.connected;
    let (account, mode) = (connected.account, connected.decision.mode);
    let resolved = connected.validated.permitted.resolved;
    let connection = account.connection.as_ref().map(|found| found.id.clone());
    // What is said while a call runs is not held to rows as its answer is: to an agent whose rows are limited nothing is.
    let limits = resolved.policy.scope.as_ref();
    let hears = limits.is_none_or(|limits| limits.rows_max.is_none());
    exit.open(connection)
        .await
        .map_err(|error| unavailable("open the audit entry", &error))?;
    let placeholder =
        scope::placeholder().map_err(|error| unavailable("begin the call", &error))?;
    Ok(Arc::new(CallScope {
        id: exit.id(),
        caller: resolved.caller,
        connector: resolved.connector,
        policy: resolved.policy,
        task: resolved.task,
        effect: resolved.effect,
        mode,
        arguments: resolved.arguments,
        reason: resolved.reason,
        replay: resolved.replay,
        rerun_of: resolved.rerun_of,
        account,
        started: Instant::now(),
        cancellation: resolved.cancellation,
        progress: resolved.progress.filter(|_| hears),
        steps: resolved.steps.filter(|_| hears),
        placeholder,
        ports: guard.ports().clone(),
        limits: guard.limits().clone(),
        journals: guard.journals().clone(),
        course: Course::default(),
    }))
}

impl Opened {
    pub(super) fn new(scope: Arc<CallScope>, exit: Exit) -> Self {
        Self { scope, exit }
    }

    /// Makes what the guest's store must hold: see [`PortcullisView`](crate::PortcullisView).
    pub fn context(&self) -> PortcullisCtx {
        PortcullisCtx::new(self.scope.clone())
    }

    /// Gives the call's randomness and time, for the guest's WASI: without them a call that was approved may come out
    /// otherwise when it is run again, and is asked for anew.
    pub fn replay(&self) -> &Replay {
        &self.scope.replay
    }

    /// Gives the name to pass to `tools.call-tool`.
    pub fn tool(&self) -> &str {
        match &self.scope.task {
            Task::Tool(tool) => tool.as_str(),
            Task::Identify => "",
        }
    }

    /// Gives the JSON text of arguments to pass to `tools.call-tool`.
    pub fn arguments(&self) -> String {
        self.scope.arguments.to_string()
    }

    pub(crate) fn scope(&self) -> &Arc<CallScope> {
        &self.scope
    }

    /// Ends what the call may send. Call it before the guest's store is dropped, however the guest ended:
    /// what its destructors would send is not sent.
    pub fn end(&self) {
        self.scope.end();
    }

    /// Decides how the call ended, by what the guest returned and, before that, by what the gate saw; and
    /// closes the audit entry.
    pub async fn settle(
        self,
        returned: wasmtime::Result<Result<tools::Output, failures::Failure>>,
    ) -> Reply {
        self.settle_guest(Guest::Returned(returned)).await
    }

    pub(crate) async fn settle_guest(self, guest: Guest) -> Reply {
        self.scope.end();
        let outcome = settle::settle(&self.scope, guest);
        let tally = Tally {
            dropped: self.scope.entries_dropped(),
            received_bytes: self.scope.received_bytes(),
            refused_by_scope: settle::refused_by_scope(&self.scope, &outcome),
            allow: settle::allow(&self.scope, &outcome),
        };
        self.exit
            .close(outcome, self.scope.take_sent(), tally)
            .await
    }

    /// Settles a call that asked who is signed in.
    pub(crate) async fn settle_identity(
        self,
        guest: Result<wasmtime::Result<Result<Identity, failures::Failure>>, Guest>,
    ) -> Result<Identity, Box<Reply>> {
        let (identity, guest) = match guest {
            Ok(Ok(Ok(identity))) => (Some(identity), Guest::Returned(Ok(Ok(nothing())))),
            Ok(Ok(Err(failure))) => (None, Guest::Returned(Ok(Err(failure)))),
            Ok(Err(error)) => (None, Guest::Returned(Err(error))),
            Err(guest) => (None, guest),
        };
        let reply = self.settle_guest(guest).await;
        match (&reply.outcome, identity) {
            (Outcome::Done(_), Some(identity)) => Ok(identity),
            _ => Err(Box::new(reply)),
        }
    }
}

/// The answer of a call that has none to give.
fn nothing() -> tools::Output {
    tools::Output {
        text: String::new(),
        structured: None,
        attachments: Vec::new(),
        next_cursor: None,
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("call", &self.scope.id)
            .finish_non_exhaustive()
    }
}
