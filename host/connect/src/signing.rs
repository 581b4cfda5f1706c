//! Assertions that a key signs (RFC 7523), by which a service account comes without a browser.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// How long an assertion is good: services take no more than some minutes, and clocks differ.
const GOOD_FOR: Duration = Duration::from_secs(3 * 60);

/// A private key for RS256. Its `Debug` does not show it.
pub struct SigningKey(RsaKeyPair);

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no key in it.
    #[error(
        "there is no private key in it: give a PEM text that begins with `-----BEGIN PRIVATE KEY-----` or `-----BEGIN RSA PRIVATE KEY-----`"
    )]
    NoKey,
    /// It is locked with a password.
    #[error(
        "the private key is locked with a password: unlock it with `openssl pkey -in KEY -out UNLOCKED`"
    )]
    Locked,
    /// It is a key of another kind, too short, or broken.
    #[error(
        "the private key is no RSA key of 2048 to 4096 bits: make one with `openssl genrsa -out KEY 2048`"
    )]
    NotRsa,
}

/// An assertion could not be signed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "the assertion could not be signed: this machine's clock or its random bytes cannot be used"
)]
pub struct SignError;

impl SigningKey {
    /// Takes a key in PEM, as PKCS #8 or PKCS #1.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        let pem = pem.expose_secret();
        if pem.contains("ENCRYPTED") {
            return Err(KeyError::Locked);
        }
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NoKey)?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(KeyError::NotRsa),
        };
        key.map(Self).map_err(|_| KeyError::NotRsa)
    }

    /// Signs that an app comes for a user.
    ///
    /// # Errors
    ///
    /// [`SignError`].
    pub(crate) fn assertion(
        &self,
        client_id: &str,
        user: &str,
        audience: &str,
        now: SystemTime,
    ) -> Result<SecretString, SignError> {
        let expires = now + GOOD_FOR;
        let expires = expires.duration_since(UNIX_EPOCH).map_err(|_| SignError)?;
        let claims = json!({
            "iss": client_id,
            "sub": user,
            "aud": audience,
            "exp": expires.as_secs(),
        });
        let part = |json: String| BASE64_URL_SAFE_NO_PAD.encode(json);
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let signed = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| SignError)?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Ok(format!("{signed}.{signature}").into())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    const KEY: &str = include_str!("../../../tests/devorg/tests/data/jwt.key.pem");

    #[test]
    fn an_assertion_says_who_comes_for_whom_and_until_when() {
        let key = SigningKey::from_pem(&KEY.into()).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let assertion = key.assertion("key", "ada@example.com", "https://login.example.com", now);
        let assertion = assertion.unwrap();
        let (signed, signature) = assertion.expose_secret().rsplit_once('.').unwrap();
        let public = key.0.public().as_ref();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        assert!(public.verify(signed.as_bytes(), &signature).is_ok());
        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| {
                serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
            })
            .collect();
        assert_eq!(parts[0]["alg"], "RS256");
        assert_eq!(
            parts[1],
            json!({"iss": "key", "sub": "ada@example.com", "aud": "https://login.example.com", "exp": 1_180})
        );
        assert_eq!(format!("{key:?}"), "SigningKey");
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_to_do() {
        let of = |pem: &str| SigningKey::from_pem(&pem.into()).err();
        assert_eq!(of(""), Some(KeyError::NoKey));
        assert_eq!(of("-----BEGIN PRIVATE KEY-----\n"), Some(KeyError::NoKey));
        assert_eq!(
            of(
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
            ),
            Some(KeyError::Locked)
        );
        assert_eq!(
            of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            Some(KeyError::NotRsa)
        );
        assert_eq!(
            of("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"),
            Some(KeyError::NotRsa)
        );
        assert_eq!(
            of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            Some(KeyError::NoKey)
        );
    }
}
