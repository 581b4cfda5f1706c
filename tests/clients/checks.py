"""What every script in Python shares: where the org is, and how a check is made.

A check is one line, `ok CLIENT: CHECK` or `FAILED CLIENT: CHECK` with the reason below it.
"""

import json
import os
import sys
import textwrap
import traceback
from contextlib import contextmanager

# Where the org is and how to get in: the line that `salesforce-devorg` prints.
ORG = json.loads(os.environ["ORG"])


class Checks:
    """A client's checks, one after the other, each whatever became of the last."""

    def __init__(self, client: str):
        self._client = client
        self._failed = False

    @contextmanager
    def check(self, name: str):
        """Prints what became of the block."""
        try:
            yield
        except Exception:
            self._failed = True
            print(f"FAILED {self._client}: {name}")
            print(textwrap.indent(traceback.format_exc(), "    "), flush=True)
        else:
            print(f"ok {self._client}: {name}", flush=True)

    def end(self):
        """Ends the script: with 1 where a check failed."""
        sys.exit(1 if self._failed else 0)


def equal(found, wanted):
    """Wants two values to be the same, and shows both where they are not."""
    assert found == wanted, f"found {found!r}\nwanted {wanted!r}"


@contextmanager
def refused(error: type, code: str, part: str = ""):
    """Wants the block to end in the client's own `error`, with a code and a part of the words."""
    try:
        yield
    except error as refusal:
        words = f"{refusal} {getattr(refusal, 'content', '')}"
        assert code in words and part in words, f"found {words}\nwanted {code} and {part!r}"
    else:
        raise AssertionError(f"it was not refused; wanted {error.__name__} with {code}")
