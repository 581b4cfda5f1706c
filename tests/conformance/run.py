#!/usr/bin/env python3
"""Runs the Model Context Protocol's own conformance suite against the server of the host.

    tests/conformance/run.py [REVISION…]

The suite's scenarios want tools of certain names: they are those of the connector `contents`. What is not expected to pass is in
`exceptions/REVISION.yaml`, each with its reason; what is listed there and passes is a failure, too.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

import install  # noqa: E402
from devorg import built  # noqa: E402
from processes import end, within  # noqa: E402

# How each revision is asked for: what it requires as the suite has it, or, for those before that, all scenarios that apply to it.
REVISIONS = {
    "2025-03-26": ["--suite", "all", "--spec-version", "2025-03-26"],
    "2025-06-18": ["--suite", "all", "--spec-version", "2025-06-18"],
    "2025-11-25": ["--requirements", "2025-11-25"],
    "2026-07-28": ["--requirements", "2026-07-28"],
}
# What takes longer hangs.
SECONDS_MAX = 300


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("revisions", nargs="*", metavar="REVISION", help=", ".join(REVISIONS))
    chosen = arguments.parse_args().revisions or list(REVISIONS)
    for revision in chosen:
        if revision not in REVISIONS:
            arguments.error(f"there is no revision `{revision}`; there are {', '.join(REVISIONS)}")
    packages = install.packages()
    # As the tests are built: nothing is compiled twice.
    program = built("test", "--no-run")["conformance"]
    failed = [revision for revision in chosen if not conforms(revision, packages, program)]
    print(f"{len(chosen) - len(failed)} of {len(chosen)} revisions as expected" + (f"; not {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def conforms(revision: str, packages: install.Packages, program: Path) -> bool:
    """Runs the scenarios of a revision against a server of its own."""
    server = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        with within(server, SECONDS_MAX), tempfile.TemporaryDirectory(prefix="portcullis-conformance-") as folder:
            url = server.stdout.readline().strip()
            if not url:
                raise SystemExit("error: the server did not start")
            print(f"== {revision}", flush=True)
            suite = packages.folder / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
            exceptions = HERE / "exceptions" / f"{revision}.yaml"
            command = [packages.node, suite, "server", "--url", url, *REVISIONS[revision], "--expected-failures", exceptions]
            return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, timeout=SECONDS_MAX).returncode == 0
    finally:
        end(server)


if __name__ == "__main__":
    sys.exit(main())
