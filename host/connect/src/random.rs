//! Randomness that nobody can guess.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;

/// 256 bits: what cannot be guessed, and as a PKCE verifier the least that RFC 7636 takes (section 4.1).
const BYTES: usize = 32;

/// The operating system gives no randomness.
#[derive(Debug, thiserror::Error)]
#[error("this machine gives no random bytes, so that nothing that must not be guessed can be made")]
pub struct NoRandom(#[source] getrandom::Error);

/// Makes a text of 43 characters that stand in an address as they are.
pub(crate) fn unguessable() -> Result<SecretString, NoRandom> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(NoRandom)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn no_two_are_alike_and_each_fits_into_an_address() {
        let (one, other) = (unguessable().unwrap(), unguessable().unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_eq!(one.expose_secret().len(), 43);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        assert!(one.expose_secret().bytes().all(fits));
    }
}
