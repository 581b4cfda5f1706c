"""Installs the clients, as their lock files pin them, into a cache folder, once.

Nothing is installed into the tree, and no script of a package runs: the clients need none.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCKS = ["package.json", "package-lock.json", ".npmrc", "requirements.txt"]
# What the newest of the clients, `sf`, needs (its package's `engines`, and undici's).
NODE_MIN = (22, 19)


@dataclass
class Packages:
    """Where the clients are."""

    folder: Path

    @property
    def binaries(self) -> Path:
        """The programs of the npm packages: `sf`."""
        return self.folder / "node_modules" / ".bin"

    @property
    def python(self) -> Path:
        """A Python that has simple-salesforce."""
        return self.folder / "python" / "bin" / "python3"

    @property
    def node(self) -> Path:
        """A Node that is new enough: npm's, or the machine's where npm has none for it."""
        for package in (self.folder / "node_modules").glob("node-*/bin/node"):
            return package
        found = shutil.which("node")
        version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        if numbers < NODE_MIN:
            wanted = ".".join(map(str, NODE_MIN))
            raise SystemExit(f"error: the clients need Node {wanted} or later; found {version.strip() or 'none'}")
        return Path(found)


def packages(locks: Path = HERE) -> Packages:
    """Gives what a folder's lock files pin, the clients here or others, installed if it is not yet."""
    folder = cache() / f"{locks.name}-{fingerprint(locks)}"
    if not folder.exists():
        install(folder, locks)
    return Packages(folder)


def cache() -> Path:
    """Gives the project's cache folder."""
    chosen = os.environ.get("PORTCULLIS_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portcullis"


def fingerprint(locks: Path) -> str:
    """Names what is installed: another lock, another Python or another machine is another folder."""
    state = hashlib.sha256(f"{platform.machine()} {platform.system()} {sys.version_info[:2]} {locks.name}".encode())
    for name in LOCKS:
        state.update((locks / name).read_bytes())
    return state.hexdigest()[:16]


def install(folder: Path, locks: Path) -> None:
    """Installs beside the folder and moves it there when all of it is done, so that half an installation
    is never taken for one."""
    print(f"installing what {locks.name} pins into {folder}", file=sys.stderr, flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder.parent) as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        for name in LOCKS:
            shutil.copy(locks / name, new)
        ran("npm", "ci", "--ignore-scripts", "--no-progress", "--loglevel=error", cwd=new)
        ran(sys.executable, "-m", "venv", new / "python")
        ran(
            new / "python" / "bin" / "python3",
            *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--only-binary", ":all:", "--requirement", new / "requirements.txt"),
        )
        try:
            new.rename(folder)
        except OSError:
            # Another run was quicker: its folder is the same.
            if not folder.exists():
                raise


def ran(*command, cwd=None) -> None:
    """Runs a command that has to succeed; what it prints goes to the error stream."""
    code = subprocess.run([str(part) for part in command], cwd=cwd, stdout=sys.stderr).returncode
    if code != 0:
        raise SystemExit(f"error: `{' '.join(str(part) for part in command)}` ended with {code}")
