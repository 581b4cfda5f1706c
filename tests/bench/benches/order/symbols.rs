//! A program's functions, and the names that they have in every build.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol, SymbolKind};

/// Bytes of code that a name may bring along for each function that ran. A generic function has one name for all its
/// types; one that few ran of costs less where it is.
const BYTES_MAX: u64 = 32 << 10;

/// A function's names, since several can be one, and its size.
struct Function {
    names: Vec<String>,
    bytes: u64,
}

/// The functions of a program, by their addresses in its file.
pub(crate) struct Functions(BTreeMap<u64, Function>);

impl Functions {
    /// Reads a program's table of symbols.
    pub(crate) fn of(program: &Path) -> Result<Self> {
        let file = std::fs::read(program)
            .with_context(|| format!("`{}` is not built", program.display()))?;
        let file: ElfFile64 = ElfFile64::parse(&*file)?;
        let mut functions = BTreeMap::new();
        for symbol in file.symbols() {
            if symbol.kind() == SymbolKind::Text && symbol.is_definition() && symbol.size() > 0 {
                let function = functions.entry(symbol.address()).or_insert(Function {
                    names: Vec::new(),
                    bytes: symbol.size(),
                });
                function.names.push(stable(symbol.name()?));
            }
        }
        Ok(Self(functions))
    }

    /// Gives where each begins.
    pub(crate) fn addresses(&self) -> BTreeSet<u64> {
        self.0.keys().copied().collect()
    }

    /// Gives the names of those that ran in any of `servers`: first of those that ran in the most.
    pub(crate) fn patterns(&self, servers: &[BTreeSet<u64>]) -> Vec<String> {
        let mut of_name: BTreeMap<&str, Found> = BTreeMap::new();
        for (address, function) in &self.0 {
            let of = servers.iter().filter(|ran| ran.contains(address)).count();
            for name in &function.names {
                let found = of_name.entry(name).or_default();
                found.ran += u64::from(of > 0);
                found.servers = found.servers.max(of);
                found.bytes += function.bytes;
            }
        }
        let mut worth: Vec<(&str, Found)> = of_name
            .into_iter()
            .filter(|(_, found)| found.ran > 0 && found.bytes <= found.ran * BYTES_MAX)
            .collect();
        // Those of as many servers stay in the order of their names, so that little changes with the program.
        worth.sort_by_key(|(_, found)| Reverse(found.servers));
        worth.into_iter().map(|(name, _)| name.to_owned()).collect()
    }
}

/// What is known of a name: how many functions of it ran, in how many servers at most, and how many bytes have it.
#[derive(Default)]
struct Found {
    ran: u64,
    servers: usize,
    bytes: u64,
}

/// Leaves out of a symbol what differs from build to build: a pattern as linkers read them.
fn stable(symbol: &str) -> String {
    // `_ZN…17h0123456789abcdefE`, and what a compiler appends to tell copies apart.
    if symbol.starts_with("_ZN")
        && let Some(hash) = symbol.rfind("17h")
    {
        return format!("{}17h*", &symbol[..hash]);
    }
    let symbol = symbol
        .split_once(".llvm.")
        .map_or(symbol, |(symbol, _)| symbol);
    // A number tells copies of one function apart: `_RNv…5write.76629`.
    let (symbol, copy) = match symbol.rsplit_once('.') {
        Some((symbol, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            (symbol, ".*")
        }
        _ => (symbol, ""),
    };
    if !symbol.starts_with("_R") {
        return format!("{symbol}{copy}");
    }
    // `_RNvCs1a2b3c_4core…`: a crate's hash stands between `Cs` and `_`.
    let mut parts = symbol.split("Cs");
    let mut pattern = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        pattern.push_str("Cs");
        match part.split_once('_') {
            Some((hash, rest)) if hash.chars().all(|c| c.is_ascii_alphanumeric()) => {
                pattern.push_str("*_");
                pattern.push_str(rest);
            }
            _ => pattern.push_str(part),
        }
    }
    pattern + copy
}
