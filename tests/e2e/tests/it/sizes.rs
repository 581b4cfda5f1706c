//! How large the Salesforce connector is: each call has its constants mapped, and its code is what a new version compiles.

use crate::support::component;

/// Bytes of the component: 1.5 MiB.
const COMPONENT_MAX: usize = 3 * 512 * 1024;

/// Bytes of its constants, of which a hundred calls count each a hundred times.
const CONSTANTS_MAX: usize = 144 * 1024;

/// What a header of a module or a component is long.
const HEADER: usize = 8;
/// A module inside a component (*Component Model*, "Binary Format").
const CORE_MODULE: u8 = 1;
/// The constants of a module (*WebAssembly Core Specification*, "Binary Format").
const DATA: u8 = 11;

/// Reads an unsigned number of the format (LEB128), and gives what is behind it.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let length = bytes.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
    let (number, rest) = bytes.split_at(length);
    let value = number
        .iter()
        .rev()
        .fold(0, |value, byte| (value << 7) | usize::from(byte & 0x7f));
    (value, rest)
}

/// Lists the sections of a module or a component: what each is, and its bytes.
fn sections(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    assert_eq!(&bytes[..4], b"\0asm");
    let mut rest = &bytes[HEADER..];
    let mut sections = Vec::new();
    while let Some((kind, behind)) = rest.split_first() {
        let (length, behind) = number(behind);
        let (section, behind) = behind.split_at(length);
        sections.push((*kind, section));
        rest = behind;
    }
    sections
}

fn of_kind(bytes: &[u8], kind: u8) -> impl Iterator<Item = &[u8]> {
    let of_kind = move |(other, section)| (other == kind).then_some(section);
    sections(bytes).into_iter().filter_map(of_kind)
}

#[test]
fn the_salesforce_connector_is_small() {
    let bytes = component("portcullis_salesforce");
    assert!(bytes.len() < COMPONENT_MAX, "{} bytes", bytes.len());
    let constants: usize = of_kind(&bytes, CORE_MODULE)
        .flat_map(|module| of_kind(module, DATA))
        .map(<[u8]>::len)
        .sum();
    // There are some: else this has read the wrong thing.
    assert!(constants > 16 * 1024, "{constants} bytes of constants");
    assert!(constants < CONSTANTS_MAX, "{constants} bytes of constants");
}

#[test]
fn what_a_component_carries_makes_no_schemas() {
    let is_in = |name: &str, text: &str| {
        let bytes = component(name);
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    // The name of what makes them, which is in a component that does.
    const MAKER: &str = "schemars";
    assert!(is_in("hello", MAKER));
    assert!(!is_in("portcullis_salesforce", MAKER));
}
