//! Percent-encoding (RFC 3986, section 2).

/// The digits of an escape.
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `value` with everything encoded but RFC 3986's unreserved characters.
/// What is encoded so is a value wherever it stands in a URL or a form: it can
/// end no segment, start no query and add no parameter.
pub(super) fn append(target: &mut String, value: &str) {
    target.reserve(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                target.push(char::from(byte));
            }
            _ => {
                let digit = |four_bits: u8| char::from(HEX[usize::from(four_bits)]);
                target.push('%');
                target.push(digit(byte >> 4));
                target.push(digit(byte & 0xF));
            }
        }
    }
}

/// Writes `pairs` as `name=value&…`, for a query or an
/// `application/x-www-form-urlencoded` body.
pub(super) fn append_pairs<K: AsRef<str>, V: AsRef<str>>(target: &mut String, pairs: &[(K, V)]) {
    for (name, value) in pairs {
        if !target.is_empty() {
            target.push('&');
        }
        append(target, name.as_ref());
        target.push('=');
        append(target, value.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_their_order_and_their_bounds() {
        let mut query = String::new();
        append_pairs(
            &mut query,
            &[("q", "SELECT Id FROM A WHERE x = 'é&b=c'"), ("n", "1+1")],
        );
        assert_eq!(
            query,
            "q=SELECT%20Id%20FROM%20A%20WHERE%20x%20%3D%20%27%C3%A9%26b%3Dc%27&n=1%2B1"
        );
    }
}
