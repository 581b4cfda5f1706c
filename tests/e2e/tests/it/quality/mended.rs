//! What a caller does who has nothing but the error: it reads the hint, and makes the call that it names.
//!
//! It knows the phrases in which errors say what would have been right, and no tool, no object and no case.

use portcullis::Failure;
use serde_json::{Map, Value, json};

/// Applies what an error says to the arguments that failed. `None`: it says nothing that could be done.
pub fn mended(arguments: &Value, failure: &Failure) -> Option<Value> {
    let mut mended = arguments.clone();
    let hint = failure.hint.as_deref().unwrap_or_default();
    let mut changed = false;
    for field in &failure.fields {
        // A problem may say it itself; else the hint does.
        let said = format!("{} | {hint}", field.problem);
        changed |= apply(&mut mended, &field.pointer, &field.problem, &said).is_some();
    }
    (changed && mended != *arguments).then_some(mended)
}

fn apply(arguments: &mut Value, pointer: &str, problem: &str, said: &str) -> Option<()> {
    // A whole query.
    if let Some((_, query)) = said.split_once("write: ") {
        *arguments.pointer_mut(pointer)? = query.into();
        return Some(());
    }
    // The object of an id.
    if let Some(object) = after(said, "it is of the object `") {
        arguments["object"] = object.into();
        return Some(());
    }
    if let Some(record) = after(said, "of that name: `") {
        *arguments.pointer_mut(pointer)? = record.into();
        return Some(());
    }
    // A value as JSON spells it.
    if let Some(value) = after(problem, "; write `") {
        *arguments.pointer_mut(pointer)? = serde_json::from_str(value).ok()?;
        return Some(());
    }
    if let Some(most) = after_word(problem, "takes at most ")
        && problem.contains("shorten it")
    {
        let text = arguments.pointer(pointer)?.as_str()?;
        let short: String = text.chars().take(most.parse().ok()?).collect();
        *arguments.pointer_mut(pointer)? = short.into();
        return Some(());
    }
    if let Some(part) = after(problem, "set these: `") {
        return rename(arguments, pointer, part);
    }
    if problem.contains("cannot be set") || problem.contains("read-only") {
        return remove(arguments, pointer);
    }
    if problem.contains("is required") {
        let value = match after(problem, "its values: `") {
            Some(value) => value.into(),
            None => some_value(problem)?,
        };
        return insert(arguments, pointer, value);
    }
    // Names and values that are near, the nearest first.
    let near = [
        "near names: `",
        "near: `",
        "valid: `",
        "to find a record by: `",
    ];
    let near = near.iter().find_map(|phrase| after(said, phrase))?;
    let wrong = [
        "has no field `",
        "no object `",
        "no relationship `",
        "no child relationship `",
        "has no value “",
        "has no record type “",
    ]
    .iter()
    .find_map(|phrase| problem.split_once(phrase))
    .and_then(|(_, rest)| rest.split(['`', '”']).next());
    if pointer.rsplit('/').next().map(unescaped).as_deref() == wrong
        || pointer.starts_with("/fields/") && arguments["fields"].is_object() && wrong.is_none()
    {
        return rename(arguments, pointer, near);
    }
    replace(arguments.pointer_mut(pointer)?, wrong, near)
}

/// Gives what stands between a phrase and the next backtick.
fn after<'t>(text: &'t str, phrase: &str) -> Option<&'t str> {
    text.split_once(phrase)?.1.split('`').next()
}

fn after_word<'t>(text: &'t str, phrase: &str) -> Option<&'t str> {
    text.split_once(phrase)?.1.split(' ').next()
}

fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// Makes a value of the type that a problem names: `` `CloseDate` (Close Date, date) is required ``.
fn some_value(problem: &str) -> Option<Value> {
    let (about, _) = problem.split_once(") is required")?;
    let kind = about.rsplit(", ").next()?;
    Some(match kind.split('(').next()? {
        "date" => json!("2026-12-31"),
        "datetime" => json!("2026-12-31T12:00:00Z"),
        "boolean" => json!(true),
        "int" | "double" | "currency" | "percent" => json!(1),
        _ => json!("Somebody"),
    })
}

fn parent<'v>(
    arguments: &'v mut Value,
    pointer: &str,
) -> Option<(&'v mut Map<String, Value>, String)> {
    let (parent, name) = pointer.rsplit_once('/')?;
    Some((
        arguments.pointer_mut(parent)?.as_object_mut()?,
        unescaped(name),
    ))
}

fn remove(arguments: &mut Value, pointer: &str) -> Option<()> {
    let (members, name) = parent(arguments, pointer)?;
    members.remove(&name).map(|_| ())
}

fn insert(arguments: &mut Value, pointer: &str, value: Value) -> Option<()> {
    let (members, name) = parent(arguments, pointer)?;
    members.insert(name, value);
    Some(())
}

fn rename(arguments: &mut Value, pointer: &str, to: &str) -> Option<()> {
    let (members, name) = parent(arguments, pointer)?;
    let value = members.remove(&name)?;
    members.insert(to.to_owned(), value);
    Some(())
}

/// Puts a name in the place of the wrong one: in a query as a word, in a list as an item, else in the place of all of it.
fn replace(place: &mut Value, wrong: Option<&str>, right: &str) -> Option<()> {
    match (place, wrong) {
        (Value::Array(items), Some(wrong)) => {
            let item = items.iter_mut().find(|item| item.as_str() == Some(wrong))?;
            *item = right.into();
        }
        (place, Some(wrong)) if place.as_str()?.contains(wrong) => {
            *place = whole_words(place.as_str()?, wrong, right).into();
        }
        (place, _) => *place = right.into(),
    }
    Some(())
}

fn whole_words(text: &str, wrong: &str, right: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(wrong) {
        let (before, after) = (&rest[..at], &rest[at + wrong.len()..]);
        let inside = before.ends_with(is_word) || after.starts_with(is_word);
        out.push_str(before);
        out.push_str(if inside { wrong } else { right });
        rest = after;
    }
    out + rest
}
