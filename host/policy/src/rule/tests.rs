#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

const MODES: [Mode; 3] = [Mode::Allow, Mode::Ask, Mode::Disabled];
const EFFECTS: [Effect; 3] = [Effect::Read, Effect::Write, Effect::Destructive];

fn name<T: FromStr<Err: fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn rule(level: Level, selector: &str, mode: Mode) -> ToolRule {
    let selector: Selector = selector.parse().unwrap();
    let made_for = match selector {
        Selector::Tool(_) => Some(Effect::Write),
        _ => None,
    };
    ToolRule {
        level,
        connector: None,
        selector,
        mode,
        made_for,
    }
}

/// A tool `update` of the toolset `changes` that writes, for the agent `helper`.
fn decided(rules: &[ToolRule], seen: &SeenTools, acts_as: ActsAs<'_>, effect: Effect) -> Decision {
    let (connector, tool) = (name("crm"), name("update"));
    let tool = RuledTool {
        connector: &connector,
        name: &tool,
        toolset: "changes",
        effect,
    };
    let decision = find(rules, seen, &name("helper"), acts_as, &tool).decision();
    // What is explained is what is done.
    let verdicts = verdicts(rules, seen, &name("helper"), acts_as, &tool);
    assert_eq!(
        (verdicts[0].mode, &verdicts[0].rule),
        (decision.mode, &decision.rule)
    );
    decision
}

fn agent() -> Level {
    Level::Agent(name("helper"))
}

#[test]
fn the_most_restrictive_wins_and_says_its_name() {
    let ada: PersonId = name("ada");
    let shared: ConnectionId = name("c1");
    let own = ActsAs::Own(&ada);
    let by = |rules: &[ToolRule], acts_as| {
        let decision = decided(rules, &SeenTools::All, acts_as, Effect::Write);
        format!("{} <- {}", decision.mode.as_word(), decision.rule)
    };
    let always = rule(agent(), "effect:write", Mode::Allow);
    let ask = rule(Level::Workspace, "toolset:changes", Mode::Ask);
    let off = rule(Level::Own(ada.clone()), "update", Mode::Disabled);
    let of_shared = rule(Level::Shared(shared.clone()), "update", Mode::Ask);
    let others = [
        rule(Level::Agent(name("other")), "update", Mode::Disabled),
        rule(agent(), "effect:read", Mode::Disabled),
        rule(agent(), "toolset:change", Mode::Disabled),
        rule(agent(), "updat", Mode::Disabled),
        ToolRule {
            connector: Some(name("mail")),
            ..rule(agent(), "update", Mode::Disabled)
        },
    ];
    let all = [&others[..], &[always.clone(), ask.clone(), off, of_shared]].concat();
    assert_eq!(by(&[], own), "ask <- default: effect:write ask");
    assert_eq!(by(&others, own), "ask <- default: effect:write ask");
    assert_eq!(
        by(&[], ActsAs::Shared(&shared)),
        "off <- default: effect:write off on a shared connection"
    );
    assert_eq!(
        by(std::slice::from_ref(&always), ActsAs::Shared(&shared)),
        "always <- agent helper: effect:write always"
    );
    assert_eq!(
        by(&[always, ask], own),
        "ask <- workspace: toolset:changes ask"
    );
    assert_eq!(by(&all, own), "off <- connection of ada: update off");
    assert_eq!(
        by(&all, ActsAs::Shared(&shared)),
        "ask <- workspace: toolset:changes ask"
    );
}

#[test]
fn a_tool_that_is_new_or_grew_is_loosened_by_no_older_rule() {
    let ada: PersonId = name("ada");
    let own = ActsAs::Own(&ada);
    let seen = |effect| SeenTools::These([(name("update"), effect)].into());
    let never = SeenTools::These(BTreeMap::new());
    let mode = |rule: &ToolRule, seen: &SeenTools, effect| {
        decided(std::slice::from_ref(rule), seen, own, effect).mode
    };
    for selector in ["effect:write", "toolset:changes"] {
        let always = rule(agent(), selector, Mode::Allow);
        let off = rule(agent(), selector, Mode::Disabled);
        assert_eq!(
            mode(&always, &seen(Effect::Write), Effect::Write),
            Mode::Allow
        );
        assert_eq!(mode(&always, &never, Effect::Write), Mode::Ask, "new");
        assert_eq!(
            mode(&always, &seen(Effect::Read), Effect::Write),
            Mode::Ask,
            "grown"
        );
        assert_eq!(
            mode(&off, &never, Effect::Write),
            Mode::Disabled,
            "it restricts"
        );
    }
    // One that names the tool goes by what the tool was when it was made, which is a write here.
    let always = rule(agent(), "update", Mode::Allow);
    assert_eq!(mode(&always, &never, Effect::Write), Mode::Allow);
    assert_eq!(mode(&always, &never, Effect::Read), Mode::Allow);
    assert_eq!(
        mode(&always, &seen(Effect::Write), Effect::Destructive),
        Mode::Disabled
    );
    let ask = rule(agent(), "update", Mode::Ask);
    assert_eq!(mode(&ask, &never, Effect::Destructive), Mode::Disabled);
    // Having seen it does not renew a rule that was made for less.
    assert_eq!(
        mode(&ask, &seen(Effect::Destructive), Effect::Destructive),
        Mode::Disabled
    );
}

#[test]
fn selectors_are_written_in_three_ways() {
    for text in [
        "effect:read",
        "effect:destructive",
        "toolset:records",
        "query",
    ] {
        assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
    }
    for wrong in [
        "",
        "effect:",
        "effect:Write",
        "toolset:",
        "toolset:A",
        "Query",
        "a b",
        "tool:x",
    ] {
        assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
    }
    let error = "tool:x\u{1b}".parse::<Selector>().unwrap_err();
    insta::assert_snapshot!(error.to_string(), @r"`tool:x\u{1b}` names no tools: write a tool's name, `toolset:NAME`, `effect:read`, `effect:write` or `effect:destructive`");
}

fn any_rule() -> impl Strategy<Value = ToolRule> {
    let levels = vec![
        Level::Workspace,
        agent(),
        Level::Agent(name("other")),
        Level::Own(name("ada")),
        Level::Own(name("bob")),
        Level::Shared(name("c1")),
    ];
    let selectors = [
        "effect:read",
        "effect:write",
        "effect:destructive",
        "toolset:changes",
        "toolset:other",
        "update",
        "other",
    ];
    let connectors = vec![None, Some(name("crm")), Some(name("mail"))];
    (
        prop::sample::select(levels),
        prop::sample::select(connectors),
        prop::sample::select(selectors.to_vec()),
        prop::sample::select(MODES.to_vec()),
        prop::option::of(prop::sample::select(EFFECTS.to_vec())),
    )
        .prop_map(|(level, connector, selector, mode, made_for)| ToolRule {
            level,
            connector,
            selector: selector.parse().unwrap(),
            mode,
            made_for,
        })
}

fn any_seen() -> impl Strategy<Value = SeenTools> {
    let these = prop::option::of(prop::sample::select(EFFECTS.to_vec())).prop_map(|effect| {
        SeenTools::These(
            effect
                .map(|effect| (name("update"), effect))
                .into_iter()
                .collect(),
        )
    });
    prop_oneof![Just(SeenTools::All), these]
}

fn accounts() -> Vec<(Option<PersonId>, Option<ConnectionId>)> {
    vec![
        (None, None),
        (Some(name("ada")), None),
        (None, Some(name("c1"))),
    ]
}

fn acts_as(account: &(Option<PersonId>, Option<ConnectionId>)) -> ActsAs<'_> {
    match account {
        (Some(person), _) => ActsAs::Own(person),
        (_, Some(connection)) => ActsAs::Shared(connection),
        _ => ActsAs::Nobody,
    }
}

proptest! {
    #[test]
    fn adding_a_rule_never_loosens_what_a_rule_decided(
        rules in prop::collection::vec(any_rule(), 0..6),
        more in any_rule(),
        seen in any_seen(),
        account in prop::sample::select(accounts()),
        effect in prop::sample::select(EFFECTS.to_vec()),
    ) {
        let before = decided(&rules, &seen, acts_as(&account), effect);
        let with = [&rules[..], std::slice::from_ref(&more)].concat();
        let after = decided(&with, &seen, acts_as(&account), effect);
        if before.is_ruled {
            prop_assert!(after.mode >= before.mode, "{before:?} {after:?}");
        }
        // A default is loosened by a rule that counts, and never below what that says; one of before may still restrict it.
        if after.mode < before.mode {
            prop_assert!(after.mode >= more.mode);
            let named = with.iter().any(|rule| rule.mode == after.mode && rule.to_string() == after.rule);
            prop_assert!(named, "{after:?}");
        }
        // One that restricts is heard whenever it applies.
        let connector = name("crm");
        let tool = RuledTool { connector: &connector, name: &name("update"), toolset: "changes", effect };
        if more.is_for(&name("helper"), acts_as(&account)) && more.selects(&tool) {
            prop_assert!(after.mode >= more.mode);
        }
    }

    #[test]
    fn the_order_of_rules_does_not_matter(
        rules in prop::collection::vec(any_rule(), 0..8).prop_shuffle(),
        seen in any_seen(),
        account in prop::sample::select(accounts()),
        effect in prop::sample::select(EFFECTS.to_vec()),
    ) {
        let mut sorted = rules.clone();
        sorted.sort();
        prop_assert_eq!(
            decided(&rules, &seen, acts_as(&account), effect),
            decided(&sorted, &seen, acts_as(&account), effect)
        );
    }

    #[test]
    fn what_is_refused_early_is_refused_by_every_account(
        rules in prop::collection::vec(any_rule(), 0..6),
        seen in any_seen(),
        effect in prop::sample::select(EFFECTS.to_vec()),
    ) {
        let connector = name("crm");
        let tool = RuledTool { connector: &connector, name: &name("update"), toolset: "changes", effect };
        let mut policy = crate::AgentPolicy::new(name("helper"));
        (policy.rules, policy.seen) = (rules, seen);
        if policy.decide_early(&tool).is_some() {
            for account in accounts() {
                prop_assert_eq!(policy.decide(acts_as(&account), &tool).mode, Mode::Disabled);
            }
        }
    }
}
