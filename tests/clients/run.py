#!/usr/bin/env python3
"""Runs clients of Salesforce that others wrote against the dev org, and counts their checks.

    tests/clients/run.py [CLIENT…]

Each script has an org of its own. Prints `ok CLIENT: CHECK` or `FAILED CLIENT: CHECK` for each check,
then `N passed, N failed`; ends with 1 where one failed or a script ended in any other way.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import chromium
import install
from devorg import DevOrg, built
from processes import end, within

HERE = Path(__file__).resolve().parent

# The scripts of each client, and whether their org has to speak https.
CLIENTS = {
    "jsforce": (["jsforce/query.mjs", "jsforce/records.mjs", "jsforce/bulk.mjs", "jsforce/sign_in.mjs"], False),
    "simple-salesforce": (
        ["simple_salesforce_client/reads.py", "simple_salesforce_client/records.py", "simple_salesforce_client/sign_in.py"],
        True,
    ),
    "sf": (["sf/sf.py"], False),
    "soql": (["soql/oracle.mjs"], False),
    "portcullis": (["portcullis/browser.py"], False),
    "oidc": (["oidc/sign_in.py", "oidc/issuer.py"], False),
    "mcp-sdks": (["mcp_sdks/sdks.py"], False),
}
# Those that drive Portcullis itself, with a browser.
WITH_BROWSER = {"portcullis", "oidc", "mcp-sdks"}
# What the org of a client is started with besides.
MORE = {
    "portcullis": ["--admin", "--rotate-refresh-tokens", "--redirect-uri", "https://portcullis.acme.example/callback"],
    "mcp-sdks": ["--admin"],
}

# A script that takes longer hangs: the slowest takes a minute on two idle cores, and much more on busy ones.
SCRIPT_SECONDS_MAX = 900


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("clients", nargs="*", metavar="CLIENT", help=", ".join(CLIENTS))
    chosen = arguments.parse_args().clients or list(CLIENTS)
    for name in chosen:
        if name not in CLIENTS:
            arguments.error(f"there is no client `{name}`; there are {', '.join(CLIENTS)}")

    started = time.monotonic()
    packages = install.packages()
    if WITH_BROWSER.intersection(chosen):
        chromium.install()
        # As the tests are built: nothing is compiled twice.
        programs = built("test", "--no-run")
    else:
        programs = {"salesforce-devorg": DevOrg.build()}
    installed = time.monotonic()
    passed = failed = 0
    for name in chosen:
        scripts, tls = CLIENTS[name]
        for script in scripts:
            counts = run(script, packages, programs, tls, MORE.get(name, []))
            passed, failed = passed + counts[0], failed + counts[1]
    ended = time.monotonic()
    print(f"{passed} passed, {failed} failed")
    print(f"{ended - installed:.0f} s, after {installed - started:.0f} s of installing and building", file=sys.stderr)
    return 1 if failed or not passed else 0


def run(script: str, packages: install.Packages, programs: dict[str, Path], tls: bool, more) -> tuple[int, int]:
    """Runs one script against an org of its own; gives how many of its checks passed and failed."""
    with tempfile.TemporaryDirectory(prefix="portcullis-clients-") as folder:
        try:
            key, certificate = Path(folder) / "key.pem", Path(folder) / "certificate.pem"
            made = subprocess.run([packages.python, HERE / "certificate.py", key, certificate])
            if made.returncode != 0:
                raise RuntimeError("there is no key to sign with")
            with DevOrg(programs["salesforce-devorg"], Path(folder), tls, certificate, more) as org:
                variables = environment(packages, org, folder)
                places = {f"{name.upper().replace('-', '_')}_PROGRAM": str(path) for name, path in programs.items()}
                return count(script, packages, variables | places | {"JWT_KEY_FILE": str(key)})
        except RuntimeError as error:
            print(f"FAILED {script}: {error}", flush=True)
            return 0, 1


def environment(packages: install.Packages, org: DevOrg, folder: str) -> dict[str, str]:
    """Makes a script's environment: nothing of the caller's but the search path, a home that ends with
    it, and no proxy, so that nothing leaves loopback."""
    variables = {
        "PATH": os.pathsep.join([str(packages.node.parent), str(packages.binaries), os.environ["PATH"]]),
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "ORG": org.line,
        "CLIENTS_PACKAGES": str(packages.folder),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if org.ca_file:
        variables["REQUESTS_CA_BUNDLE"] = str(org.ca_file)
    return variables


def count(script: str, packages: install.Packages, variables: dict[str, str]) -> tuple[int, int]:
    """Runs one script, repeats what it prints, and counts."""
    language = packages.python if script.endswith(".py") else packages.node
    child = subprocess.Popen(
        [language, HERE / script],
        cwd=variables["HOME"],
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    passed = failed = 0
    try:
        with within(child, SCRIPT_SECONDS_MAX):
            for line in child.stdout:
                print(line, end="", flush=True)
                passed += line.startswith("ok ")
                failed += line.startswith("FAILED ")
            code = child.wait()
    finally:
        end(child)  # And what it has started.
    # A script that ends early has said nothing of the checks that it did not reach.
    if code != (1 if failed else 0) or not passed + failed:
        print(f"FAILED {script}: it ended with {code} after {passed + failed} checks", flush=True)
        failed += 1
    return passed, failed


if __name__ == "__main__":
    # Ended from outside, it cleans up as it does at its own end.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
