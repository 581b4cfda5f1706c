"""Portcullis itself: a person connects their account with a real browser, on the org's own pages, and an agent
works with it."""

import json
import os
import re
import subprocess
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import ORG, Checks, equal
from chromium import Browser
from processes import end, within

PROGRAM = os.environ["PORTCULLIS_PROGRAM"]
# A command that takes longer does not end.
SECONDS_MAX = 120
# Calls at one time.
PROCESSES = 6
checks = Checks("portcullis")


class Portcullis:
    """The program, with a store of its own."""

    def __init__(self, folder: Path):
        self._variables = os.environ | {"PORTCULLIS_DATA_DIR": str(folder), "USER": "ada"}
        self._network = ["--allow-origin", ORG["url"].removeprefix("http://")]

    def run(self, *arguments: str):
        """Runs a command on the store, and gives what it prints for programs."""
        return self._ended(self._start([*arguments, "--json"]))

    def call(self, tool: str, arguments: dict):
        """Calls a tool as the agent `helper`."""
        command = ["call", tool, "--agent", "helper", "--json", json.dumps(arguments), "--output", "json"]
        return self._ended(self._start([*command, *self._network]))

    def on_accounts(self, *arguments: str):
        """Runs a command that asks the org, too."""
        return self.run(*arguments, *self._network)

    def connect(self, browse, *arguments: str):
        """Connects an account; `browse` gets the link."""
        child = self._start(
            ["connect", "salesforce", "--no-browser", "--port", "0", "--login", ORG["url"], *arguments, "--json", *self._network]
        )
        lines = []
        try:
            with within(child, SECONDS_MAX):
                for line in child.stderr:
                    lines.append(line)
                    link = re.match(r"\s+(http\S+/services/oauth2/authorize\S+)", line)
                    if link:
                        browse(link[1])
                        break
                return self._ended(child, lines)
        finally:
            end(child)

    def _start(self, arguments):
        return subprocess.Popen(
            [PROGRAM, *arguments],
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _ended(self, child, lines=()):
        with within(child, SECONDS_MAX):
            out, err = child.communicate()
        try:
            value = json.loads(out)
        except ValueError:
            raise RuntimeError(f"no JSON: {out}\n{''.join(lines)}{err}") from None
        return child.returncode, value


def signs_in(browser: Browser, person: dict, button: str = "allow"):
    """Gives what a person does with a link: signs in, and decides on the page that asks."""

    def browse(link: str) -> None:
        browser.go(link)
        if browser.has("input[name=username]"):
            browser.fill("input[name=username]", person["username"])
            browser.fill("input[name=password]", person["password"])
            browser.click("button")
        browser.wait("the page that asks", lambda: browser.has(f"button[value={button}]"))
        browser.click(f"button[value={button}]")
        browser.wait("the page at the end", lambda: "/callback" in browser.url)

    return browse


with tempfile.TemporaryDirectory(prefix="portcullis-store-") as folder, Browser() as browser:
    portcullis = Portcullis(Path(folder))
    administrator = ORG["users"][0]

    with checks.check("an app and an agent are set up"):
        code, _ = portcullis.run("app", "set", "salesforce", "--client-id", ORG["client_id"])
        equal(code, 0)
        for arguments in (["agent", "add", "helper"], ["agent", "give", "helper", "salesforce"]):
            equal(portcullis.run(*arguments)[0], 0)

    with checks.check("a call without a connection says so"):
        code, value = portcullis.call("query", {"soql": "SELECT COUNT() FROM Account"})
        equal((code, value["outcome"]), (1, "connect_required"))

    with checks.check("a person signs in on the org's pages"):
        code, value = portcullis.connect(signs_in(browser, administrator))
        equal((code, value.get("user")), (0, administrator["username"]))
        assert "close this page" in browser.text, browser.text
        code, value = portcullis.call("query", {"soql": "SELECT COUNT() FROM Account"})
        equal((code, value["outcome"]), (0, "done"))

    with checks.check("the connection is listed, works, and shows no secret"):
        code, connections = portcullis.run("connections", "list")
        equal((code, len(connections)), (0, 1))
        equal(portcullis.on_accounts("connections", "test", connections[0]["id"])[1]["works"], True)
        shown = json.dumps(portcullis.run("connections", "show", connections[0]["id"]))
        files = b"".join(path.read_bytes() for path in Path(folder).iterdir() if path.is_file())
        for secret in (administrator["password"], ORG["client_secret"]):
            assert secret not in shown and secret.encode() not in files, "a secret is shown or in the files"

    with checks.check("calls of several processes renew an ended session once"):
        # The org takes a refresh token once, and ends everything where it comes twice.
        for _ in range(2):
            expire = urllib.request.Request(f"{ORG['admin_url']}/sessions/expire", b"{}", {"content-type": "application/json"})
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(expire).close()
            count = {"soql": "SELECT COUNT() FROM Account"}
            with ThreadPoolExecutor(PROCESSES) as pool:
                ended = list(pool.map(lambda _: portcullis.call("query", count), range(PROCESSES)))
            equal([value["outcome"] for _, value in ended], ["done"] * PROCESSES)

    with checks.check("who is refused on the page is told what that means"):
        # Somebody who has not been asked before.
        code, value = portcullis.connect(signs_in(browser, ORG["users"][2], "deny"))
        equal(code, 1)
        assert "access_denied" in value["message"], value
        # What was there before is as it was.
        equal(portcullis.call("query", {"soql": "SELECT COUNT() FROM Account"})[0], 0)

    with checks.check("a connection is ended here and at the org"):
        connection = portcullis.run("connections", "list")[1][0]["id"]
        code, value = portcullis.on_accounts("connections", "disconnect", connection)
        equal((code, value["ended"]["revoked"]), (0, True))
        code, value = portcullis.call("query", {"soql": "SELECT COUNT() FROM Account"})
        equal((code, value["outcome"]), (1, "connect_required"))

checks.end()
