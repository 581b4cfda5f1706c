//! How far an action reaches.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a tool, a route or an access reaches: `effects.effect` of the contract.
///
/// Ordered: each admits itself and those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It leaves the service as it was.
    Read,
    /// It adds or changes something that the service can put back.
    Write,
    /// It deletes, merges, converts or sends: it cannot simply be undone.
    Destructive,
}

impl Effect {
    /// Says whether something that may go as far as this may do what `request` does.
    pub fn admits(self, request: Self) -> bool {
        request <= self
    }

    /// Gives the word that manifests use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_admits_itself_and_what_is_below() {
        use Effect::{Destructive, Read, Write};
        assert!(Read.admits(Read) && !Read.admits(Write) && !Read.admits(Destructive));
        assert!(Write.admits(Read) && Write.admits(Write) && !Write.admits(Destructive));
        assert!(
            [Read, Write, Destructive]
                .iter()
                .all(|effect| Destructive.admits(*effect))
        );
    }
}
