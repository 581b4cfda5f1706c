"""Processes that are ended with what they have started, however a block ends."""

import os
import signal
import subprocess
import threading
from contextlib import contextmanager


@contextmanager
def within(child: subprocess.Popen, seconds: float):
    """Ends a child if the block takes longer."""
    timer = threading.Timer(seconds, end, [child])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def end(child: subprocess.Popen) -> None:
    """Ends a child and its whole group, which it leads."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # All of it has ended already.
    child.wait()
