//! What a component may import and must export.
//!
//! WASI names are compared without their patch version: Python's tooling mixes several. Files, sockets
//! and the environment are there for language runtimes that ask for them, and refuse or are empty.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::InstallError;

/// The contract's own interfaces, in full.
const CONTRACT: &str = "portcullis:connector/";
const CONTRACT_VERSION: &str = "0.1.0";
const IMPORTS: [&str; 7] = [
    "approvals",
    "audit",
    "credentials",
    "effects",
    "failures",
    "permissions",
    "progress",
];
const EXPORTS: [&str; 3] = ["manifest", "accounts", "tools"];

/// WASI's packages that a connector may import, of version 0.2. Of HTTP, only what sends.
const WASI: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
const HTTP: [&str; 2] = ["outgoing-handler", "types"];

/// Checks a component's imports and exports and returns the names of its imports, sorted.
pub(super) fn check(engine: &Engine, component: &Component) -> Result<Vec<String>, InstallError> {
    let ty = component.component_type();
    let mut imports: Vec<String> = ty
        .imports(engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    imports.sort();
    let unknown: Vec<String> = imports
        .iter()
        .filter(|name| !is_known(name))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(InstallError::UnknownImports(unknown));
    }
    let exports: Vec<&str> = ty.exports(engine).map(|(name, _)| name).collect();
    let missing: Vec<String> = EXPORTS
        .iter()
        .map(|interface| format!("{CONTRACT}{interface}@{CONTRACT_VERSION}"))
        .filter(|name| !exports.contains(&name.as_str()))
        .collect();
    match missing.is_empty() {
        true => Ok(imports),
        false => Err(InstallError::MissingExports(missing)),
    }
}

fn is_known(import: &str) -> bool {
    let Some((name, version)) = import.rsplit_once('@') else {
        return false;
    };
    if let Some(interface) = name.strip_prefix(CONTRACT) {
        return version == CONTRACT_VERSION && IMPORTS.contains(&interface);
    }
    let Some((package, interface)) = name
        .strip_prefix("wasi:")
        .and_then(|name| name.split_once('/'))
    else {
        return false;
    };
    let is_0_2 = version
        .strip_prefix("0.2.")
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit()));
    is_0_2 && (WASI.contains(&package) || package == "http" && HTTP.contains(&interface))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contract_and_wasi_0_2_are_known() {
        for known in [
            "portcullis:connector/approvals@0.1.0",
            "wasi:http/outgoing-handler@0.2.12",
            "wasi:http/types@0.2.0",
            "wasi:filesystem/preopens@0.2.9",
            "wasi:cli/environment@0.2.3",
        ] {
            assert!(is_known(known), "{known}");
        }
        for unknown in [
            "evil:door/open",
            "evil:door/open@0.2.0",
            "portcullis:connector/approvals@0.2.0",
            "portcullis:connector/tools@0.1.0",
            "portcullis:connector2/approvals@0.1.0",
            "wasi:http/incoming-handler@0.2.0",
            "wasi:http/outgoing-handler@0.3.0",
            "wasi:http/outgoing-handler@0.2.0-rc",
            "wasi:http/outgoing-handler",
            "wasi:keyvalue/store@0.2.0",
            "wasi:cli@0.2.0",
            "",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
