//! One renewal at a time for a connection, whoever asks for it within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis::ports::PortError;
use portcullis::ports::credentials::{RefreshError, Token};
use portcullis_policy::ConnectionId;
use tokio::sync::watch;

type Answer = Result<Token, RefreshError>;
type Arrival = watch::Receiver<Option<Answer>>;

/// The renewals that are under way.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<ConnectionId, Arrival>>>);

impl Flights {
    /// Waits for the renewal that is under way, or begins one, which nobody's giving up ends.
    pub(super) fn join<F, B>(
        &self,
        id: &ConnectionId,
        begin: B,
    ) -> impl Future<Output = Answer> + use<F, B>
    where
        B: FnOnce() -> F,
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut arrival = self.arrival(id, begin);
        async move {
            let arrived = arrival.wait_for(Option::is_some).await;
            let answer = arrived.ok().and_then(|answer| answer.clone());
            // The task ended without an answer: it panicked, or the program ends.
            answer.unwrap_or_else(|| Err(PortError::new("a renewal ended in the middle").into()))
        }
    }

    fn arrival<F>(&self, id: &ConnectionId, begin: impl FnOnce() -> F) -> Arrival
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut flights = self.lock();
        if let Some(arrival) = flights.get(id) {
            return arrival.clone();
        }
        let (sender, arrival) = watch::channel(None);
        flights.insert(id.clone(), arrival.clone());
        let landing = Landing {
            flights: self.clone(),
            id: id.clone(),
        };
        let renewal = begin();
        tokio::spawn(async move {
            let answer = renewal.await;
            // Who asks from now on asks for another one.
            drop(landing);
            sender.send_replace(Some(answer));
        });
        arrival
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arrival>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a renewal off the list, however it ended.
struct Landing {
    flights: Flights,
    id: ConnectionId,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.id);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    fn id() -> ConnectionId {
        ConnectionId::parse("one").unwrap()
    }

    fn token(generation: u64) -> Token {
        Token {
            secret: "token".into(),
            generation,
        }
    }

    #[tokio::test]
    async fn who_asks_meanwhile_gets_the_same_answer_and_who_leaves_stops_nothing() {
        let flights = Flights::default();
        let (begun, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
        let ask = || {
            flights.join(&id(), || {
                let (begun, gate) = (begun.clone(), gate.clone());
                async move {
                    let number = begun.fetch_add(1, Ordering::SeqCst) + 1;
                    let _open = gate.acquire().await;
                    Ok(token(number))
                }
            })
        };
        let (first, second, third) = (ask(), ask(), ask());
        drop(first);
        gate.add_permits(1);
        assert_eq!(second.await.unwrap().generation, 1);
        assert_eq!(third.await.unwrap().generation, 1);
        assert_eq!(ask().await.unwrap().generation, 2);
    }

    #[tokio::test]
    async fn one_that_panics_is_over() {
        let flights = Flights::default();
        let failed = flights.join(&id(), || async { panic!("as a test wants") });
        assert!(matches!(failed.await, Err(RefreshError::Unavailable(_))));
        let next = flights.join(&id(), || async { Ok(token(1)) });
        assert_eq!(next.await.unwrap().generation, 1);
    }
}
