//! What operators watch: how many calls there are, how they end and how long they take, as numbers for Prometheus and as traces and
//! metrics for a collector of OpenTelemetry.
//!
//! [`Watched`] stands before the audit log and looks at what is written down, so that nothing of a call knows that it is
//! watched. Names of agents, connectors, tools, routes, hosts and codes go out from here, ids of calls and of clients' requests, and
//! numbers. Refused: arguments, paths, answers, words, people's names. A name that no installed connector has is not passed on either,
//! for then a caller could choose how many series there are.

mod answered;
mod asked;
mod numbers;
#[cfg(feature = "otlp")]
mod otlp;
mod seen;
mod session;
mod watched;

pub use answered::{Answered, Target};
pub use asked::{Asked, Transport};
pub use numbers::{Now, Numbers};
#[cfg(feature = "otlp")]
pub use otlp::{Collector, Exporting, ExportingError};
pub use session::SessionEnded;
pub use watched::{Watched, Watchers};
