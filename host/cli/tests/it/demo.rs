//! `portcullis demo --exit`.

use crate::program::run;

#[test]
fn the_demonstration_answers_three_questions_and_refuses_a_write() {
    let said = run(&["demo", "--exit"]);
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (0, ""),
        "{}",
        said.stdout
    );
    let mut rest = said.stdout.as_str();
    // In this order: each question, its answer, and what the audit entry says of it.
    for expected in [
        "never sees the access token",
        "> query",
        "Name|Amount|StageName|Account.Name",
        "step      Queried Opportunity",
        "sources   Opportunity",
        "ended     done",
        "rows 1-200 of 5000",
        "> query_next",
        "rows 201-400 of 5000",
        "No such column 'Industy' on entity 'Account'",
        "`Industry`",
        "tried `PATCH /record/1`, which is write",
        "(ceiling)",
        "ended     refused: ceiling",
        "\"mcpServers\"",
        "\"--dev-org\"",
    ] {
        let at = rest.find(expected);
        assert!(
            at.is_some(),
            "`{expected}` is not where it should be in:\n{}",
            said.stdout
        );
        rest = &rest[at.unwrap() + expected.len()..];
    }
    let invites = said.stdout.contains("as long as this program runs");
    assert!(!invites, "the org ends with the program");
    assert!(!said.stdout.contains('\u{1b}'), "colours are for terminals");
}
