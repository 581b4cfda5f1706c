//! The same by a program that serves: a change that is run because its person said yes on the page, and one of an agent that is not asked.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::Duration;

use portcullis_store::CallEnd;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::course::{Course, Moments, Program, Random, Running};
use super::evidence::{Seen, Stage};
use super::site::{Plan, Runner, Site, Verb};
use super::{KILLS, KILLS_IN_CI, KILLS_OF_ALL_STAGES};
use crate::by_http::client::Client;
use crate::by_http::local::{address_in, begun};
use crate::public::id;
use crate::public::visitor::{Visitor, form_of};

/// Of how many kills of the other test there is one of these: each begins a program that serves.
const OF_KILLS: usize = 3;

/// Where a person says yes, and the page's answer comes when the change is run.
struct Page {
    visitor: Visitor,
    path: String,
}

/// A program that serves over HTTP on this machine.
struct Served {
    child: Child,
    client: Client,
}

impl Served {
    async fn new(site: &Site, agent: &str) -> Self {
        let address = site.org.address().to_string();
        let serve = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--connect-port",
            "0",
            "--allow-origin",
            &address,
        ];
        let (child, said) = tokio::task::block_in_place(|| begun(&site.home, &serve));
        let address = address_in(&said);
        let day = Duration::from_secs(86_400);
        let token = site.store.make_person_token(&id("ada"), "test", day).await;
        let mut client = Client::new(address, &address.to_string(), &token.unwrap().0);
        client.path = format!("/mcp/{agent}");
        Self {
            child,
            client: client.begun().await,
        }
    }

    /// Has the change under way, as far as that needs no answer: what is sent from here on is of the change.
    async fn runs(self, site: &Site, plan: &Plan) -> Program {
        let arguments: Value = serde_json::from_str(&plan.arguments()).unwrap();
        let (client, tool) = (self.client.clone(), plan.tool());
        // Whose program is killed gets no answer.
        let work: JoinHandle<()> = match plan.runner {
            Runner::Unasked => {
                tokio::spawn(async move { drop(client.call(tool, arguments).await) })
            }
            _ => {
                let mut page = self.asks(plan).await;
                tokio::spawn(async move { page.approves().await })
            }
        };
        let child = self.child;
        Program::new(Running::Served { child, work }, site)
    }

    /// Asks, and opens the page of the question.
    async fn asks(&self, plan: &Plan) -> Page {
        let arguments = serde_json::from_str(&plan.arguments()).unwrap();
        let held = self.client.call(plan.tool(), arguments).await;
        let link = &held["_meta"]["portcullis/problem"]["approval"]["link"];
        let link = link.as_str().unwrap_or_else(|| panic!("{held}"));
        let at = link.find("/approve/").unwrap();
        let (base, path) = link.split_at(at);
        let port = base.strip_prefix("http://localhost:").unwrap();
        Page {
            visitor: Visitor::at(format!("127.0.0.1:{port}").parse().unwrap(), base),
            path: path.to_owned(),
        }
    }
}

impl Page {
    async fn approves(&mut self) {
        let shown = self.visitor.get(&self.path).await;
        let form = form_of(&shown, &self.path.replace('&', "&amp;"));
        let fields = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<(&str, &str)> = fields.chain([("decision", "approve")]).collect();
        let _ = self.visitor.post(&self.path, &fields).await;
    }
}

fn agent(runner: Runner) -> &'static str {
    match runner {
        Runner::Unasked => "free",
        _ => "helper",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[allow(clippy::print_stdout, reason = "the figures are what it is for")]
async fn a_change_that_is_served_is_made_once_or_not_at_all_whenever_the_program_is_killed() {
    let kills = std::env::var(KILLS).map_or(KILLS_IN_CI, |kills| kills.parse().unwrap());
    let kills = kills / OF_KILLS;
    let mut random = Random::new();
    let mut site = Site::new().await;
    let mut measured: BTreeMap<(Verb, Runner), Course> = BTreeMap::new();
    for verb in [Verb::Update, Verb::Create] {
        for runner in [Runner::Page, Runner::Unasked] {
            let plan = Plan::new(verb, runner, &format!("served-{}", measured.len()));
            let served = Served::new(&site, agent(runner)).await;
            let course = served.runs(&site, &plan).await.whole(&site).await;
            measured.insert((verb, runner), course);
            let seen = Seen::of(&site, &plan).await;
            assert_eq!(seen.taken.len(), 1, "{seen:?}");
            seen.holds("whole");
            site.counts(&seen);
        }
    }
    let mut hits: BTreeMap<(Runner, Stage), usize> = BTreeMap::new();
    for kill in 0..kills {
        let hit = round(&mut site, &measured, &mut random, kill).await;
        *hits.entry(hit).or_default() += 1;
    }
    site.is_whole().await;
    let said: Vec<String> = hits
        .iter()
        .map(|((runner, stage), hits)| format!("{hits} {runner:?} {stage}"))
        .collect();
    println!(
        "{kills} kills of a program that serves ({random}): {}",
        said.join(", ")
    );
    let is_hit = |runner, stage| hits.contains_key(&(runner, stage));
    let both = [Runner::Page, Runner::Unasked];
    let under_way = |runner| Stage::ALL.map(|stage| stage != Stage::Ended && is_hit(runner, stage));
    assert!(
        both.map(under_way).as_flattened().contains(&true),
        "all were killed too late: {said:?}"
    );
    // Most kills are for when the change is sent.
    if kills >= KILLS_OF_ALL_STAGES / OF_KILLS {
        for runner in both {
            assert!(is_hit(runner, Stage::Sent), "{runner:?}: {said:?}");
        }
    }
}

async fn round(
    site: &mut Site,
    measured: &BTreeMap<(Verb, Runner), Course>,
    random: &mut Random,
    kill: usize,
) -> (Runner, Stage) {
    let verb = [Verb::Update, Verb::Create][random.below(2)];
    let runner = [Runner::Page, Runner::Unasked][random.below(2)];
    let plan = Plan::new(verb, runner, &format!("killed-{kill}"));
    let moments = Moments::of(&measured[&(verb, runner)], random);
    if random.below(2) == 0 {
        site.answers_late(&plan, Duration::from_millis(20));
    }
    let served = Served::new(site, agent(runner)).await;
    let was_running = served.runs(site, &plan).await.killed(site, &moments).await;
    site.answers_at_once();
    let cut = Seen::of(site, &plan).await;
    let stage = cut.stage(was_running);
    let about = format!("kill {kill} ({random}), {plan:?}, {stage:?}: {cut:?}");
    cut.holds(&about);
    // The next program to start says what nobody knows. An agent that is asked for makes the same call again, and one that is not would
    // make another change by it.
    let said = match runner {
        Runner::Unasked => site.looks().await,
        _ => site.asks_again(&plan).await,
    };
    let about = format!("{about}\n{}\n{}", said.stdout, said.stderr);
    let after = Seen::of(site, &plan).await;
    after.holds(&about);
    for call in &cut.calls {
        let known = after.calls.iter().find(|known| known.id == call.id);
        let ended = &known.unwrap().ended;
        let is_cut = !matches!(call.ended, CallEnd::As(_));
        if is_cut {
            let expected = match call.is_unclear() {
                true => CallEnd::Unclear,
                false => CallEnd::CutOff,
            };
            assert_eq!(*ended, expected, "{about}");
            assert!(said.stderr.contains(&call.id.to_string()), "{about}");
        }
        if *ended == CallEnd::Unclear {
            let named = plan.finds_out();
            assert!(said.stderr.contains(&named), "{named}: {about}");
            site.finds_out(&plan, call, &named, &about).await;
        }
    }
    assert_eq!(site.records(&plan), after.taken.len(), "{about}");
    site.counts(&after);
    site.withdraw_all().await;
    (runner, stage)
}
