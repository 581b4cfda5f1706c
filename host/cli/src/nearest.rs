//! The name that was probably meant.

/// How many letters may differ between a word and the one that is meant.
const NEAR_MAX: usize = 2;

/// Finds the known name that a word is nearest to, if it is near to one.
pub(crate) fn nearest<'a>(known: impl IntoIterator<Item = &'a str>, word: &str) -> Option<&'a str> {
    let near = known
        .into_iter()
        .map(|known| (strsim::osa_distance(known, word), known));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= NEAR_MAX).then_some(name)
}

/// Says which names there are, the one that is probably meant first.
pub(crate) fn hint(known: &[&str], word: &str) -> String {
    let all = match known {
        [] => "there are none yet".to_owned(),
        known => format!("those that there are: {}", known.join(", ")),
    };
    match nearest(known.iter().copied(), word) {
        Some(near) => format!("`{near}` is probably meant; {all}"),
        None => all,
    }
}
