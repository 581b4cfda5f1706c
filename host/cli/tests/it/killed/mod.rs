//! Programs that are killed at a random moment while an approved change is under way: it is made once or not at all, never without its
//! intent on record and its approval used up, and the log says what nobody knows.
//!
//! A round is what people and agents do: an agent asks for a change, a person says yes, and the program that runs it, either the one at
//! which the person said yes or the agent's own, is killed; or the program that asks is. Then the agent makes the same call again, as
//! agents do. What happened is compared from three sides: what the org was asked for and has, what the log says, and what became of the
//! question.

mod course;
mod evidence;
mod served;
mod site;

use std::collections::BTreeMap;
use std::time::Duration;

use course::{Course, Moments, Random};
use evidence::{Seen, Stage};
use portcullis_store::{ApprovalState, CallEnd};
use site::{Plan, Runner, Site, Verb};

/// How often the test kills; unset: a twentieth of what `just soak` does.
const KILLS: &str = "PORTCULLIS_KILLS";
const KILLS_IN_CI: usize = 15;

/// Kills from which on every stage must have been hit, but for the shortest: from an approval's end to its intent on record one line is written,
/// which 300 kills miss at times.
const KILLS_OF_ALL_STAGES: usize = 250;

/// In which part of a round the program is killed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Asking,
    Running,
}

/// How long the parts of an undisturbed round take, from one request to the next.
struct Measured(BTreeMap<(Verb, Runner, Part), Course>);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[allow(clippy::print_stdout, reason = "the figures are what it is for")]
async fn an_approved_change_is_made_once_or_not_at_all_whenever_a_program_is_killed() {
    let kills = std::env::var(KILLS).map_or(KILLS_IN_CI, |kills| kills.parse().unwrap());
    let mut random = Random::new();
    let mut site = Site::new().await;
    let measured = measure(&mut site).await;
    let mut hits: BTreeMap<Stage, usize> = BTreeMap::new();
    for kill in 0..kills {
        let round = round(&mut site, &measured, &mut random, kill).await;
        *hits.entry(round).or_default() += 1;
    }
    site.is_whole().await;
    let hits: Vec<String> = hits
        .iter()
        .map(|(stage, hits)| format!("{hits} {stage}"))
        .collect();
    println!("{kills} kills ({random}): {}", hits.join(", "));
    let least = if kills < KILLS_OF_ALL_STAGES {
        3
    } else {
        Stage::ALL.len() - 1
    };
    assert!(hits.len() >= least, "{hits:?}");
}

/// Measures rounds in which nobody is killed.
async fn measure(site: &mut Site) -> Measured {
    let mut measured = BTreeMap::new();
    let mut number = 0;
    for verb in [Verb::Update, Verb::Create] {
        for runner in [Runner::Person, Runner::Agent] {
            let plan = Plan::new(verb, runner, &format!("whole-{number}"));
            number += 1;
            let asking = site.asks(&plan).whole(site).await;
            let id = site.new_questions().await[0].id;
            let running = site.runs(&plan, id).await.whole(site).await;
            measured.insert((verb, runner, Part::Asking), asking);
            measured.insert((verb, runner, Part::Running), running);
            let seen = Seen::of(site, &plan).await;
            assert_eq!(seen.taken.len(), 1, "{seen:?}");
            assert_eq!(seen.stage(false), Stage::Ended, "{seen:?}");
            site.counts(&seen);
        }
    }
    Measured(measured)
}

/// Kills once, and says where that hit.
async fn round(site: &mut Site, measured: &Measured, random: &mut Random, kill: usize) -> Stage {
    let verb = [Verb::Update, Verb::Create][random.below(2)];
    let runner = [Runner::Person, Runner::Agent][random.below(2)];
    let part = [
        Part::Asking,
        Part::Running,
        Part::Running,
        Part::Running,
        Part::Running,
    ];
    let part = part[random.below(part.len())];
    let plan = Plan::new(verb, runner, &format!("kill-{kill}"));
    let moments = Moments::of(&measured.0[&(verb, runner, part)], random);
    // The answer is under way for longer, as at a service that is far away.
    if random.below(2) == 0 {
        site.answers_late(&plan, Duration::from_millis(20));
    }
    let asking = site.asks(&plan);
    let was_running = match part {
        Part::Asking => asking.killed(site, &moments).await,
        Part::Running => {
            asking.whole(site).await;
            let id = site.new_questions().await[0].id;
            site.runs(&plan, id).await.killed(site, &moments).await
        }
    };
    site.answers_at_once();
    let cut = Seen::of(site, &plan).await;
    let stage = cut.stage(was_running);
    let about = format!("kill {kill} ({random}), {plan:?}, {stage:?}: {cut:?}");
    cut.holds(&about);

    // The agent makes the same call again, by the next program that starts.
    let said = site.asks_again(&plan).await;
    let about = format!("{about}\n{}\n{}", said.stdout, said.stderr);
    let after = Seen::of(site, &plan).await;
    after.holds(&about);
    for call in &cut.calls {
        let row = after
            .calls
            .iter()
            .find(|known| known.id == call.id)
            .unwrap();
        let is_cut = !matches!(call.ended, CallEnd::As(_));
        let expected = match (is_cut, call.is_unclear()) {
            (true, true) => CallEnd::Unclear,
            (true, false) => CallEnd::CutOff,
            (false, _) => call.ended.clone(),
        };
        assert_eq!(row.ended, expected, "{about}");
        assert_eq!(
            said.stderr.contains(&call.id.to_string()),
            is_cut,
            "{about}"
        );
        if row.ended == CallEnd::Unclear {
            // What finds out is named at the start and in the log, and finds out.
            let named = plan.finds_out();
            assert!(said.stderr.contains(&named), "{named}: {about}");
            site.finds_out(&plan, call, &named, &about).await;
        }
    }
    // The record is as the org was asked for, once.
    let records = site.records(&plan);
    assert_eq!(records, after.taken.len(), "{about}");
    site.counts(&after);
    site.withdraw_all().await;
    assert!(
        after
            .questions
            .iter()
            .all(|question| question.state != ApprovalState::Approved),
        "{about}"
    );
    stage
}
