//! Whether another program has this store open too.
//!
//! The attack: another user of the machine listens where a program of ours is looked for, and is handed what is meant for
//! it. So who answers there proves that it has the store's keys: it seals a challenge that was never there before.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::error::StoreError;
use crate::seal::Place;
use crate::store::Store;

/// What is sealed: what counts is that it was.
const HERE: &[u8] = b"here";

impl Store {
    /// Proves to who made a challenge that this program has the store open, in characters that stand in a URL as they are.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn prove(&self, challenge: &str) -> Result<String, StoreError> {
        let mut tx = self.read().await?;
        let sealed = self.seal(&mut tx, place(&[challenge]), HERE).await?;
        let bytes = BASE64_URL_SAFE_NO_PAD.encode(sealed.bytes);
        Ok(format!("{}.{bytes}", sealed.key))
    }

    /// Says whether a text proves to who made this challenge that its writer has the store open.
    pub async fn is_proof(&self, challenge: &str, proof: &str) -> bool {
        let Some((key, bytes)) = proof.split_once('.') else {
            return false;
        };
        let (Ok(key), Ok(bytes)) = (key.parse(), BASE64_URL_SAFE_NO_PAD.decode(bytes)) else {
            return false;
        };
        let Ok(mut tx) = self.read().await else {
            return false;
        };
        let key = self.keys().get(&mut tx, key).await;
        key.is_ok_and(|key| key.open(place(&[challenge]), &bytes).is_ok())
    }
}

/// No table has it: nothing that is stored opens as a proof, and no proof as what is stored.
fn place<'a>(challenge: &'a [&'a str; 1]) -> Place<'a> {
    Place {
        table: "no table",
        column: "proof",
        row: challenge,
    }
}
