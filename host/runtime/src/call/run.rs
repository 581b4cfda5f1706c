//! Stages 6 and 7: a fresh instance, and the guest in it, until it returns or its time is over.

use wasmtime::{Store, UpdateDeadline};

use super::open::Opened;
use super::settle::Guest;
use crate::bindings::contract::{credentials, failures};
use crate::bindings::{Connector, ConnectorPre};
use crate::reply::{Failure, FailureCode};
use crate::sandbox::Sandbox;
use crate::scope::CallScope;
use crate::state::{Printed, State};

/// Under what the lines that guests print are logged, and nothing else.
const PRINTED_TARGET: &str = "portcullis_printed";

/// Ends what a call may send before its store goes.
struct EndOnDrop<'a>(&'a CallScope);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Runs the tool.
pub(crate) async fn tool(
    sandbox: &Sandbox,
    program: &ConnectorPre<State>,
    opened: &Opened,
) -> Guest {
    let work = async |connector: &Connector, store: &mut Store<State>| {
        connector
            .portcullis_connector_tools()
            .call_call_tool(store, opened.tool(), &opened.arguments())
            .await
    };
    match run(sandbox, program, opened, work).await {
        Ok(returned) => Guest::Returned(returned),
        Err(guest) => guest,
    }
}

/// Asks who is signed in.
pub(crate) async fn identify(
    sandbox: &Sandbox,
    program: &ConnectorPre<State>,
    opened: &Opened,
) -> Result<wasmtime::Result<Result<credentials::Identity, failures::Failure>>, Guest> {
    let work = async |connector: &Connector, store: &mut Store<State>| {
        connector
            .portcullis_connector_accounts()
            .call_identify(store)
            .await
    };
    run(sandbox, program, opened, work).await
}

async fn run<T>(
    sandbox: &Sandbox,
    program: &ConnectorPre<State>,
    opened: &Opened,
    work: impl AsyncFnOnce(&Connector, &mut Store<State>) -> wasmtime::Result<T>,
) -> Result<wasmtime::Result<T>, Guest> {
    let scope = opened.scope();
    let printed = Printed::new(scope.limits.printed_bytes_max);
    let guest = async {
        let Ok(_slot) = sandbox.slots().acquire().await else {
            return Err(Guest::NotStarted(not_started("the host is shutting down")));
        };
        let mut store = Store::new(sandbox.engine(), State::new(opened.context(), &printed));
        // Declared after the store, so dropped before it.
        let _end = EndOnDrop(scope);
        store.limiter(|state| &mut state.limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let connector = match program.instantiate_async(&mut store).await {
            Ok(connector) => connector,
            Err(error) => return Ok(Err(error)),
        };
        Ok(work(&connector, &mut store).await)
    };
    let ended = tokio::select! {
        biased;
        returned = guest => returned,
        () = scope.time_over() => Err(Guest::TimedOut(scope.limits.wall_clock)),
        () = given_up(scope) => Err(Guest::Cancelled),
    };
    log_printed(scope, &printed);
    ended
}

/// Says that a guest printed, and how much of it was kept.
///
/// The lines may hold values of records, so they are for who asks for their target by its name, such as the author of a connector.
fn log_printed(scope: &CallScope, printed: &Printed) {
    let bytes = printed.bytes();
    if bytes == 0 {
        return;
    }
    let (call, connector) = (scope.id, &scope.connector.manifest().name);
    tracing::info!(target: "portcullis::guest", %call, %connector, bytes, "the connector printed something");
    for line in printed.lines() {
        tracing::trace!(target: PRINTED_TARGET, %call, %connector, "{line}");
    }
}

/// Waits until the caller gave up and the grace period is over.
async fn given_up(scope: &CallScope) {
    scope.cancellation.cancelled().await;
    tokio::time::sleep(scope.limits.cancel_grace).await;
}

fn not_started(why: &str) -> Failure {
    Failure::new(FailureCode::Busy, format!("the call did not begin: {why}"))
}
