"""Measures MCP servers for Salesforce side by side: installs those that others wrote, as the lock files here pin them, and runs the benchmark with
them. What is given goes on to it: `--portcullis FILE`, `--json`, `--quick`."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "clients"))

from install import packages  # noqa: E402  (what `tests/clients` has for its own)

others = packages(HERE)
# The machine's Node, else that of the clients: which one runs is no matter of the lock files here.
node = packages().node
command = ["cargo", "bench", "--locked", "--package", "bench", "--bench", "mcp", "--"]
command += ["--others", str(others.folder), "--node", str(node), *sys.argv[1:]]
raise SystemExit(subprocess.run(command, cwd=HERE.parents[2]).returncode)
