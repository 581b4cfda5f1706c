//! Texts without what is another each time.

use serde_json::Value;

/// Takes out of a text what is another each time, as wide as it was.
pub(super) fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run =
            |is_part: fn(char) -> bool| rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        let hex = run(|char| char.is_ascii_digit() || ('a'..='f').contains(&char));
        let moment = run(|char| char.is_ascii_digit() || "-:T.Z ".contains(char));
        let starts_moment = rest.starts_with("20") && rest[..moment].contains('-') && moment >= 19;
        if let Some(port) = rest.strip_prefix("127.0.0.1:") {
            steady.push_str("127.0.0.1:PORT");
            rest = port.trim_start_matches(|char: char| char.is_ascii_digit());
        } else if let Some(place) = rest.strip_prefix("byte ") {
            // How long a record is depends on how long its call took.
            steady.push_str("byte N");
            rest = place.trim_start_matches(|char: char| char.is_ascii_digit());
        } else if let Some(number) = rest.strip_prefix("(uid ") {
            // Whoever runs the tests.
            steady.push_str("(uid N");
            rest = number.trim_start_matches(|char: char| char.is_ascii_digit());
        } else if starts_moment && rest.as_bytes()[10] != b'T' {
            steady.push_str("YYYY-MM-DD HH:MM:SS");
            rest = &rest[19..];
        } else if starts_moment {
            let end = rest[..moment].find('Z').map_or(moment, |end| end + 1);
            steady.push_str("MOMENT");
            rest = &rest[end..];
        } else if hex >= 12 {
            steady.push_str(&"x".repeat(hex));
            rest = &rest[hex..];
        } else if first.is_ascii_digit() {
            let number = run(|char| char.is_ascii_digit() || char == '.');
            match rest[number..].starts_with(" ms") {
                true => steady.push_str("N.N"),
                false => steady.push_str(&rest[..number]),
            }
            rest = &rest[number..];
        } else {
            let word = run(|char| char.is_alphanumeric()).max(first.len_utf8());
            steady.push_str(&rest[..word]);
            rest = &rest[word..];
        }
    }
    steady
}

/// As [`steady`], in a JSON value.
pub(super) fn steady_json(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_measure = name.ends_with("_us")
                    || name.ends_with("time")
                    || ["duration", "latency", "port"].contains(&name.as_str());
                match member.is_number() && is_measure {
                    true => *member = "N".into(),
                    false => steady_json(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(steady_json),
        Value::String(text) => *text = steady(text),
        _ => {}
    }
}
