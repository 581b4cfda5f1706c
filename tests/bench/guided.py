"""Builds `portcullis` by a profile of what a server runs (https://doc.rust-lang.org/rustc/profile-guided-optimization.html): once so that it
counts what it runs, then by what it counted while the benchmark of MCP servers asked it over stdio and by HTTP.

A profile fits the very code that it was counted in, so it is made for each build, and none is kept. Takes two releases and a minute."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "guided"
BENCHMARK = ["bench", "--package", "bench", "--bench", "mcp"]
# For speed: what a profile says never runs is small all the same.
OPT_LEVEL = "2"


def main() -> None:
    tools = Tools.of_compiler()
    cargo(*BENCHMARK, "--no-run")
    counts = FOLDER / "counts"
    counting = build(FOLDER / "counting", [f"-Cprofile-generate={counts}"])
    # The build scripts and macros that the build ran have counted, too.
    shutil.rmtree(counts, ignore_errors=True)
    print("asking it what a server is asked", file=sys.stderr, flush=True)
    cargo(*BENCHMARK, "--", "--portcullis", str(counting))
    profile = FOLDER / "served.profdata"
    tools.run("profdata", "merge", "-o", str(profile), *map(str, counts.glob("*.profraw")))
    flags = [f"-Cprofile-use={profile}"]
    if tools.host == "x86_64-unknown-linux-gnu":
        order = FOLDER / "order.txt"
        order.write_text("".join(f"{name}\n" for name in side_by_side(tools, profile, counting)))
        # Read by the linker that the compiler has for this system. What never ran of a function is elsewhere too.
        flags += [f"-Clink-arg=-Wl,--symbol-ordering-file={order}", "-Clink-arg=-Wl,--no-warn-symbol-ordering"]
        flags += ["-Cllvm-args=-enable-split-machine-functions"]
    built = build(FOLDER, flags)
    for folder in [counting.parents[1], counts]:
        shutil.rmtree(folder)
    print(f"built {built}", file=sys.stderr)


class Tools:
    """The tools of the compiler's LLVM: the toolchain's, or the system's of the same version or a later one."""

    def __init__(self, llvm: int, host: str, folder: Path):
        self.llvm = llvm
        self.host = host
        self.folder = folder

    @classmethod
    def of_compiler(cls) -> "Tools":
        about = said("rustc", "--version", "--verbose")
        llvm = int(re.search(r"LLVM version: (\d+)", about)[1])
        host = re.search(r"host: (\S+)", about)[1]
        tools = cls(llvm, host, Path(said("rustc", "--print", "sysroot").strip(), "lib", "rustlib", host, "bin"))
        tools.named("profdata")
        return tools

    def named(self, tool: str) -> str:
        for program in [str(self.folder / f"llvm-{tool}"), f"llvm-{tool}-{self.llvm}", f"llvm-{tool}"]:
            found = shutil.which(program)
            if found and version(found) >= self.llvm:
                return found
        sys.exit(
            f"error: no `llvm-{tool}` of LLVM {self.llvm} was found, which reads what a program counted; "
            f"install it by `rustup component add llvm-tools`, or with Debian's package `llvm-{self.llvm}`"
        )

    def run(self, tool: str, *arguments: str) -> str:
        return said(self.named(tool), *arguments)


def version(tool: str) -> int:
    """Asks of which LLVM a tool is; of one that is too old to say, 0."""
    answer = subprocess.run([tool, "--version"], capture_output=True, text=True)
    stated = re.search(r"LLVM version (\d+)", answer.stdout)
    return int(stated[1]) if stated else 0


def side_by_side(tools: Tools, profile: Path, counting: Path) -> list[str]:
    """Names the functions that ran, by the profile; and by `order.txt` those that are counted nowhere, in C and in the standard library."""
    ran, name = [], ""
    for line in tools.run("profdata", "show", "--all-functions", "--counts", str(profile)).splitlines():
        if line.startswith("    Block counts") and re.search(r"[1-9]", line):
            ran.append(name)
        elif line.startswith("  ") and not line.startswith("    "):
            # Of a function that only its file knows, the file's name stands before it.
            name = line.strip().rstrip(":").rsplit(";", 1)[-1]
    known = set((ROOT / "host" / "cli" / "order.txt").read_text().splitlines())
    symbols = [line.split()[-1] for line in tools.run("nm", "--defined-only", str(counting)).splitlines()]
    ran += [symbol for symbol in symbols if re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", symbol) in known]
    return list(dict.fromkeys(ran))


def build(folder: Path, flags: list[str]) -> Path:
    """Builds a release into a folder of its own, for with other flags all of it is built anew."""
    # By the newer mangling each type's functions have names of their own, as they have in a profile.
    flags = ["-Csymbol-mangling-version=v0", *flags]
    cargo("build", "--release", "--package", "portcullis-cli", "--target-dir", str(folder), flags=flags)
    return folder / "release" / "portcullis"


def cargo(command: str, *arguments: str, flags: list[str] | None = None) -> None:
    environment = dict(os.environ)
    if flags:
        environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
        environment["CARGO_PROFILE_RELEASE_OPT_LEVEL"] = OPT_LEVEL
    finished = subprocess.run(["cargo", command, "--locked", *arguments], cwd=ROOT, env=environment)
    if finished.returncode:
        raise SystemExit(finished.returncode)


def said(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
