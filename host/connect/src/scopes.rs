//! What is asked for: the scopes that a manifest declares, and which of them somebody chose.

use portcullis_policy::Scopes;

/// How many letters may differ between a scope that is not there and the one that is meant.
const NEAR_MAX: usize = 3;

/// A scope, for who chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained<'a> {
    /// The scope.
    pub scope: &'a str,
    /// What it means to a person, where the manifest says.
    pub meaning: Option<&'a str>,
    /// Whether it is asked for unless somebody chooses.
    pub is_default: bool,
}

/// The scopes to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The scopes, each once.
    pub scopes: Vec<String>,
    /// What the person should know before they sign in.
    pub warning: Option<String>,
}

/// A scope that the connector does not declare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope `{scope}`: {advice}")]
pub struct ScopeError {
    /// The scope, as it was written.
    pub scope: String,
    /// Which one is meant, or which there are.
    pub advice: String,
}

/// Lists the scopes with what each means, the default ones first.
pub fn explained(scopes: &Scopes) -> Vec<Explained<'_>> {
    scopes
        .all()
        .map(|scope| Explained {
            scope,
            meaning: scopes.explain.get(scope).map(String::as_str),
            is_default: scopes.default.iter().any(|one| one == scope),
        })
        .collect()
}

/// Settles the scopes: those that were chosen, or the default ones where none were.
///
/// # Errors
///
/// [`ScopeError`] for the first that the manifest does not declare.
pub fn choose(scopes: &Scopes, wanted: &[&str]) -> Result<Chosen, ScopeError> {
    let mut chosen: Vec<String> = Vec::new();
    for scope in wanted {
        if !scopes.all().any(|known| known == *scope) {
            return Err(unknown(scopes, scope));
        }
        if !chosen.iter().any(|one| one == scope) {
            chosen.push((*scope).to_owned());
        }
    }
    if chosen.is_empty() {
        chosen.clone_from(&scopes.default);
    }
    let missing = scopes
        .refresh
        .as_deref()
        .filter(|refresh| !chosen.iter().any(|scope| scope == refresh));
    Ok(Chosen {
        warning: missing.map(|refresh| {
            format!("without the scope `{refresh}` the connection ends within hours, and you have to connect again")
        }),
        scopes: chosen,
    })
}

fn unknown(scopes: &Scopes, wanted: &str) -> ScopeError {
    let lower = wanted.to_ascii_lowercase();
    let distance = |known: &&str| strsim::osa_distance(&lower, &known.to_ascii_lowercase());
    let near = scopes
        .all()
        .min_by_key(distance)
        .filter(|known| distance(known) <= NEAR_MAX.min(known.len() / 2));
    let advice = match near {
        Some(near) => format!("`{near}` is probably meant"),
        None => {
            let known: Vec<String> = scopes.all().map(|scope| format!("`{scope}`")).collect();
            format!("there are {}", known.join(", "))
        }
    };
    ScopeError {
        scope: wanted
            .chars()
            .take(100)
            .flat_map(char::escape_debug)
            .collect(),
        advice,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn scopes() -> Scopes {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Scopes {
            default: list(&["records", "stay"]),
            optional: list(&["files", "profile"]),
            refresh: Some("stay".to_owned()),
            explain: [("records".to_owned(), "Read records.".to_owned())].into(),
        }
    }

    #[test]
    fn the_default_ones_are_taken_unless_somebody_chooses() {
        let scopes = scopes();
        let chosen = choose(&scopes, &[]).unwrap();
        assert_eq!(
            (chosen.scopes.join(" ").as_str(), chosen.warning),
            ("records stay", None)
        );
        let chosen = choose(&scopes, &["files", "stay", "files"]).unwrap();
        assert_eq!(
            (chosen.scopes.join(" ").as_str(), chosen.warning),
            ("files stay", None)
        );
    }

    #[test]
    fn who_will_have_to_come_again_is_told() {
        let chosen = choose(&scopes(), &["records"]).unwrap();
        assert!(chosen.warning.unwrap().contains("without the scope `stay`"));
        let silent = Scopes {
            refresh: None,
            ..scopes()
        };
        assert_eq!(choose(&silent, &["records"]).unwrap().warning, None);
    }

    #[test]
    fn an_unknown_scope_is_answered_with_the_one_that_is_meant() {
        for (wanted, advice) in [
            ("recrods", "`records` is probably meant"),
            ("Files", "`files` is probably meant"),
            ("profile2", "`profile` is probably meant"),
            (
                "everything",
                "there are `records`, `stay`, `files`, `profile`",
            ),
            (
                "records files",
                "there are `records`, `stay`, `files`, `profile`",
            ),
            ("", "there are `records`, `stay`, `files`, `profile`"),
        ] {
            assert_eq!(
                choose(&scopes(), &[wanted]).unwrap_err().advice,
                advice,
                "{wanted}"
            );
        }
    }

    #[test]
    fn each_is_listed_with_its_meaning() {
        let scopes = scopes();
        let explained = explained(&scopes);
        let first = Explained {
            scope: "records",
            meaning: Some("Read records."),
            is_default: true,
        };
        assert_eq!(explained[0], first);
        let third = Explained {
            scope: "files",
            meaning: None,
            is_default: false,
        };
        assert_eq!(explained[2], third);
    }
}
