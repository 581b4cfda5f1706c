#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

fn patterns(texts: &[&str]) -> Vec<ScopePattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn guarded() -> Vec<NamePattern> {
    let names = ["User", "PermissionSet*", "*Share"];
    names.map(|name| NamePattern::parse(name).unwrap()).into()
}

/// Says what comes of an access: `yes`, or why not.
fn asked(scope: &Scope, effect: Effect, kind: &str, fields: &[&str]) -> String {
    let access = Access {
        effect,
        kind: kind.to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    match check_access(Some(scope), &guarded(), &access) {
        Ok(()) => "yes".to_owned(),
        Err(denied) => denied.to_string(),
    }
}

fn reads(scope: &Scope, kind: &str, fields: &[&str]) -> bool {
    asked(scope, Effect::Read, kind, fields) == "yes"
}

fn changes(scope: &Scope, kind: &str, fields: &[&str]) -> bool {
    asked(scope, Effect::Write, kind, fields) == "yes"
}

#[test]
fn an_empty_scope_allows_all_but_what_is_guarded() {
    let scope = Scope::default();
    assert!(reads(&scope, "User", &["Email"]) && reads(&scope, "anything at all", &[]));
    assert!(changes(&scope, "Account", &["Name"]));
    assert!(!changes(&scope, "uSER", &[]) && !changes(&scope, "AccountShare", &[]));
    assert!(!scope.limits_reading() && !scope.limits_changing());
    let none = |effect, kind: &str| {
        let (kind, fields) = (kind.to_owned(), Vec::new());
        check_access(
            None,
            &guarded(),
            &Access {
                effect,
                kind,
                fields,
            },
        )
    };
    assert!(none(Effect::Read, "User").is_ok() && none(Effect::Destructive, "User").is_err());
    // What could be a guarded kind in disguise is none that may be changed.
    for disguised in [
        "User.",
        " User",
        "User\0",
        "U\u{17f}er",
        "User%20",
        "",
        "Us/er",
    ] {
        assert!(none(Effect::Write, disguised).is_err(), "{disguised:?}");
        assert!(none(Effect::Read, disguised).is_ok(), "nothing is hidden");
    }
}

#[test]
fn lists_of_what_is_allowed_and_denied() {
    let scope = Scope {
        read: Some(patterns(&[
            "Account",
            "Contact",
            "Opp*",
            "Case.Subject",
            "case.Id",
        ])),
        deny_read: patterns(&["Contact.SSN__c", "*.Salary*", "OpportunityHistory"]),
        change: Some(patterns(&["Contact.Phone", "Account", "Lead"])),
        deny_change: patterns(&["*.OwnerId"]),
        ..Scope::default()
    };
    for (kind, fields, may_read, may_change) in [
        ("Account", &["Name"][..], true, true),
        ("ACCOUNT", &["name", "Industry"], true, true),
        ("Account", &["OwnerId"], true, false),
        ("Account", &["salary__c"], false, false),
        ("Contact", &[], true, true),
        ("Contact", &["Phone"], true, true),
        ("Contact", &["Email"], true, false),
        ("Contact", &["Phone", "ssn__C"], false, false),
        ("Opportunity", &["Name"], true, false),
        ("OpportunityHistory", &[], false, false),
        ("Case", &["Subject", "ID"], true, false),
        ("Case", &[], true, false),
        ("Case", &["Description"], false, false),
        // What may be changed must be readable.
        ("Lead", &[], false, false),
        ("Payroll__c", &[], false, false),
        // Names that a service could take for allowed ones.
        ("Account.", &[], false, false),
        ("Account ", &[], false, false),
        ("Account\0", &[], false, false),
        ("Account", &["Name "], false, false),
        ("Account", &["Name\0"], false, false),
        ("Account", &["Owner.Name"], false, false),
        ("Account", &["Na\u{200d}me"], false, false),
    ] {
        assert_eq!(
            reads(&scope, kind, fields),
            may_read,
            "read {kind:?} {fields:?}"
        );
        assert_eq!(
            changes(&scope, kind, fields),
            may_change,
            "change {kind:?} {fields:?}"
        );
    }
    assert!(
        scope.limits_fields(Effect::Read, "contact") && scope.limits_fields(Effect::Read, "Case")
    );
    assert!(
        scope.limits_fields(Effect::Read, "Account"),
        "by `*.Salary*`"
    );
    let whole = Scope {
        read: Some(patterns(&["Account", "Contact.Name"])),
        ..Scope::default()
    };
    assert!(!whole.limits_fields(Effect::Read, "ACCOUNT"));
    assert!(whole.limits_fields(Effect::Write, "Contact"));
}

#[test]
fn an_empty_list_allows_nothing() {
    let scope = Scope {
        read: Some(Vec::new()),
        ..Scope::default()
    };
    assert!(!reads(&scope, "Account", &[]) && !changes(&scope, "Account", &[]));
    let scope = Scope {
        change: Some(Vec::new()),
        ..Scope::default()
    };
    assert!(reads(&scope, "Account", &[]) && !changes(&scope, "Account", &[]));
}

#[test]
fn a_pattern_does_not_open_what_is_guarded() {
    for patterns_of_change in [
        &["*"][..],
        &["User*"],
        &["*User"],
        &["*.Email"],
        &["Us*.Email"],
    ] {
        let scope = Scope {
            change: Some(patterns(patterns_of_change)),
            ..Scope::default()
        };
        assert!(
            !changes(&scope, "User", &["Email"]),
            "{patterns_of_change:?}"
        );
    }
    let scope = Scope {
        change: Some(patterns(&["*", "user.Email"])),
        ..Scope::default()
    };
    assert!(changes(&scope, "User", &["Email"]));
    assert!(!changes(&scope, "PermissionSet", &[]) && !changes(&scope, "AccountShare", &[]));
    let denied = Scope {
        deny_change: patterns(&["User"]),
        ..scope
    };
    assert!(!changes(&denied, "User", &["Email"]));
}

#[test]
fn refusals_say_what_and_why_and_do_not_depend_on_what_there_is() {
    let scope = Scope {
        read: Some(patterns(&["Account"])),
        deny_read: patterns(&["Account.Secret*"]),
        ..Scope::default()
    };
    let read_only = Scope {
        read_only: true,
        ..Scope::default()
    };
    let said = [
        asked(&scope, Effect::Read, "Payroll__c", &[]),
        asked(&scope, Effect::Read, "Account", &["Name", "Secret__c"]),
        asked(&scope, Effect::Write, "Payroll__c", &["Name"]),
        asked(&scope, Effect::Destructive, "Account", &["SecretX"]),
        asked(&scope, Effect::Write, "User", &[]),
        asked(&scope, Effect::Read, "A\u{202e}ccount\n", &[]),
        asked(&read_only, Effect::Write, "Account", &[]),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    this agent may not read `Payroll__c`
    this agent may not read the field `Secret__c` of `Account`
    this agent may not change `Payroll__c`
    this agent may not change the field `SecretX` of `Account`
    `User` gives power over others: this agent may not change it, unless an administrator allows it by this name
    this agent may not read `A\u{202e}ccount\n`
    this agent only reads
    ");
}

/// Says which settings would allow what is denied, and holds that they do.
fn settings(scope: &Scope, effect: Effect, kind: &str, fields: &[&str]) -> Option<String> {
    let access = Access {
        effect,
        kind: kind.to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    let denied = check_access(Some(scope), &guarded(), &access).unwrap_err();
    denied.settings(Some(scope))
}

#[test]
fn what_is_denied_says_which_setting_would_allow_it() {
    let scope = Scope {
        read: Some(patterns(&["Account", "Contact.Phone", "Payroll"])),
        deny_read: patterns(&["*.Salary*", "Payroll"]),
        change: Some(patterns(&["Contact.Phone"])),
        deny_change: patterns(&["Account.Name"]),
        ..Scope::default()
    };
    let (read, change) = (Effect::Read, Effect::Destructive);
    for (effect, kind, fields, expected) in [
        (read, "Lead", &[][..], "add `Lead` to its `--read`"),
        (
            read,
            "Contact",
            &["Email"],
            "add `Contact.Email` to its `--read`",
        ),
        (
            read,
            "Account",
            &["Salary"],
            "take `*.Salary*` out of its `--deny-read`",
        ),
        (
            read,
            "payroll",
            &[],
            "take `Payroll` out of its `--deny-read`",
        ),
        (change, "Account", &[], "add `Account` to its `--change`"),
        (
            change,
            "Lead",
            &[],
            "add `Lead` to its `--read`, add `Lead` to its `--change`",
        ),
        (change, "User", &[], "add `User` to its `--change`"),
    ] {
        let found = settings(&scope, effect, kind, fields);
        assert_eq!(found.as_deref(), Some(expected), "{kind} {fields:?}");
    }
    let all = Scope::default();
    let guarded = settings(&all, change, "User", &[]).unwrap();
    assert!(guarded.contains("all else that it may change"), "{guarded}");
    // What no list has does not become allowed by one.
    assert_eq!(settings(&scope, read, "a b", &[]), None);
}

#[test]
fn a_scope_is_written_as_data_and_nothing_else_is_one() {
    let scope = Scope {
        read: Some(patterns(&["Account", "Contact.Phone"])),
        rows_max: Some(200),
        ..Scope::default()
    };
    let text = serde_json::to_string(&scope).unwrap();
    assert_eq!(
        text,
        r#"{"read":["Account","Contact.Phone"],"rows_max":200}"#
    );
    assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope);
    for wrong in [
        r#"{"raed":[]}"#,
        r#"{"read":["A b"]}"#,
        r#"{"rows_max":-1}"#,
    ] {
        assert!(serde_json::from_str::<Scope>(wrong).is_err(), "{wrong}");
    }
}

fn any_patterns() -> impl Strategy<Value = Vec<ScopePattern>> {
    let some = [
        "*", "A", "B", "A*", "*B", "A.x", "A.y", "*.x", "B.*", "User", "User.x", "*.x*",
    ];
    prop::collection::vec(prop::sample::select(some.to_vec()), 0..4)
        .prop_map(|texts| patterns(&texts))
}

fn any_scope() -> impl Strategy<Value = Scope> {
    (
        any::<bool>(),
        prop::option::of(any_patterns()),
        any_patterns(),
        prop::option::of(any_patterns()),
        any_patterns(),
    )
        .prop_map(|(read_only, read, deny_read, change, deny_change)| Scope {
            read_only,
            read,
            deny_read,
            change,
            deny_change,
            ..Scope::default()
        })
}

proptest! {
    #[test]
    fn denying_never_allows_and_case_never_counts(
        scope in any_scope(),
        more in any_patterns(),
        kind in "[ABab]{1,2}|User|uSER",
        field in "[xyXY]{1,2}",
        writes in any::<bool>(),
    ) {
        let effect = if writes { Effect::Write } else { Effect::Read };
        let before = asked(&scope, effect, &kind, &[&field]);
        let swapped: String = kind.chars().map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect();
        prop_assert_eq!(before == "yes", asked(&scope, effect, &swapped, &[&field.to_uppercase()]) == "yes");
        let mut denied = scope.clone();
        denied.deny_read.extend(more);
        if before != "yes" {
            prop_assert_ne!(asked(&denied, effect, &kind, &[&field]), "yes");
        }
        // What may be changed may be read, and a kind whose field may be touched may be touched.
        if asked(&scope, Effect::Write, &kind, &[&field]) == "yes" {
            prop_assert!(reads(&scope, &kind, &[&field]));
        }
        if before == "yes" {
            prop_assert_eq!(asked(&scope, effect, &kind, &[]), "yes");
        }
        // Where no field is limited, every field is allowed with its kind.
        if asked(&scope, effect, &kind, &[]) == "yes" && !scope.limits_fields(effect, &kind) {
            prop_assert_eq!(before, "yes");
        }
    }

    #[test]
    fn no_name_panics(scope in any_scope(), kind in ".{0,20}", field in ".{0,20}") {
        let _ = asked(&scope, Effect::Write, &kind, &[&field]);
        if !kind.is_ascii() && scope.limits_reading() {
            prop_assert!(!reads(&scope, &kind, &[]));
        }
    }
}
