//! Versions of connectors that an administrator installed, with their bytes: which one is active, which were before it, and which
//! one waits to be accepted.
//!
//! The attack: whoever can write to the file puts a component of their own in the place of one that was accepted. So bytes are held
//! against their digest whenever they are read, a seal stands beside each version that was made active, bound to its connector,
//! digest and place, and which of them was made active last is one of the [decisions](crate::decisions).

mod follow;
mod row;

use jiff::Timestamp;
use portcullis_policy::{ConnectorName, Digest, PersonId};
use sqlx::SqliteConnection;

use crate::error::StoreError;
use crate::store::{Store, random_id};

pub use follow::{StoreConnectors, Unusable};
pub use row::ActiveVersion;
pub(crate) use row::granted_versions;

/// Versions before the active one that are kept; older ones are removed, with their bytes.
pub const VERSIONS_BEFORE_MAX: u32 = 4;

/// A version to install.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// Its connector, as its manifest has it.
    pub connector: ConnectorName,
    /// Its version, as its manifest has it.
    pub version: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// Who installs it.
    pub by: PersonId,
}

/// How an installed version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionState {
    /// It is the one that calls use.
    Active,
    /// It was, and can be gone back to.
    Before,
    /// It reaches farther than the active one did, and is used by nobody until it is accepted.
    Waiting,
}

/// An installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledVersion {
    /// Its connector.
    pub connector: ConnectorName,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its version, as its manifest has it.
    pub version: String,
    /// How it stands.
    pub state: VersionState,
    /// When it was installed.
    pub installed: Timestamp,
    /// By whom.
    pub installed_by: PersonId,
    /// When it was made active, and by whom.
    pub activated: Option<(Timestamp, PersonId)>,
}

impl Store {
    /// Installs a version: as the active one, or to wait until it is accepted. It takes the place of what waited.
    ///
    /// `compared_with` is the installed version that it was compared with, and none where none was active.
    ///
    /// # Errors
    ///
    /// [`StoreError::VersionChanged`] when another one is active by now; nothing is installed then.
    pub async fn install_version(
        &self,
        new: &NewVersion,
        state: Installing,
        compared_with: Option<Digest>,
    ) -> Result<Digest, StoreError> {
        let digest = Digest::of(&new.bytes);
        let id = random_id()?;
        let mut tx = self.write().await?;
        require_active(&mut tx, &new.connector, compared_with).await?;
        remove_waiting(&mut tx, &new.connector).await?;
        let now = self.now();
        sqlx::query(
            "INSERT INTO connector_versions (id, connector, digest, version, installed, installed_by, bytes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(&id)
        .bind(new.connector.as_str())
        .bind(digest.to_string())
        .bind(&new.version)
        .bind(now)
        .bind(new.by.as_str())
        .bind(&new.bytes[..])
        .execute(&mut *tx)
        .await?;
        if state == Installing::Active {
            row::activate(self, &mut tx, &new.connector, digest, &new.by).await?;
        }
        tx.commit().await?;
        Ok(digest)
    }

    /// Makes the version that waits the active one.
    ///
    /// `compared_with` is the installed version that it was compared with, and none where none was active.
    ///
    /// # Errors
    ///
    /// [`StoreError::VersionChanged`] when another one is active or waits by now; nothing changes then.
    pub async fn accept_version(
        &self,
        connector: &ConnectorName,
        digest: Digest,
        compared_with: Option<Digest>,
        by: &PersonId,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        require_active(&mut tx, connector, compared_with).await?;
        row::activate(self, &mut tx, connector, digest, by).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes the active version, so that the one before it is active again; gives that, and none where none is installed
    /// any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::VersionChanged`] when another one than `from` is active by now, and [`StoreError::Seal`] when the one before it was
    /// never made active here; nothing changes then.
    pub async fn roll_back_version(
        &self,
        connector: &ConnectorName,
        from: Digest,
    ) -> Result<Option<Digest>, StoreError> {
        let mut tx = self.write().await?;
        require_active(&mut tx, connector, Some(from)).await?;
        sqlx::query(
            "DELETE FROM connector_versions WHERE connector = ?1 AND position = \
             (SELECT max(position) FROM connector_versions WHERE connector = ?1)",
        )
        .bind(connector.as_str())
        .execute(&mut *tx)
        .await?;
        let before = row::go_back(self, &mut tx, connector).await?;
        tx.commit().await?;
        Ok(before)
    }

    /// Removes every installed version of a connector, and says how many there were.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_versions(&self, connector: &ConnectorName) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let removed = sqlx::query("DELETE FROM connector_versions WHERE connector = ?1")
            .bind(connector.as_str())
            .execute(&mut *tx)
            .await?;
        row::decide(self, &mut tx, connector, None).await?;
        tx.commit().await?;
        Ok(removed.rows_affected())
    }

    /// Removes the version that waits, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_waiting_version(
        &self,
        connector: &ConnectorName,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_there = remove_waiting(&mut tx, connector).await?;
        tx.commit().await?;
        Ok(was_there)
    }

    /// Lists the installed versions by connector: the active one, those before it from the newest on, the one that waits.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn versions(&self) -> Result<Vec<InstalledVersion>, StoreError> {
        let mut tx = self.read().await?;
        row::all(&mut tx).await
    }

    /// Gives the active version of each connector that has one installed, all of one moment, with the [`revision`](Self::revision)
    /// of then.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn active_versions(&self) -> Result<(i64, Vec<ActiveVersion>), StoreError> {
        let mut tx = self.read().await?;
        let revision = revision(&mut tx).await?;
        Ok((revision, row::active(self, &mut tx).await?))
    }

    /// Gives the bytes of an installed version, which are those of its digest.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Damaged`] when they are others.
    pub async fn component(
        &self,
        connector: &ConnectorName,
        digest: Digest,
    ) -> Result<Vec<u8>, StoreError> {
        let mut tx = self.read().await?;
        let bytes: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT bytes FROM connector_versions WHERE connector = ?1 AND digest = ?2 \
             ORDER BY rowid DESC LIMIT 1",
        )
        .bind(connector.as_str())
        .bind(digest.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        let bytes = bytes.ok_or_else(|| StoreError::not_found("installed version", digest))?;
        match Digest::of(&bytes) == digest {
            true => Ok(bytes),
            false => Err(StoreError::damaged(
                "component",
                &digest.short(),
                "its bytes are not those of its digest",
            )),
        }
    }

    /// Counts what may have changed the tools that agents have. While it stays as it is, so do they.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let mut tx = self.read().await?;
        revision(&mut tx).await
    }
}

/// What becomes of a version that is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installing {
    /// It is active at once.
    Active,
    /// It waits to be accepted.
    Waiting,
}

async fn revision(tx: &mut SqliteConnection) -> Result<i64, StoreError> {
    let number = sqlx::query_scalar("SELECT number FROM revision")
        .fetch_one(tx)
        .await?;
    Ok(number)
}

/// Refuses what was decided by another active version than there is.
async fn require_active(
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
    expected: Option<Digest>,
) -> Result<(), StoreError> {
    match row::active_digest(tx, connector).await? == expected {
        true => Ok(()),
        false => Err(StoreError::VersionChanged(connector.clone())),
    }
}

async fn remove_waiting(
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
) -> Result<bool, StoreError> {
    let removed =
        sqlx::query("DELETE FROM connector_versions WHERE connector = ?1 AND position IS NULL")
            .bind(connector.as_str())
            .execute(tx)
            .await?;
    Ok(removed.rows_affected() > 0)
}
