"""Programs that say in lines of JSON how far they are."""

import json
import subprocess

from processes import within

# What takes longer does not come.
SECONDS_MAX = 120


def started(command) -> subprocess.Popen:
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def line(child: subprocess.Popen) -> dict:
    """Reads what a child prints next."""
    with within(child, SECONDS_MAX):
        text = child.stdout.readline()
    if not text:
        raise RuntimeError("it ended")
    return json.loads(text)
