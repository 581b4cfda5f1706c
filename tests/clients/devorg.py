"""The dev org as a program: built, started, and ended however a script ends."""

import json
import subprocess
from pathlib import Path

from processes import end, within

ROOT = Path(__file__).resolve().parents[2]

# The day on which the org's sample records are made.
TODAY = "2026-11-23"
# An org that takes longer to start does not.
START_SECONDS_MAX = 60


def built(*command: str) -> dict[str, Path]:
    """Runs cargo, and gives the programs that it built, or found built, by their names."""
    cargo = ["cargo", *command, "--locked", "--message-format", "json-render-diagnostics"]
    ran = subprocess.run(cargo, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        raise SystemExit(f"error: `{' '.join(cargo)}` ended with {ran.returncode}")
    artifacts = [json.loads(line) for line in ran.stdout.splitlines()]
    return {
        artifact["target"]["name"]: Path(artifact["executable"])
        for artifact in artifacts
        if artifact.get("executable") and not artifact["profile"]["test"]
    }


class DevOrg:
    """A running org."""

    def __init__(self, program: Path, folder: Path, tls: bool, jwt_certificate: Path, more=()):
        command = [program, "--listen", "127.0.0.1:0", "--today", TODAY, "--jwt-certificate", jwt_certificate, *more]
        self.ca_file = folder / "ca.pem" if tls else None
        if self.ca_file:
            command += ["--tls", "--ca-file", self.ca_file]
        self._command = command
        self.line = ""

    @staticmethod
    def build() -> Path:
        """Builds the program alone and gives where it is."""
        return built("build", "--package", "salesforce-devorg")["salesforce-devorg"]

    def __enter__(self) -> "DevOrg":
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        with within(self._child, START_SECONDS_MAX):
            self.line = self._child.stdout.readline()
        if not self.line:
            end(self._child)
            raise RuntimeError("the org did not start")
        return self

    def __exit__(self, *_) -> None:
        end(self._child)
