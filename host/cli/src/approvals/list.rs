//! Listings.

use anyhow::Result;
use jiff::Timestamp;
use portcullis_store::{Approval, Listed, StandingApproval, Which};
use serde_json::{Value, json};

use crate::args::Form;
use crate::args::approvals::ApprovalsList;
use crate::home::Session;
use crate::show;
use crate::show::table::Table;

/// Characters of an id that are listed: enough to tell those of one day apart.
const ID_SHOWN: usize = 16;

pub(super) async fn run(session: &Session, args: &ApprovalsList) -> Result<()> {
    if args.everyone {
        session.require_administrator().await?;
    }
    let which = Which {
        person: (!args.everyone).then(|| session.me.id.clone()),
        settled: args.all,
        limit: args.limit,
    };
    let (approvals, count) = session
        .store
        .listed_approvals(&which, &session.me.id)
        .await?;
    if args.form.json {
        let list = approvals.iter().map(|listed| {
            let mut value = approval_json(&listed.approval);
            value["title"] = json!(listed.title);
            value
        });
        let value = json!({ "approvals": list.collect::<Value>(), "count": count });
        return Ok(show::json(&value)?);
    }
    if approvals.is_empty() {
        let sentence = match (args.everyone, args.all) {
            (false, false) => "Nothing waits for you.",
            (true, false) => "Nothing waits for anybody.",
            (false, true) => "There are no questions of yours.",
            (true, true) => "There are no questions.",
        };
        return Ok(show::done(args.form, &Value::Null, sentence, None)?);
    }
    let mut table = Table::new(&["ID", "STATE", "AGENT", "FOR", "WHAT", "SINCE"]);
    for Listed { approval, title } in &approvals {
        let id = approval.id.to_string();
        let what = title.clone().unwrap_or_else(|| approval.tool.to_string());
        table.row([
            &id[..ID_SHOWN],
            state(approval),
            approval.agent.as_str(),
            approval.person.as_str(),
            &what,
            &minutes(approval.created),
        ]);
    }
    table.write(&mut anstream::stdout().lock())?;
    let listed = approvals.len() as u64;
    if listed < count {
        show::note(&format!(
            "{} more: `--limit {count}` lists them",
            count - listed
        ))?;
    }
    Ok(())
}

pub(super) async fn standing(session: &Session, form: Form) -> Result<()> {
    let rules = session.store.standing_approvals(&session.me.id).await?;
    if form.json {
        let rules: Value = rules.iter().map(standing_json).collect();
        return Ok(show::json(&rules)?);
    }
    if rules.is_empty() {
        let sentence = "There are no standing approvals of yours: each change is asked for.";
        return Ok(show::done(form, &Value::Null, sentence, None)?);
    }
    let mut table = Table::new(&[
        "ID",
        "AGENT",
        "TOOL",
        "WHAT",
        "FIELDS",
        "RECORDS LEFT",
        "UNTIL",
    ]);
    for rule in &rules {
        table.row([
            &rule.id.to_string(),
            rule.agent.as_str(),
            rule.tool.as_str(),
            &format!("{} {}", rule.action, rule.kind),
            &rule.fields.join(", "),
            &rule.records_left.to_string(),
            &show::moment(rule.expires),
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

pub(super) fn approval_json(approval: &Approval) -> Value {
    json!({
        "id": approval.id,
        "state": approval.state.as_str(),
        "person": approval.person,
        "agent": approval.agent,
        "connector": approval.connector,
        "tool": approval.tool,
        "connection": approval.connection,
        "effect": approval.effect,
        "call": approval.call,
        "created": approval.created.to_string(),
        "expires": approval.expires.to_string(),
        "decided": approval.decided.map(|at| at.to_string()),
        "used_by": approval.used_by,
        "unsent": approval.is_unsent,
    })
}

pub(super) fn standing_json(rule: &StandingApproval) -> Value {
    json!({
        "id": rule.id,
        "agent": rule.agent,
        "connector": rule.connector,
        "tool": rule.tool,
        "connection": rule.connection,
        "action": rule.action,
        "kind": rule.kind,
        "fields": rule.fields,
        "records_left": rule.records_left,
        "expires": rule.expires.to_string(),
    })
}

/// Says what became of a question, and of a yes that was used whether anything was sent by it.
pub(super) fn state(approval: &Approval) -> &'static str {
    match approval.is_unsent {
        true => "used, nothing sent",
        false => approval.state.as_str(),
    }
}

fn minutes(since: Timestamp) -> String {
    let seconds = Timestamp::now().duration_since(since).as_secs();
    match seconds {
        ..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3_600),
    }
}
