//! The command line for what was done, and the log that says so.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use portcullis::policy::{AgentId, ConnectorName, Effect, PersonId, ToolName};

use super::Form;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  portcullis activity                             the last calls
  portcullis activity --person bob --since today  what was done for Bob
  portcullis activity --outcome unclear           changes whose outcome nobody knows
  portcullis activity --effect write --follow     changes, as they are made
  portcullis activity --decisions                 who decided what, when and from where
  portcullis activity show 019a0c                 one call: its steps, what each read or changed, and its requests

Times are in UTC. Members see what was done for them, administrators everything."
)]
pub(crate) struct Activity {
    #[command(subcommand)]
    pub(crate) command: Option<ActivityCommand>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// What people decided, instead of calls: rules, scopes, trust, shares, versions, approvals, keys; `--person` is who decided.
    #[arg(long, conflicts_with_all = ["agent", "tool", "connector", "connection", "outcome", "effect", "follow"])]
    pub(crate) decisions: bool,
    /// How many at most, the newest.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: u32,
    /// Go on after the last ones, and print each call when it has ended.
    #[arg(long, short, conflicts_with = "until")]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// Show a call: its steps, what each read or changed, and its requests.
    Show {
        /// The call's id, or its beginning.
        id: String,
        #[command(flatten)]
        form: Form,
    },
}

/// Which calls.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which")]
pub(crate) struct Which {
    /// For this person.
    #[arg(long, value_name = "ID")]
    pub(crate) person: Option<PersonId>,
    /// By this agent.
    #[arg(long, value_name = "ID")]
    pub(crate) agent: Option<AgentId>,
    /// Of this tool.
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<ToolName>,
    /// Of this connector.
    #[arg(long, value_name = "NAME")]
    pub(crate) connector: Option<ConnectorName>,
    /// As this account: a connection's id or label.
    #[arg(long, value_name = "CONNECTION")]
    pub(crate) connection: Option<String>,
    /// That ended so: `done`, `refused`, `failed`, `approval_required`, `connect_required`, `abandoned`, `cut_off`, `unclear`,
    /// `running`, or with a code such as `not_offered`.
    #[arg(long, value_name = "OUTCOME")]
    pub(crate) outcome: Option<String>,
    /// Of tools that reach this far: `read`, `write` or `destructive`.
    #[arg(long, value_parser = effect)]
    pub(crate) effect: Option<Effect>,
    /// From then on: `2026-11-26`, `2026-11-26T10:00Z`, `today`, `yesterday`, or how long ago, such as `90m` or `2d`.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// Before then.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis audit verify                                      whether the log is whole
  portcullis audit export --format ocsf --since 2026-11-01 --out november.jsonl
  portcullis audit retain --days 400                           remove what is older, and keep the rest verifiable
  portcullis audit values salesforce update_record on          keep the values that it changes, sealed")]
pub(crate) enum AuditCommand {
    /// Look at every record of the log, and name the first that is not as it was written.
    Verify {
        /// The end of a lane as `verify` printed it earlier, `LANE:NUMBER:HASH`: the log must go through it.
        #[arg(long, value_name = "HEAD", value_parser = head)]
        through: Vec<portcullis_store::Head>,
        #[command(flatten)]
        form: Form,
    },
    /// Write calls out for other programs.
    Export(Export),
    /// Remove what is older than a number of days, in whole files; without one, say how long the log is kept.
    Retain {
        /// The days that are kept.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: Option<u32>,
        /// Have programs that serve do the same from now on: at their start, and once a day.
        #[arg(long, requires = "days")]
        daily: bool,
        /// Have them remove nothing any more.
        #[arg(long, conflicts_with_all = ["days", "daily"])]
        never: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Keep the values that a tool changes, sealed, or no longer; without a tool, list those that are kept.
    Values {
        /// The connector.
        #[arg(requires = "tool")]
        connector: Option<ConnectorName>,
        /// The tool.
        #[arg(requires = "switch")]
        tool: Option<ToolName>,
        /// Whether they are kept from now on.
        #[arg(value_enum)]
        switch: Option<Switch>,
        #[command(flatten)]
        form: Form,
    },
    /// Put a log aside that is broken and cannot be put back, and begin a new one, which says so.
    Restart {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        form: Form,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Values are kept.
    On,
    /// They are not.
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The form.
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    #[command(flatten)]
    pub(crate) which: Which,
    /// What people decided, instead of calls.
    #[arg(long, conflicts_with_all = ["agent", "tool", "connector", "connection", "outcome", "effect"])]
    pub(crate) decisions: bool,
    /// The file, made for you alone; else standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// A form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// JSON lines: a call a line, with its steps and requests.
    Jsonl,
    /// CSV (RFC 4180): a call a line.
    Csv,
    /// JSON lines in the Open Cybersecurity Schema Framework: API Activity (6003).
    Ocsf,
}

impl Activity {
    pub(crate) fn form(&self) -> Form {
        match &self.command {
            Some(ActivityCommand::Show { form, .. }) => *form,
            None => self.form,
        }
    }
}

impl AuditCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Verify { form, .. }
            | Self::Export(Export { form, .. })
            | Self::Retain { form, .. }
            | Self::Values { form, .. }
            | Self::Restart { form, .. } => *form,
        }
    }
}

fn effect(text: &str) -> Result<Effect, String> {
    let all = [Effect::Read, Effect::Write, Effect::Destructive];
    let found = all.into_iter().find(|effect| effect.as_str() == text);
    found.ok_or_else(|| "give `read`, `write` or `destructive`".to_owned())
}

fn head(text: &str) -> Result<portcullis_store::Head, String> {
    portcullis_store::Head::parse(text)
        .ok_or_else(|| "give it as `audit verify` printed it, `LANE:NUMBER:HASH`".to_owned())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    moment_at(text, Timestamp::now())
}

/// Reads a time, or how long before now it was.
fn moment_at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let day = |date: Date| {
        let begins = date.to_zoned_datetime(TimeZone::UTC);
        begins.map(|begins| begins.timestamp()).ok()
    };
    let found = match text {
        "today" => day(today),
        "yesterday" => today.yesterday().ok().and_then(day),
        text => text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| text.parse::<Date>().ok().and_then(day))
            .or_else(|| ago(text, now)),
    };
    found.ok_or_else(|| {
        "give a day (`2026-11-26`), a time (`2026-11-26T10:00Z`), `today`, `yesterday`, or how long ago (`90m`, `2d`)".to_owned()
    })
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    if span.is_negative() {
        return None;
    }
    let now = now.to_zoned_datetime(TimeZone::UTC);
    Some(now.checked_sub(span).ok()?.timestamp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_many_ways() {
        let now: Timestamp = "2026-11-26T10:30:00Z".parse().unwrap();
        let at = |text: &str| moment_at(text, now).unwrap().to_string();
        assert_eq!(at("today"), "2026-11-26T00:00:00Z");
        assert_eq!(at("yesterday"), "2026-11-25T00:00:00Z");
        assert_eq!(at("2026-11-01"), "2026-11-01T00:00:00Z");
        assert_eq!(at("2026-11-01T09:00+02:00"), "2026-11-01T07:00:00Z");
        assert_eq!(at("90m"), "2026-11-26T09:00:00Z");
        assert_eq!(at("2d"), "2026-11-24T10:30:00Z");
        for wrong in ["", "soon", "-2d", "2026-13-01", "26.11.2026"] {
            assert!(moment_at(wrong, now).is_err(), "{wrong}");
        }
    }
}
