//! Colours. Streams drop them where they do not go to a terminal, or `NO_COLOR` is set.

use std::fmt::Display;

use clap::builder::styling::{AnsiColor, Style};

/// What went wrong.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What to do.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
/// What leads a paragraph.
pub(crate) const TITLE: Style = AnsiColor::Green.on_default().bold();
/// What is there to look up, not to read.
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Wraps a text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> impl Display {
    format!("{style}{text}{style:#}")
}
