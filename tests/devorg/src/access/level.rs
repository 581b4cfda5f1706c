//! How much somebody may do with one record.

/// How much somebody may do with one record; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is not there for them.
    None,
    /// They see it.
    Read,
    /// They change it.
    Edit,
    /// They give it to another owner.
    Transfer,
    /// They delete it, as its owner does.
    Full,
}

impl Level {
    /// Reads an org-wide default, or a role's access to what lies under its accounts; `None` where
    /// the record goes by another.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "Read" => Self::Read,
            "Edit" => Self::Edit,
            "ReadEditTransfer" => Self::Transfer,
            "All" => Self::Full,
            "ControlledByParent" => return None,
            _ => Self::None,
        })
    }
}
