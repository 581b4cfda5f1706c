//! Sessions of the protocol, each of one agent and one person.
//!
//! The attack: somebody who has seen a session's id sends it with a token of their own, and gets another person's answers. So
//! each caller has a keeper of sessions of their own: another's session is not in it, as one that never was.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis::ports::Caller;

use super::keeper::Keeper;
use crate::session::Watch;

/// How many sessions there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) of_one: usize,
    pub(super) of_all: usize,
    /// After which silence one is over.
    pub(super) idle: Duration,
}

/// Why no session begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// This caller has as many as one may have.
    One,
    /// All together have as many as there may be.
    All,
}

/// The sessions of all.
pub(super) struct Sessions {
    room: Room,
    watch: Watch,
    by_caller: Mutex<HashMap<Caller, Arc<Keeper>>>,
}

impl Sessions {
    pub(super) fn new(room: Room, watch: Watch) -> Self {
        Self {
            room,
            watch,
            by_caller: Mutex::default(),
        }
    }

    /// Gives the sessions of a caller.
    pub(super) fn of(&self, caller: &Caller) -> Arc<Keeper> {
        let known = self.lock().get(caller).cloned();
        // Who has none is given some that nobody keeps.
        known.unwrap_or_else(|| self.keeper())
    }

    /// Gives the sessions of a caller who begins one.
    pub(super) async fn begin(&self, caller: &Caller) -> Result<Arc<Keeper>, Full> {
        let keepers: Vec<(Caller, Arc<Keeper>)> = {
            let by_caller = self.lock();
            by_caller
                .iter()
                .map(|(of, keeper)| (of.clone(), keeper.clone()))
                .collect()
        };
        let (mut all, mut own) = (0, 0);
        let mut empty = Vec::new();
        for (of, keeper) in keepers {
            let open = keeper.count().await;
            all += open;
            match (of == *caller, open) {
                (true, open) => own = open,
                (false, 0) => empty.push(of),
                (false, _) => {}
            }
        }
        let mut by_caller = self.lock();
        for of in empty {
            // Whom somebody holds is about to get one.
            if by_caller
                .get(&of)
                .is_some_and(|keeper| Arc::strong_count(keeper) == 1)
            {
                by_caller.remove(&of);
            }
        }
        if own >= self.room.of_one {
            return Err(Full::One);
        }
        if all >= self.room.of_all {
            return Err(Full::All);
        }
        Ok(by_caller
            .entry(caller.clone())
            .or_insert_with(|| self.keeper())
            .clone())
    }

    /// Counts those that are open.
    pub(super) async fn count(&self) -> usize {
        let keepers: Vec<Arc<Keeper>> = self.lock().values().cloned().collect();
        let mut open = 0;
        for keeper in keepers {
            open += keeper.count().await;
        }
        open
    }

    /// Waits until all that were begun are told of, once they are to end.
    pub(super) async fn ended(&self) {
        self.watch.open.end().await;
    }

    fn keeper(&self) -> Arc<Keeper> {
        Keeper::new(self.room.idle, self.watch.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Caller, Arc<Keeper>>> {
        self.by_caller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
