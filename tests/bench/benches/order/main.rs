//! Which functions a server runs: from its start, through calls, until it waits for more.
//!
//! The system brings a program's code into memory by 64 KiB around each function that runs. What a server runs is a
//! seventh of the program, scattered over all of it. So a release has that seventh side by side, by the names in
//! `host/cli/order.txt`, which is written here:
//!
//! ```sh
//! cargo build --release -p portcullis-cli
//! cargo bench -p bench --bench order -- --write
//! ```
//!
//! Without `--write` this says how much of what ran the file lacks; it is good as long as that is little. Any
//! build of the program may be named behind it. Linux on x86-64 only, for it sets breakpoints.

#![allow(
    clippy::print_stdout,
    reason = "a program of the bench's speaks on its standard output"
)]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod scenario;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod symbols;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;

    let mut named = std::env::args_os().skip(1).map(PathBuf::from);
    // Cargo passes `--bench`.
    let program = match named.rfind(|named| !named.to_string_lossy().starts_with("--")) {
        Some(program) => program,
        None => bench::program()?,
    };
    let functions = symbols::Functions::of(&program)?;
    let ran = scenario::run(&program, &functions.addresses()).await?;
    let patterns = functions.patterns(&ran);

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../host/cli/order.txt");
    if std::env::args().any(|argument| argument == "--write") {
        let lines: String = patterns.iter().map(|line| format!("{line}\n")).collect();
        fs::write(path, lines)?;
        println!("{} names are side by side now", patterns.len());
        println!("build the program again to have it so");
        return Ok(());
    }
    let file = fs::read_to_string(path)?;
    let known: BTreeSet<&str> = file.lines().collect();
    let missing: Vec<&String> = patterns
        .iter()
        .filter(|pattern| !known.contains(pattern.as_str()))
        .collect();
    println!("functions of {} names ran", patterns.len());
    println!("{} of these names are not in the order", missing.len());
    Ok(())
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    println!("only Linux on x86-64 is measured here");
}
