//! When a program is killed: a random time after one of the requests that it sends, by how long each took in a round that nobody disturbed.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use rexpect::process::{Signal, WaitStatus};
use rexpect::session::PtySession;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::site::Site;

/// How often it is looked whether a program has ended by itself.
const LOOKS_EVERY: Duration = Duration::from_millis(1);

/// How long after a request the next came, and after the last the end.
pub(super) struct Course(Vec<Duration>);

/// Numbers that repeat from their seed.
pub(super) struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    pub(super) fn new() -> Self {
        let seed = RandomState::new().hash_one(0);
        Self { seed, state: seed }
    }

    /// Gives a number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let step = self.state.wrapping_mul(6_364_136_223_846_793_005);
        self.state = step.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap() % end
    }
}

impl fmt::Display for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}", self.seed)
    }
}

/// So long after that many requests.
pub(super) struct Moments {
    after_requests: u64,
    wait: Duration,
}

impl Moments {
    /// Chooses a stretch between two requests, and a moment of it.
    pub(super) fn of(course: &Course, random: &mut Random) -> Self {
        // The last three, in which the change is sent, answered and told, three times as often as the others.
        let all = course.0.len();
        let stretch = match random.below(2) {
            0 => random.below(all),
            _ => all - 1 - random.below(all.min(3)),
        };
        // A tenth longer, for none is like the other.
        let lasts = course.0[stretch] + course.0[stretch] / 10;
        let nanos = usize::try_from(lasts.as_nanos()).unwrap().max(1);
        Self {
            after_requests: u64::try_from(stretch).unwrap(),
            wait: Duration::from_nanos(u64::try_from(random.below(nanos)).unwrap()),
        }
    }
}

/// A program that asks the org.
pub(super) struct Program {
    running: Running,
    requests: watch::Receiver<u64>,
    /// The org's requests before it.
    before: u64,
}

pub(super) enum Running {
    Alone(std::process::Child),
    /// At a terminal, as the person sees it.
    AtTerminal(Box<PtySession>),
    /// It serves, and would for ever: what is waited for is that a change is run.
    Served {
        child: std::process::Child,
        work: JoinHandle<()>,
    },
}

impl Program {
    pub(super) fn new(running: Running, site: &Site) -> Self {
        let mut requests = site.org.watch_requests();
        let before = *requests.borrow_and_update();
        Self {
            running,
            requests,
            before,
        }
    }

    /// Lets it run to its end, and measures it.
    pub(super) async fn whole(mut self, _: &Site) -> Course {
        let mut course = Vec::new();
        let mut last = Instant::now();
        while self.is_sending(self.before + course.len() as u64 + 1).await {
            course.push(last.elapsed());
            last = Instant::now();
        }
        course.push(last.elapsed());
        if let Running::Served { child, .. } = &mut self.running {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        Course(course)
    }

    /// Kills it, and says whether it was still running.
    pub(super) async fn killed(mut self, _: &Site, moments: &Moments) -> bool {
        if !self.is_sending(self.before + moments.after_requests).await {
            self.running.kill();
            return false;
        }
        let until = Instant::now() + moments.wait;
        // The system wakes sleepers late.
        tokio::time::sleep(moments.wait.saturating_sub(LOOKS_EVERY)).await;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        self.running.kill()
    }

    /// Waits until it has sent so many requests; false: it has ended before.
    async fn is_sending(&mut self, requests: u64) -> bool {
        loop {
            let sent = self.requests.wait_for(|sent| *sent >= requests);
            if tokio::time::timeout(LOOKS_EVERY, sent).await.is_ok() {
                return true;
            }
            if self.running.has_ended() {
                return *self.requests.borrow() >= requests;
            }
        }
    }
}

impl Running {
    fn has_ended(&mut self) -> bool {
        match self {
            Self::Alone(child) => child.try_wait().unwrap().is_some(),
            Self::AtTerminal(session) => {
                !matches!(session.process.status(), Some(WaitStatus::StillAlive))
            }
            Self::Served { work, .. } => work.is_finished(),
        }
    }

    /// Ends it as a power cut does, and says whether it was still running.
    fn kill(mut self) -> bool {
        let has_ended = self.has_ended();
        match self {
            // It is killed all the same, and whether it was under way is known of the change.
            Self::Served { mut child, .. } => {
                child.kill().unwrap();
                child.wait().unwrap();
                !has_ended
            }
            _ if has_ended => false,
            Self::Alone(mut child) => {
                child.kill().unwrap();
                child.wait().unwrap().code().is_none()
            }
            Self::AtTerminal(mut session) => {
                session.process.signal(Signal::SIGKILL).unwrap();
                matches!(session.process.wait().unwrap(), WaitStatus::Signaled(..))
            }
        }
    }
}
