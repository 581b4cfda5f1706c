//! The rows of installed versions, and the seal that stands beside those that were made active.

use std::collections::BTreeMap;

use portcullis_policy::{ConnectorName, Digest, PersonId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{InstalledVersion, VERSIONS_BEFORE_MAX, VersionState};
use crate::connection::{open, seal};
use crate::decisions::{Active, Decisions};
use crate::error::StoreError;
use crate::seal::Place;
use crate::store::{Store, time};

/// What is sealed: that it was sealed for its place is what counts.
const GRANTED: &str = "active";

/// The version that calls of a connector are to use.
#[derive(Debug)]
pub struct ActiveVersion {
    /// The connector.
    pub connector: ConnectorName,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Whether it was made active by this program, and not by a hand on the file.
    pub granted: Result<(), StoreError>,
}

fn place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "connector_versions",
        column: "granted",
        row,
    }
}

/// Makes the version that waits the active one, in a transaction.
pub(super) async fn activate(
    store: &Store,
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
    digest: Digest,
    by: &PersonId,
) -> Result<(), StoreError> {
    let of = digest;
    let digest = of.to_string();
    let row = sqlx::query(
        "SELECT id, (SELECT ifnull(max(position), 0) + 1 FROM connector_versions WHERE connector = ?1) \
         FROM connector_versions WHERE connector = ?1 AND digest = ?2 AND position IS NULL",
    )
    .bind(connector.as_str())
    .bind(&digest)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| StoreError::VersionChanged(connector.clone()))?;
    let (id, position): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    let sealed_for = [&*id, connector.as_str(), &digest, &position.to_string()];
    let sealed = seal(store, tx, place(&sealed_for), &GRANTED).await?;
    sqlx::query(
        "UPDATE connector_versions SET position = ?2, granted = ?3, granted_key = ?4, activated = ?5, activated_by = ?6 \
         WHERE id = ?1",
    )
    .bind(&id)
    .bind(position)
    .bind(sealed.bytes)
    .bind(sealed.key)
    .bind(store.now())
    .bind(by.as_str())
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM connector_versions WHERE connector = ?1 AND position < ?2")
        .bind(connector.as_str())
        .bind(position - i64::from(VERSIONS_BEFORE_MAX))
        .execute(&mut *tx)
        .await?;
    decide(
        store,
        tx,
        connector,
        Some(Active {
            digest: of,
            position,
        }),
    )
    .await
}

/// Writes down in a transaction which version is active from now on; none: none is installed.
pub(super) async fn decide(
    store: &Store,
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
    active: Option<Active>,
) -> Result<(), StoreError> {
    let put = |decisions: &mut Decisions| {
        match active {
            Some(active) => decisions.versions.insert(connector.clone(), active),
            None => decisions.versions.remove(connector),
        };
    };
    store.decide(tx, put).await.map(drop)
}

/// Takes the version that is the highest now for the active one, in a transaction that went back to it: it must have been made active
/// once. Gives its digest; none: none is left.
pub(super) async fn go_back(
    store: &Store,
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
) -> Result<Option<Digest>, StoreError> {
    let before = highest(tx).await?.into_iter().find(|row| {
        let of: Result<&str, _> = row.try_get("connector");
        of.is_ok_and(|of| of == connector.as_str())
    });
    let active = match before {
        Some(row) => Some(granted(store, tx, &row).await?),
        None => None,
    };
    decide(store, tx, connector, active).await?;
    Ok(active.map(|active| active.digest))
}

/// Finds the versions whose seals say that they were made active, of stores of before decisions were sealed.
pub(crate) async fn granted_versions(
    store: &Store,
    tx: &mut SqliteConnection,
) -> Result<BTreeMap<ConnectorName, Active>, StoreError> {
    let mut versions = BTreeMap::new();
    for row in highest(tx).await? {
        let connector: String = row.try_get("connector")?;
        // What does not open was not used before either.
        if let Ok(active) = granted(store, tx, &row).await {
            versions.insert(parse_name(&connector)?, active);
        }
    }
    Ok(versions)
}

/// Gives the row of the version with the highest place of each connector.
async fn highest(tx: &mut SqliteConnection) -> Result<Vec<SqliteRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, connector, digest, position, granted, granted_key FROM connector_versions AS one \
         WHERE position = (SELECT max(position) FROM connector_versions WHERE connector = one.connector) \
         ORDER BY connector",
    )
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Finds the digest of a connector's active version.
pub(super) async fn active_digest(
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
) -> Result<Option<Digest>, StoreError> {
    let digest: Option<String> = sqlx::query_scalar(
        "SELECT digest FROM connector_versions WHERE connector = ?1 AND position IS NOT NULL \
         ORDER BY position DESC LIMIT 1",
    )
    .bind(connector.as_str())
    .fetch_optional(tx)
    .await?;
    digest.map(|text| parse_digest(&text)).transpose()
}

/// Finds the active version of each connector, and holds it to what was decided.
pub(super) async fn active(
    store: &Store,
    tx: &mut SqliteConnection,
) -> Result<Vec<ActiveVersion>, StoreError> {
    let decided = store.decided_at(tx).await;
    let mut decided = decided.map(|decided| decided.versions.clone());
    let mut active = Vec::new();
    for row in highest(tx).await? {
        let (connector, digest): (String, String) =
            (row.try_get("connector")?, row.try_get("digest")?);
        let (connector, digest) = (parse_name(&connector)?, parse_digest(&digest)?);
        let granted = match &mut decided {
            Ok(decided) => {
                let decided = decided.remove(&connector);
                let granted = granted(store, tx, &row).await;
                granted.and_then(|row| require(decided, row))
            }
            Err(error) => Err(StoreError::Decisions(error.to_string())),
        };
        active.push(ActiveVersion {
            connector,
            digest,
            granted,
        });
    }
    // What was made active and is not there any more is not there by a decision.
    let gone = decided.unwrap_or_default().into_iter();
    active.extend(gone.map(|(connector, active)| ActiveVersion {
        digest: active.digest,
        granted: Err(not_as_decided(active.digest)),
        connector,
    }));
    active.sort_by(|one, other| one.connector.cmp(&other.connector));
    Ok(active)
}

fn require(decided: Option<Active>, row: Active) -> Result<(), StoreError> {
    match decided == Some(row) {
        true => Ok(()),
        false => Err(not_as_decided(row.digest)),
    }
}

fn not_as_decided(digest: Digest) -> StoreError {
    let problem =
        "it is not the one that was made active last: rows of versions were put back or taken away";
    StoreError::damaged("installed version", &digest.short(), problem)
}

/// Gives a version that was made active, by what its seal says.
async fn granted(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<Active, StoreError> {
    let id: String = row.try_get("id")?;
    let connector: String = row.try_get("connector")?;
    let digest: String = row.try_get("digest")?;
    let position: i64 = row.try_get("position")?;
    let sealed: Vec<u8> = row.try_get("granted")?;
    let sealed_for = [&*id, &*connector, &*digest, &position.to_string()];
    let key: i64 = row.try_get("granted_key")?;
    let word: String = open(store, tx, place(&sealed_for), key, &sealed).await?;
    match word == GRANTED {
        true => Ok(Active {
            digest: parse_digest(&digest)?,
            position,
        }),
        false => Err(StoreError::damaged(
            "installed version",
            &digest,
            "it is none",
        )),
    }
}

/// Lists all versions, without their bytes.
pub(super) async fn all(tx: &mut SqliteConnection) -> Result<Vec<InstalledVersion>, StoreError> {
    let rows = sqlx::query(
        "SELECT connector, digest, version, position, installed, installed_by, activated, activated_by \
         FROM connector_versions ORDER BY connector, position IS NULL, position DESC",
    )
    .fetch_all(tx)
    .await?;
    let mut versions: Vec<InstalledVersion> = Vec::with_capacity(rows.len());
    for row in &rows {
        let connector: String = row.try_get("connector")?;
        let digest: String = row.try_get("digest")?;
        let by = |text: String| {
            PersonId::parse(text).map_err(|error| StoreError::damaged("person", &digest, error))
        };
        let position: Option<i64> = row.try_get("position")?;
        let connector = parse_name(&connector)?;
        let is_first = versions
            .last()
            .is_none_or(|last| last.connector != connector);
        let state = match (position, is_first) {
            (None, _) => VersionState::Waiting,
            (Some(_), true) => VersionState::Active,
            (Some(_), false) => VersionState::Before,
        };
        let activated: Option<i64> = row.try_get("activated")?;
        let activated_by: Option<String> = row.try_get("activated_by")?;
        versions.push(InstalledVersion {
            digest: parse_digest(&digest)?,
            version: row.try_get("version")?,
            state,
            installed: time(row.try_get("installed")?)?,
            installed_by: by(row.try_get("installed_by")?)?,
            activated: match (activated, activated_by) {
                (Some(at), Some(person)) => Some((time(at)?, by(person)?)),
                _ => None,
            },
            connector,
        });
    }
    Ok(versions)
}

fn parse_digest(text: &str) -> Result<Digest, StoreError> {
    text.parse()
        .map_err(|error| StoreError::damaged("digest", text, error))
}

fn parse_name(text: &str) -> Result<ConnectorName, StoreError> {
    ConnectorName::parse(text).map_err(|error| StoreError::damaged("connector", text, error))
}
