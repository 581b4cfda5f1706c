//! What is kept of arguments whose values are not: their names.

use serde_json::Value;

/// What stands where a value was.
const LEFT_OUT: &str = "…";

/// Returns the arguments with every value left out: what stays are the names of members and how many items a list has.
///
/// The arguments of a tool that changes something hold what a record is to hold; which of them do is the connector's secret.
pub(super) fn outline(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(mut value) => {
            leave_out(&mut value);
            value.to_string()
        }
        Err(_) => LEFT_OUT.to_owned(),
    }
}

fn leave_out(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(leave_out),
        Value::Array(items) => items.iter_mut().for_each(leave_out),
        value => *value = LEFT_OUT.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_values_go() {
        let arguments = r#"{"object":"Lead","fields":{"City":"Ulm","Rating":null},"ids":[1,true]}"#;
        let kept = r#"{"fields":{"City":"…","Rating":"…"},"ids":["…","…"],"object":"…"}"#;
        assert_eq!(outline(arguments), kept);
        assert_eq!(outline("not JSON: Ulm"), "…");
        assert_eq!(outline("{}"), "{}");
    }
}
