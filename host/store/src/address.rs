//! Where a store is: a file, named by its path or by a URL.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// The name of a store's file in its folder.
const FILE_NAME: &str = "portcullis.db";

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    file: PathBuf,
}

impl Location {
    /// Names the store of a data folder: its file `portcullis.db`.
    pub fn in_folder(folder: impl AsRef<Path>) -> Self {
        Self {
            file: folder.as_ref().join(FILE_NAME),
        }
    }

    /// Takes a URL: `sqlite:///var/lib/portcullis/portcullis.db`. What URLs do not carry as it is stands there
    /// percent-encoded (RFC 3986, section 2.1).
    ///
    /// # Errors
    ///
    /// [`AddressError`] for any other kind of store, for a relative path and for parameters.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(AddressError::NoScheme);
        };
        if !scheme.eq_ignore_ascii_case("sqlite") {
            return Err(AddressError::Scheme(shown(scheme)));
        }
        let path = rest
            .strip_prefix("//")
            .filter(|path| path.starts_with('/') && !path.ends_with('/'))
            .ok_or(AddressError::Path)?;
        if path.contains(['?', '#']) {
            return Err(AddressError::Parameters);
        }
        let path = percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| AddressError::Path)?;
        match path.contains('\0') {
            true => Err(AddressError::Path),
            false => Ok(Self {
                file: PathBuf::from(path.into_owned()),
            }),
        }
    }

    /// Gives the store's file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Gives the folder of the audit log: beside the file, with its name.
    pub fn audit_folder(&self) -> PathBuf {
        self.file.with_extension("audit")
    }

    /// Gives the folder that the file is in.
    pub(crate) fn folder(&self) -> &Path {
        match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

/// What of a wrong scheme is repeated: a whole URL may hold a password.
fn shown(scheme: &str) -> String {
    scheme
        .chars()
        .take(20)
        .filter(|char| char.is_ascii_alphanumeric() || *char == '+' || *char == '-')
        .collect()
}

/// An address that names no store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL.
    #[error("a store is named by a URL: write `sqlite:///path/to/portcullis.db`")]
    NoScheme,
    /// It names another kind of store.
    #[error(
        "a store of the kind `{0}` is not supported: the one kind is SQLite, `sqlite:///path/to/portcullis.db`"
    )]
    Scheme(String),
    /// It names no file.
    #[error(
        "the store's URL must name a file by its whole path: `sqlite:///path/to/portcullis.db`, with three slashes"
    )]
    Path,
    /// It says more than where the file is.
    #[error(
        "the store's URL takes no parameters; a `?` or `#` that belongs to the path is written `%3F` or `%23`"
    )]
    Parameters,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file() {
        let file = |url: &str| Location::parse(url).unwrap().file().to_owned();
        assert_eq!(
            file("sqlite:///srv/portcullis.db"),
            Path::new("/srv/portcullis.db")
        );
        assert_eq!(file("SQLite:///a%20b%3F.db"), Path::new("/a b?.db"));
        assert_eq!(
            Location::in_folder("/data").file(),
            Path::new("/data/portcullis.db")
        );
    }

    #[test]
    fn what_is_not_supported_is_refused_and_no_password_repeated() {
        let refused = |url: &str| Location::parse(url).unwrap_err();
        let other = refused("postgres://portcullis:hunter2@db/portcullis");
        assert_eq!(other, AddressError::Scheme("postgres".to_owned()));
        assert!(!other.to_string().contains("hunter2"));
        assert!(other.to_string().contains("sqlite:///"));
        assert_eq!(refused("/srv/portcullis.db"), AddressError::NoScheme);
        for relative in [
            "sqlite::memory:",
            "sqlite:portcullis.db",
            "sqlite://portcullis.db",
            "sqlite://host/portcullis.db",
            "sqlite:///",
            "sqlite:///folder/",
            "sqlite:///a%00b",
            "sqlite:///%ff",
        ] {
            assert_eq!(refused(relative), AddressError::Path, "{relative}");
        }
        assert_eq!(refused("sqlite:///a.db?mode=ro"), AddressError::Parameters);
    }
}
