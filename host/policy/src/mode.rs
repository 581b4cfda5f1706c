//! What an administrator lets a tool do.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Effect;

/// The mode of a tool. Ordered: the later is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// *Always allow*: no one is asked.
    Allow,
    /// *Needs approval*: a person is asked before a change, or before the call of a tool that reads.
    Ask,
    /// *Disabled*: neither listed nor callable.
    Disabled,
}

impl Mode {
    /// Gives the stricter of two, where several rules apply.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        self.max(other)
    }

    /// Gives the word that rules are written with: `always`, `ask`, `off`.
    pub fn as_word(self) -> &'static str {
        match self {
            Self::Allow => "always",
            Self::Ask => "ask",
            Self::Disabled => "off",
        }
    }

    /// Takes the word of a rule, or what the mode is called.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace(['-', '_'], " ");
        match word.as_str() {
            "always" | "always allow" | "allow" => Some(Self::Allow),
            "ask" | "needs approval" => Some(Self::Ask),
            "off" | "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }

    /// Gives the mode of a tool that nobody has decided on.
    ///
    /// Reads are allowed and what is destructive is off. Writes need approval; as a shared account, in whose
    /// name nobody in particular would have written, they are off.
    pub fn default_for(effect: Effect, shared: bool) -> Self {
        match effect {
            Effect::Read => Self::Allow,
            Effect::Write if shared => Self::Disabled,
            Effect::Write => Self::Ask,
            Effect::Destructive => Self::Disabled,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "always allow",
            Self::Ask => "needs approval",
            Self::Disabled => "disabled",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Mode; 3] = [Mode::Allow, Mode::Ask, Mode::Disabled];

    #[test]
    fn the_strictest_wins_in_any_order() {
        for a in ALL {
            assert_eq!(a.strictest(a), a);
            for b in ALL {
                assert_eq!(a.strictest(b), b.strictest(a));
                assert!(a.strictest(b) >= a);
                for c in ALL {
                    assert_eq!(a.strictest(b).strictest(c), a.strictest(b.strictest(c)));
                }
            }
        }
    }

    #[test]
    fn a_mode_is_known_by_its_word_and_by_its_name() {
        for mode in ALL {
            assert_eq!(Mode::from_word(mode.as_word()), Some(mode));
            assert_eq!(Mode::from_word(&mode.to_string()), Some(mode));
        }
        assert_eq!(Mode::from_word("Needs-Approval"), Some(Mode::Ask));
        for other in ["", "on", "yes", "allowed", "default", "alwaysallow"] {
            assert_eq!(Mode::from_word(other), None, "{other}");
        }
    }

    #[test]
    fn defaults_grow_stricter_with_the_effect_and_with_sharing() {
        let effects = [Effect::Read, Effect::Write, Effect::Destructive];
        for shared in [false, true] {
            assert!(effects.is_sorted_by_key(|effect| Mode::default_for(*effect, shared)));
        }
        for effect in effects {
            assert!(Mode::default_for(effect, true) >= Mode::default_for(effect, false));
        }
        assert_eq!(Mode::default_for(Effect::Write, false), Mode::Ask);
    }
}
