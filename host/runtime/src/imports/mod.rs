//! The contract's imports, one a file: what a guest can ask of the host.
//!
//! None gives a secret, and none can be asked without end: what a guest adds to the log is counted.

mod approvals;
mod audit;
pub(crate) mod credentials;
mod permissions;
mod progress;

use crate::bindings::contract::{effects, failures};
use crate::linker::PortcullisCtxView;
use crate::ports::PortError;

impl effects::Host for PortcullisCtxView<'_> {}
impl failures::Host for PortcullisCtxView<'_> {}

/// Bytes of one text that a guest gives to the log or to a person: what is longer is cut, and says so.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Bytes of what a guest names: a kind, an id, a field, an action. No service's names are as long.
const NAME_BYTES_MAX: usize = 256;

/// Cuts a text that is longer than anyone reads, and says so in it.
fn bounded(text: String) -> String {
    cut(text, TEXT_BYTES_MAX)
}

/// Cuts what is named and is longer than any name.
fn named(name: String) -> String {
    cut(name, NAME_BYTES_MAX)
}

fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let end = text.floor_char_boundary(bytes_max);
        let cut = text.len() - end;
        text.truncate(end);
        text.push_str(&format!(" [{cut} bytes cut]"));
    }
    text
}

/// A port that did not answer, as the guest is told.
fn unavailable(what: &str, error: &PortError) -> failures::Failure {
    tracing::error!(%error, what, "a port failed; the guest is refused");
    failure(
        failures::Reason::NotPermitted,
        format!("the host could not {what}, and so refuses"),
    )
}

fn failure(reason: failures::Reason, message: String) -> failures::Failure {
    failures::Failure {
        reason,
        message,
        hint: None,
        service_code: None,
        fields: Vec::new(),
        retry_after_seconds: None,
    }
}
