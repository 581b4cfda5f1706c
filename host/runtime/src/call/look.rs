//! Whether a call would come as far as its connector, before anybody decides on it: a yes to what cannot be run is a yes for nothing.

use std::sync::Arc;

use super::{Question, close, connect, permit, resolve, validate};
use crate::connector::Connector;
use crate::guard::Guard;
use crate::reply::Outcome;

/// Takes a call through the stages that neither count nor ask nor write anything down.
///
/// # Errors
///
/// What it would end with.
pub(crate) async fn look(
    guard: &Guard,
    connector: Arc<Connector>,
    question: Question,
) -> Result<(), Outcome> {
    // It is never opened, so nothing is written down when it goes.
    let mut exit = close::Exit::new(guard, &question).map_err(|reply| reply.outcome)?;
    let resolved = resolve::resolve(guard, connector, question).await?;
    let permitted = permit::on(resolved, &mut exit)?;
    permit::admit(guard, &permitted.resolved, true).await?;
    let validated = validate::validate(permitted)?;
    connect::connect(guard, validated, &mut exit).await?;
    Ok(())
}
