//! What stands in the clear, for it is shaped as names are.

/// Characters of a name that stands in the clear, and of a place in a body.
const NAME_LEN_MAX: usize = 128;
const POINTER_LEN_MAX: usize = 256;

/// Says whether a text is shaped as the names and ids of services are. What a connector calls a name may be anything that it has read, so
/// whatever is not shaped so is sealed. One word of a record that is passed off as a name is not told from one.
pub(super) fn is_name(text: &str) -> bool {
    let is_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':');
    (1..=NAME_LEN_MAX).contains(&text.len()) && text.bytes().all(is_of_name)
}

pub(super) fn is_pointer(text: &str) -> bool {
    let mut segments = text
        .strip_prefix('/')
        .into_iter()
        .flat_map(|rest| rest.split('/'));
    let is_segment = |segment: &str| segment.is_empty() || is_name(&segment.replace('~', "_"));
    text.is_empty()
        || (text.len() <= POINTER_LEN_MAX && text.starts_with('/') && segments.all(is_segment))
}
