//! Random texts for ids, secrets, codes and tokens.

/// Letters, digits, `.` and `_`: 64 characters, all of which clients take in a token.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

/// Gives a text that begins with `prefix` and goes on with so many random characters of six bits.
///
/// # Errors
///
/// The operating system gives no random bytes.
pub(crate) fn random(prefix: &str, length: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes)?;
    let mut text = prefix.to_owned();
    text.extend(
        bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 64)])),
    );
    Ok(text)
}
