# The project's recipes. `just` lists them.

# List the recipes.
default:
    @just --list

# What a change must pass: format, lints, docs, tests.
check:
    .ci/run

# Start an embedded Salesforce org and ask it three questions through the sandbox.
demo *ARGS:
    cargo run -- demo {{ARGS}}

# Measure: a call, a start, a query beside plain HTTP, and the memory of `serve` (Linux).
bench:
    cargo build --release -p portcullis-cli
    cargo bench -p bench
    cargo bench -p salesforce-devorg --bench rows

# Build `portcullis` by a profile of what a server runs, as `target/guided/release/portcullis`: quicker calls (Linux; needs `llvm-profdata` of the
# compiler's LLVM, of the component `llvm-tools` or Debian's `llvm-22`; half an hour on two cores, and 10 GB of memory).
guided:
    python3 tests/bench/guided.py

# Measure Portcullis and two MCP servers for Salesforce that others wrote side by side (Linux; needs npm and Python with `venv`).
# `--portcullis target/guided/release/portcullis` measures what `just guided` built.
bench-mcp *ARGS:
    cargo build --release -p portcullis-cli
    python3 tests/bench/mcp/run.py {{ARGS}}

# Link what a server runs side by side, as it is now: writes `host/cli/order.txt` (Linux on x86-64).
order:
    cargo build --release -p portcullis-cli
    cargo bench -p bench --bench order -- --write

# What takes too long for each change: kills of programs that renew, install, run approved changes or write the audit log and of the
# dev org, swaps of a connector's version under load, a thousand sessions for a minute, a million calls in the log, and a million rows in the org.
soak:
    PORTCULLIS_KILLS=200 cargo test -p portcullis-store --test it killed
    PORTCULLIS_ENTRIES=1000000 cargo test -p portcullis-store --test it at_size -- --nocapture
    PORTCULLIS_KILLS=200 cargo test -p e2e --test it killed
    PORTCULLIS_KILLS=200 cargo test -p portcullis-cli --test it connector::killed
    PORTCULLIS_SWAPS=200 cargo test -p e2e --test it swaps
    PORTCULLIS_KILLS=300 cargo test -p portcullis-cli --test it -- killed::an_approved killed::served --nocapture
    PORTCULLIS_SESSIONS=1000 PORTCULLIS_SECONDS=60 cargo test --release -p portcullis-cli --test it by_http::load -- --nocapture
    DEVORG_KILLS=100 cargo test -p salesforce-devorg --test it killed_org
    cargo test -p salesforce-devorg --lib -- --ignored a_row_of_a_million

# Take over changed snapshots and the tables of README.md that tests make, after having read them.
snapshots:
    INSTA_UPDATE=always cargo test

# Serve a Salesforce org to develop against.
devorg *ARGS:
    cargo run -p salesforce-devorg -- {{ARGS}}

# Judge the server by the Model Context Protocol's own conformance suite.
conformance *ARGS:
    python3 tests/conformance/run.py {{ARGS}}

# Judge the dev org by clients that others wrote: jsforce, simple-salesforce, sf, and a parser of SOQL; and the server by the official SDKs of MCP.
clients *ARGS:
    python3 tests/clients/run.py {{ARGS}}
