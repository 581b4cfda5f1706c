//! What the org answers when it refuses, and why the org itself cannot start.

use serde_json::{Value as Json, json};

/// An error of the REST API: `[{"errorCode", "message", "fields"}]` and a status.
///
/// The codes are those of Salesforce's *SOAP API Developer Guide*, `StatusCode` and
/// `ExceptionCode`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// `errorCode`, such as `MALFORMED_QUERY`.
    pub code: String,
    /// `message`, to the letter where a client is known to read it.
    pub message: String,
    /// The fields at fault. `fields` is left out of the answer when there are none, except on
    /// errors that name fields by their nature.
    pub fields: Vec<String>,
    /// `duplicateResult`: the records that a duplicate rule found.
    pub duplicates: Option<Box<Json>>,
    /// Whatever else is wrong with the same record, in order.
    pub others: Vec<ApiError>,
}

impl ApiError {
    /// Makes an error without fields.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            fields: Vec::new(),
            duplicates: None,
            others: Vec::new(),
        }
    }

    /// Makes one error of all that is wrong with a record; `None` when nothing is.
    pub fn all(errors: impl IntoIterator<Item = ApiError>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(Self {
            others: errors.collect(),
            ..first
        })
    }

    /// Gives this error and the others of the same record.
    pub fn each(&self) -> impl Iterator<Item = &ApiError> {
        std::iter::once(self).chain(&self.others)
    }

    /// Makes a 400.
    pub fn bad_request(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Makes the 404 of a path or record that is not there.
    pub fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    /// Makes a 400 that names fields.
    pub fn of_fields(
        code: impl Into<String>,
        message: impl Into<String>,
        fields: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            fields: fields.into_iter().collect(),
            ..Self::new(400, code, message)
        }
    }

    /// Makes the error of a record that would be saved but for another of the same request.
    pub(crate) fn rolled_back() -> Self {
        Self::bad_request(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
        )
    }

    /// Gives the body of the answer.
    pub fn to_json(&self) -> Json {
        let one = |error: &ApiError| {
            let mut json = json!({"message": error.message, "errorCode": error.code});
            if !error.fields.is_empty() {
                json["fields"] = json!(error.fields);
            }
            if let Some(duplicates) = &error.duplicates {
                json["duplicateResult"] = (**duplicates).clone();
            }
            json
        };
        self.each().map(one).collect()
    }

    /// Gives the `errors` of one record of several, as collections and trees write them.
    pub fn to_record_errors(&self) -> Json {
        let one = |error: &ApiError| {
            let mut json = json!({
                "statusCode": error.code,
                "message": error.message,
                "fields": error.fields,
            });
            if let Some(duplicates) = &error.duplicates {
                json["duplicateResult"] = (**duplicates).clone();
            }
            json
        };
        self.each().map(one).collect()
    }
}

/// Why a dev org did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`; choose another address, or port 0 for a free one")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The operating system gives no random bytes, so there are no tokens.
    #[error("the operating system gave no random bytes for the org's tokens")]
    Random(#[from] getrandom::Error),
    /// There is no certificate for https.
    #[cfg(feature = "program")]
    #[error("cannot make the org's certificates")]
    Certificate(#[from] rcgen::Error),
    /// There is no https with the certificate that was made.
    #[cfg(feature = "program")]
    #[error("cannot serve https with the org's certificate")]
    Tls(#[from] rustls::Error),
    /// The certificate for the JWT bearer flow is none.
    #[error("the certificate for the JWT bearer flow is no X.509 certificate in PEM")]
    JwtCertificate,
    /// Whoever reaches the admin endpoint commands the org.
    #[error(
        "`{address}` can be reached from other machines; the admin endpoint is for 127.0.0.1 alone"
    )]
    AdminNotLoopback {
        /// The address asked for.
        address: std::net::SocketAddr,
    },
    /// The describes of a folder do not make objects.
    #[cfg(feature = "program")]
    #[error("the describes cannot be loaded: {0}")]
    Describe(#[from] DescribeError),
    /// The records of a folder cannot be loaded.
    #[cfg(feature = "program")]
    #[error("the records cannot be loaded: {0}")]
    Data(#[from] DataError),
    /// The org cannot be kept in a file.
    #[cfg(feature = "program")]
    #[error("`{}` {reason}", path.display())]
    StateFile {
        /// The file asked for.
        path: std::path::PathBuf,
        /// Why not.
        reason: StateFileError,
    },
    /// Other machines could reach the org, which is no place for real data.
    #[error(
        "`{address}` can be reached from other machines; listen on 127.0.0.1, or say that other machines are allowed"
    )]
    NotLoopback {
        /// The address asked for.
        address: std::net::SocketAddr,
    },
}

#[cfg(feature = "program")]
pub use crate::likeness::{DataError, DescribeError, Problem, Problems};

/// Why a file does not keep an org.
#[cfg(feature = "program")]
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// It has something else.
    #[error("is no state file of an org; choose another name for a new one")]
    Foreign,
    /// It is of another version of this program.
    #[error("was written by another version of this program; choose another name for a new one")]
    Version,
    /// Another program has it.
    #[error(
        "is used by another org that runs; stop that one, or choose another name for a new file"
    )]
    InUse,
    /// The org had other objects or fields.
    #[error(
        "keeps an org of other objects or fields; start with the same description of objects as then, or choose another name for a new file"
    )]
    Objects,
    /// The org is further in time.
    #[error("keeps an org whose today is {today} already; say that day or a later one, or none")]
    Today {
        /// Its today, in UTC.
        today: jiff::civil::Date,
    },
    /// It has an org already, whose records are not to be loaded again.
    #[error(
        "keeps an org already, whose records stay; leave out the folder of records, or choose another name for a new file"
    )]
    HasRecords,
    /// Something of the org is larger than the file can keep.
    #[error("cannot keep the org: {0}; leave it out, or make it smaller")]
    TooLarge(String),
    /// Something in it is not as this program writes it.
    #[error("is damaged, at `{row}`: {why}; choose another name for a new file")]
    Broken {
        /// What it is about, and whose.
        row: String,
        /// What is wrong.
        why: String,
    },
    /// It is a folder.
    #[error("is a folder; name a file in it, such as `{}`", .0.join("org.sqlite").display())]
    Folder(std::path::PathBuf),
    /// There is no folder for it.
    #[error("would be made in `{}`, and there is no such folder; make it first", .0.display())]
    NoFolder(std::path::PathBuf),
    /// There is no such file and none can be made, or it cannot be read or written.
    #[error("cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// SQLite reads or writes none there.
    #[error("cannot be used: {0}")]
    Database(rusqlite::Error),
}

#[cfg(feature = "program")]
impl StateFileError {
    /// Says whether another file, or other options, are all that it takes.
    pub fn is_of_the_caller(&self) -> bool {
        match self {
            Self::Foreign
            | Self::Version
            | Self::Objects
            | Self::HasRecords
            | Self::TooLarge(_)
            | Self::Folder(_)
            | Self::NoFolder(_)
            | Self::Today { .. } => true,
            Self::InUse | Self::Broken { .. } | Self::Io(_) | Self::Database(_) => false,
        }
    }
}

#[cfg(feature = "program")]
impl From<rusqlite::Error> for StateFileError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::InUse
            }
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign,
            _ => Self::Database(error),
        }
    }
}
