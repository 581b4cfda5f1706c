//! What the host tells a call and what a call tells the host, in an author's words.

/// The account that a call acts for.
pub mod credentials {
    pub use crate::bindings::portcullis::connector::credentials::{
        Account, Environment, Identity, current, token_placeholder,
    };
}

/// What the administrator lets this agent touch.
pub mod permissions {
    pub use crate::bindings::portcullis::connector::permissions::{Access, check, visible_fields};

    use crate::Effect;

    impl Access {
        /// Reading these fields of a kind of record; no field: the kind as a whole.
        pub fn read<S: Into<String>>(
            kind: impl Into<String>,
            fields: impl IntoIterator<Item = S>,
        ) -> Self {
            Self::new(Effect::Read, kind, fields)
        }

        /// Writing these fields of a kind of record; no field: the kind as a whole.
        pub fn write<S: Into<String>>(
            kind: impl Into<String>,
            fields: impl IntoIterator<Item = S>,
        ) -> Self {
            Self::new(Effect::Write, kind, fields)
        }

        /// An access of any effect.
        pub fn new<S: Into<String>>(
            effect: Effect,
            kind: impl Into<String>,
            fields: impl IntoIterator<Item = S>,
        ) -> Self {
            Self {
                effect,
                kind: kind.into(),
                fields: fields.into_iter().map(Into::into).collect(),
            }
        }
    }
}

/// What the connector adds to the account of a call.
pub mod audit {
    pub use crate::bindings::portcullis::connector::audit::{Source, cite, step};

    impl Source {
        /// Starts a source from its kind, such as `Account`.
        #[must_use]
        pub fn new(kind: impl Into<String>) -> Self {
            Self {
                kind: kind.into(),
                id: None,
                label: None,
                url: None,
                fields: Vec::new(),
            }
        }

        /// Names the record's id.
        #[must_use]
        pub fn id(mut self, id: impl Into<String>) -> Self {
            self.id = Some(id.into());
            self
        }

        /// Says what a person calls the record.
        #[must_use]
        pub fn label(mut self, label: impl Into<String>) -> Self {
            self.label = Some(label.into());
            self
        }

        /// Says where a person can look at it.
        #[must_use]
        pub fn url(mut self, url: impl Into<String>) -> Self {
            self.url = Some(url.into());
            self
        }

        /// Names the fields that the answer rests on; names, never values.
        #[must_use]
        pub fn fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
            self.fields = fields.into_iter().map(Into::into).collect();
            self
        }
    }
}

/// For calls that take a while.
pub mod progress {
    pub use crate::bindings::portcullis::connector::progress::{cancelled, report};
}
