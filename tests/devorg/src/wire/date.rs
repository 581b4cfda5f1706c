//! Moments in headers (RFC 9110, section 5.6.7).

use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

/// Writes `Mon, 23 Nov 2026 12:00:00 GMT`; nothing before the year 0, which headers cannot have.
pub(crate) fn write(moment: Timestamp) -> String {
    let mut text = String::new();
    match DateTimePrinter::new().print_timestamp_rfc9110(&moment, &mut text) {
        Ok(()) => text,
        Err(_) => String::new(),
    }
}

/// Reads what [`write`] writes; `None` for anything else, which a server ignores.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_and_read() {
        let moment: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(write(moment), "Mon, 23 Nov 2026 12:00:00 GMT");
        assert_eq!(read(&write(moment)), Some(moment));
        assert_eq!(read("yesterday"), None);
    }
}
