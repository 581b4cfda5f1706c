//! A card as an HTML fragment, readable without styles and scripts.

use std::fmt::Write as _;

use super::Checked;
use super::sheet::{Before, Line, Sheet};
use crate::escape_html as escaped;

pub(super) fn render(sheet: &Sheet) -> String {
    let mut html = format!(
        "<article class=\"card\"><h1>{}</h1><p class=\"environment\"><strong>{}</strong></p>",
        escaped(&sheet.title),
        escaped(sheet.environment)
    );
    for section in &sheet.sections {
        let _ = write!(html, "<section><h2>{}</h2>", escaped(&section.heading));
        for line in &section.lines {
            render_line(line, &mut html);
        }
        html.push_str("</section>");
    }
    html.push_str("</article>");
    html
}

fn render_line(line: &Line, html: &mut String) {
    let _ = match line {
        Line::Fact(name, value) => write!(
            html,
            "<p><span class=\"name\">{}:</span> {}</p>",
            escaped(name),
            escaped(value)
        ),
        Line::Record(title) => write!(html, "<h3>{}</h3>", escaped(title)),
        Line::Link(url) => {
            let url = escaped(url);
            write!(
                html,
                "<p><a href=\"{url}\" rel=\"noreferrer noopener\">{url}</a></p>"
            )
        }
        Line::Warning(warning) => {
            write!(html, "<p class=\"warning\">⚠ {}</p>", escaped(warning))
        }
        Line::Code(code) => write!(html, "<pre>{}</pre>", escaped(code)),
        Line::Field {
            name,
            before,
            after,
            checked,
        } => {
            let mark = match checked {
                Checked::InRequest => "",
                Checked::ConnectorSays | Checked::NotSent => " <em>unverified</em>",
            };
            let known = escaped(before.words());
            let after = after.as_deref().map(escaped);
            let values = match (before, after) {
                (_, None) => known,
                (Before::NoRecord, Some(after)) => format!("<ins>{after}</ins>{mark}"),
                (_, Some(after)) => format!("<del>{known}</del> → <ins>{after}</ins>{mark}"),
            };
            write!(
                html,
                "<p class=\"field\"><span class=\"name\">{}:</span> {values}</p>",
                escaped(name)
            )
        }
    };
}
