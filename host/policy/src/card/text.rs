//! A card as lines of text, for a terminal and for a model.

use std::fmt::Write as _;

use super::Checked;
use super::sheet::{Before, Line, Sheet};

pub(super) fn render(sheet: &Sheet) -> String {
    let mut text = format!("{}\nin {}\n", sheet.title, sheet.environment);
    for section in &sheet.sections {
        let _ = write!(text, "\n{}\n", section.heading);
        for line in &section.lines {
            render_line(line, &mut text);
        }
    }
    text
}

fn render_line(line: &Line, text: &mut String) {
    let _ = match line {
        Line::Fact(name, value) => writeln!(text, "  {name}: {value}"),
        Line::Record(title) => writeln!(text, "  {title}"),
        Line::Link(url) => writeln!(text, "    {url}"),
        Line::Warning(warning) => writeln!(text, "  ! {warning}"),
        Line::Code(code) => writeln!(text, "  | {code}"),
        Line::Field {
            name,
            before,
            after,
            checked,
        } => {
            let mark = match checked {
                Checked::InRequest => "",
                Checked::ConnectorSays | Checked::NotSent => "  (unverified)",
            };
            let known = before.words();
            match (before, after) {
                (_, None) => writeln!(text, "    {name}: {known}"),
                (Before::NoRecord, Some(after)) => writeln!(text, "    {name}: {after}{mark}"),
                (_, Some(after)) => writeln!(text, "    {name}: {known} → {after}{mark}"),
            }
        }
    };
}
