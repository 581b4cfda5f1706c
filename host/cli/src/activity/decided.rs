//! `portcullis activity --decisions`: what people decided, and what the log says of itself.

use anyhow::Result;
use jiff::Timestamp;
use portcullis_store::{Activity, Note, NoteLine};
use serde_json::{Value, json};

use super::warn;
use crate::args::Form;
use crate::args::audit::Which;
use crate::home::Session;
use crate::show;
use crate::show::table::{Table, moment};

/// What somebody decided.
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    lane: u32,
    number: u64,
    id: Option<String>,
    pub(crate) person: Option<String>,
    user: Option<String>,
    door: Option<&'static str>,
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    /// Whether it came to nothing.
    pub(crate) is_undone: bool,
}

/// Reads what was decided, the oldest first. Who does not administer is shown their own.
pub(crate) async fn read(session: &Session, log: &Activity, which: &Which) -> Result<Vec<Line>> {
    let me = &session.me.id;
    let person = match &which.person {
        Some(person) if person != me => {
            session.require_administrator().await?;
            Some(person.as_str())
        }
        None if session.is_administrator() => None,
        _ => Some(me.as_str()),
    };
    let (notes, stopped) = log.notes().await?;
    warn(stopped.as_ref())?;
    let undone = |note: &NoteLine| match &note.note {
        Note::Undone { decision } => Some(decision.clone()),
        _ => None,
    };
    let undone: Vec<String> = notes.iter().filter_map(undone).collect();
    let lines = notes.into_iter().filter_map(|note| line(note, &undone));
    let is_asked_for = |line: &Line| {
        person.is_none_or(|person| line.person.as_deref() == Some(person))
            && which.since.is_none_or(|since| line.at >= since)
            && which.until.is_none_or(|until| line.at < until)
    };
    Ok(lines.filter(is_asked_for).collect())
}

fn line(note: NoteLine, undone: &[String]) -> Option<Line> {
    let NoteLine {
        lane,
        number,
        at,
        note,
        ..
    } = note;
    let text = note.to_string();
    let of_log = |kind, person: Option<String>| Line {
        at,
        lane,
        number,
        id: None,
        person,
        user: None,
        door: None,
        kind,
        subject: text,
        from: None,
        to: None,
        is_undone: false,
    };
    Some(match note {
        Note::Decided(decided) => Line {
            is_undone: undone.contains(&decided.id),
            id: Some(decided.id),
            person: Some(decided.by.person.to_string()),
            user: decided.by.user,
            door: Some(decided.by.door.as_str()),
            kind: decided.kind.as_str(),
            subject: decided.subject,
            from: decided.from,
            to: decided.to,
            ..of_log("", None)
        },
        Note::Values { person, .. } => of_log("values", Some(person.to_string())),
        Note::Retention { person, .. } => of_log("retention", Some(person.to_string())),
        Note::Retained { person, .. } => of_log("retained", Some(person.to_string())),
        Note::Restarted { person, .. } => of_log("restarted", Some(person.to_string())),
        // Nobody decided that.
        _ => return None,
    })
}

impl Line {
    /// Says from what to what.
    fn change(&self) -> String {
        let word = |of: &Option<String>| of.clone().unwrap_or_else(|| "none".to_owned());
        let change = match (&self.from, &self.to) {
            (None, None) => String::new(),
            (from, to) => format!("{} -> {}", word(from), word(to)),
        };
        match self.is_undone {
            true => format!("{change} (came to nothing)"),
            false => change,
        }
    }

    /// Makes an object of it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "at": self.at.to_string(),
            "lane": self.lane,
            "number": self.number,
            "id": self.id,
            "person": self.person,
            "user": self.user,
            "door": self.door,
            "decided": self.kind,
            "subject": self.subject,
            "from": self.from,
            "to": self.to,
            "came_to_nothing": self.is_undone,
        })
    }

    /// Gives its cells, in the order of [`COLUMNS`].
    pub(crate) fn cells(&self) -> [String; 12] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            self.at.to_string(),
            self.lane.to_string(),
            self.number.to_string(),
            text(&self.id),
            text(&self.person),
            text(&self.user),
            self.door.unwrap_or_default().to_owned(),
            self.kind.to_owned(),
            self.subject.clone(),
            text(&self.from),
            text(&self.to),
            self.is_undone.to_string(),
        ]
    }
}

/// The names of the cells of a line.
pub(crate) const COLUMNS: [&str; 12] = [
    "time",
    "lane",
    "number",
    "id",
    "person",
    "user",
    "door",
    "decided",
    "subject",
    "from",
    "to",
    "came_to_nothing",
];

/// Characters of an id and of a digest that are shown: enough to tell those of one day apart, and to look for.
const ID_SHOWN: usize = 16;
const DIGEST_SHOWN: usize = 12;

/// Cuts the ids and digests in a text: `--json` has them whole.
fn short(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begins) = rest.find(|char: char| char.is_ascii_alphanumeric()) {
        let (before, word) = rest.split_at(begins);
        let ends = word.find(|char: char| !char.is_ascii_alphanumeric());
        let (word, after) = word.split_at(ends.unwrap_or(word.len()));
        let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let max = match word.len() {
            32 if is_hex => ID_SHOWN,
            64 if is_hex => DIGEST_SHOWN,
            len => len,
        };
        shown.push_str(before);
        shown.push_str(&word[..max]);
        rest = after;
    }
    shown + rest
}

/// Lists the newest, as a log is read: the newest last.
pub(super) async fn list(
    session: &Session,
    log: &Activity,
    which: &Which,
    limit: u32,
    form: Form,
) -> Result<()> {
    let lines = read(session, log, which).await?;
    let left_out = lines
        .len()
        .saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    let lines = &lines[left_out..];
    if form.json {
        let lines: Value = lines.iter().map(Line::json).collect();
        return Ok(show::json(&lines)?);
    }
    if lines.is_empty() {
        let sentence = "Nothing like this was decided.";
        return Ok(show::done(form, &Value::Null, sentence, None)?);
    }
    let mut table = Table::new(&["TIME", "PERSON", "BY", "DECIDED", "ON", "FROM -> TO"]);
    for line in lines {
        let (person, door) = (line.person.as_deref(), line.door);
        table.row([
            &moment(Some(line.at)),
            person.unwrap_or_default(),
            door.unwrap_or("command line"),
            line.kind,
            &short(&line.subject),
            &short(&line.change()),
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn ids_and_digests_are_cut_and_nothing_else() {
        let id = "01a2178e5c3f4b2196c0ffee00000000";
        let digest = "ab".repeat(32);
        assert_eq!(
            short(&format!("{id}: ask of crm, {digest} waits")),
            "01a2178e5c3f4b21: ask of crm, abababababab waits"
        );
        for whole in [
            "",
            "001DO0000000002YAA",
            "é → kept for 30 days",
            &"g".repeat(32),
            &id[..31],
        ] {
            assert_eq!(short(whole), whole);
        }
    }
}
