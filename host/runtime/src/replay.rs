//! What chance gives a call, kept, so that it can be run a second time.
//!
//! After an approval the call is run again, and only the request that was approved leaves. So whatever a guest makes of
//! randomness or of the time must come out as it did: a call has a seed, from which all its randomness comes, and its wall
//! clock stands still at the moment it began. Its monotonic clock goes on, for pauses and timeouts.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use wasmtime_wasi::{HostWallClock, WasiCtxBuilder};

use crate::ids::{ApprovalId, NoId};

/// The seed and the time of a call.
///
/// The generator is that of this program's version. Where another one runs the call again, a request that hangs on
/// randomness comes out otherwise, and is asked for anew.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    seed: [u8; 32],
    /// Milliseconds since 1970, UTC.
    at_ms: u64,
}

/// A call that was approved and is run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rerun {
    /// The approval.
    pub approval: ApprovalId,
    /// The seed and the time of the call that was held.
    pub replay: Replay,
}

impl Replay {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// When the system gives no randomness, or its clock stands before 1970.
    pub fn random(now: SystemTime) -> Result<Self, NoId> {
        let since = now.duration_since(UNIX_EPOCH).map_err(|_| NoId::Clock)?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| NoId::Randomness)?;
        let at_ms = u64::try_from(since.as_millis()).map_err(|_| NoId::Clock)?;
        Ok(Self { seed, at_ms })
    }

    /// Gives a guest's WASI the call's randomness and time. A runtime with an engine of its own does it for each store it
    /// makes for an [`Opened`](crate::Opened) call: see [`Opened::replay`](crate::Opened::replay).
    pub fn apply(&self, wasi: &mut WasiCtxBuilder) {
        let mut source = StdRng::from_seed(self.seed);
        let (secure, insecure) = (StdRng::from_rng(&mut source), StdRng::from_rng(&mut source));
        let seed = (u128::from(source.next_u64()) << 64) | u128::from(source.next_u64());
        wasi.secure_random(secure)
            .insecure_random(insecure)
            .insecure_random_seed(seed)
            .wall_clock(StandingClock(Duration::from_millis(self.at_ms)));
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("at_ms", &self.at_ms)
            .finish_non_exhaustive()
    }
}

/// A clock that stands still.
struct StandingClock(Duration);

impl HostWallClock for StandingClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}
