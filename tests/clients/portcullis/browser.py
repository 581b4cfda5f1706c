"""Portcullis itself: a person connects their account with a real browser, on the org's own pages, and an agent
works with it."""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import ORG, Checks, equal
from chromium import Browser
from processes import end, within

HERE = Path(__file__).resolve().parents[1]
PROGRAM = os.environ["PORTCULLIS_PROGRAM"]
# A command that takes longer does not end.
SECONDS_MAX = 120
# Calls at one time.
PROCESSES = 6
# How people's browsers reach the pages of a server.
PUBLIC_NAME = "portcullis.acme.example"
PUBLIC_URL = f"https://{PUBLIC_NAME}"
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

    def serve(self, *arguments: str):
        """Starts the program as an MCP client does."""
        command = ["serve", "--stdio", "--agent", "helper", *arguments, *self._network]
        return self._start(command, subprocess.PIPE)

    def serve_pages(self, folder: Path):
        """Starts the program as a server of the pages, with TLS of its own; gives it and its address."""
        key, certificate = folder / "server.key.pem", folder / "server.pem"
        subprocess.run([sys.executable, HERE / "certificate.py", key, certificate], check=True)
        listen = ["serve", "--listen", "127.0.0.1:0", "--public-url", PUBLIC_URL]
        child = self._start([*listen, "--tls-cert", str(certificate), "--tls-key", str(key), *self._network])
        with within(child, SECONDS_MAX):
            for line in child.stderr:
                address = re.search(r" is served at (\S+);", line)
                if address:
                    return child, address[1]
        raise RuntimeError("the server ended")

    def _start(self, arguments, stdin=subprocess.DEVNULL):
        return subprocess.Popen(
            [PROGRAM, *arguments],
            env=self._variables,
            stdin=stdin,
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


class Client:
    """An MCP client on the program's standard input and output."""

    def __init__(self, portcullis: Portcullis, *arguments: str):
        self._child = portcullis.serve(*arguments)
        self._number = 0
        version, me = "2025-06-18", {"name": "browser-test", "version": "1"}
        self._ask("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": me})
        self._send({"method": "notifications/initialized"})

    def call(self, tool: str, arguments: dict) -> dict:
        return self._ask("tools/call", {"name": tool, "arguments": arguments})

    def end(self) -> None:
        end(self._child)

    def _ask(self, method: str, params: dict) -> dict:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        with within(self._child, SECONDS_MAX):
            for line in self._child.stdout:
                message = json.loads(line)
                if message.get("id") == self._number:
                    return message["result"]
        raise RuntimeError("the program ended")

    def _send(self, message: dict) -> None:
        self._child.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._child.stdin.flush()


def sign_in(browser: Browser, person: dict, button: str = "allow") -> None:
    """Signs in on the org's page, and decides on the one that asks; who has been asked before is not asked again."""
    browser.wait("the page to sign in", lambda: browser.has("input[name=username]"))
    browser.fill("input[name=username]", person["username"])
    browser.fill("input[name=password]", person["password"])
    browser.click("button")
    decide = f"button[value={button}]"
    browser.wait("the next page", lambda: "/callback" in browser.url or browser.has(decide))
    if "/callback" not in browser.url:
        browser.click(decide)
    browser.wait("the page at the end", lambda: "/callback" in browser.url)


def signs_in(browser: Browser, person: dict, button: str = "allow"):
    """Gives what a person does with a link."""

    def browse(link: str) -> None:
        browser.go(link)
        sign_in(browser, person, button)

    return browse


with tempfile.TemporaryDirectory(prefix="portcullis-store-") as folder, Browser() as browser:
    portcullis = Portcullis(Path(folder))
    administrator = ORG["users"][0]

    with checks.check("an app and an agent are set up"):
        code, _ = portcullis.run("app", "set", "salesforce", "--client-id", ORG["client_id"], "--login", ORG["url"])
        equal(code, 0)
        for arguments in (["agent", "add", "helper"], ["agent", "give", "helper", "salesforce"]):
            equal(portcullis.run(*arguments)[0], 0)

    with checks.check("a call without a connection says so"):
        code, value = portcullis.call("query", {"soql": "SELECT COUNT() FROM Account"})
        equal((code, value["outcome"]), (1, "connect_required"))

    with checks.check("a person signs in on the org's pages"):
        code, value = portcullis.connect(signs_in(browser, administrator))
        equal((code, value.get("user")), (0, administrator["username"]))
        browser.wait("what came of it", lambda: "You are connected" in browser.text)
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
        browser.wait("what came of it", lambda: "Not connected" in browser.text)
        # What was there before is as it was.
        equal(portcullis.call("query", {"soql": "SELECT COUNT() FROM Account"})[0], 0)

    with checks.check("a connection is ended here and at the org"):
        connection = portcullis.run("connections", "list")[1][0]["id"]
        code, value = portcullis.on_accounts("connections", "disconnect", connection)
        equal((code, value["ended"]["revoked"]), (0, True))
        code, value = portcullis.call("query", {"soql": "SELECT COUNT() FROM Account"})
        equal((code, value["outcome"]), (1, "connect_required"))

    with checks.check("an agent that needs an account is given a link, and works after the sign-in"):
        client = Client(portcullis, "--connect-port", "0")
        try:
            count = {"soql": "SELECT COUNT() FROM Account"}
            needed = client.call("query", count)
            assert needed["isError"], needed
            link = re.search(r"http://localhost:\d+/connect/[\w-]+", json.dumps(needed))[0]
            browser.go(link)
            # A look uses nothing up, and says who gains access to what.
            assert "helper" in browser.text and "ada" in browser.text, browser.text
            browser.click("button")
            browser.wait("the page that leads to the org", lambda: browser.has("a[target=_blank]"))
            browser.follow("a[target=_blank]")
            sign_in(browser, administrator)
            assert administrator["username"] in browser.text, browser.text
            answer = client.call("query", count)
            assert not answer.get("isError"), answer
            # The link was good for one time.
            browser.go(link)
            assert not browser.has("form"), browser.text
        finally:
            client.end()

    with checks.check("on a server, a person signs in by a token, is led to the org and back, and the call works"):
        connection = portcullis.run("connections", "list")[1][0]["id"]
        equal(portcullis.on_accounts("connections", "disconnect", connection)[0], 0)
        token = portcullis.run("person", "token", "add", "ada")[1]["token"]
        server, address = portcullis.serve_pages(Path(folder))
        client = Client(portcullis, "--public-url", PUBLIC_URL)
        try:
            needed = client.call("query", count)
            link = re.search(rf"{PUBLIC_URL}/connect/[\w-]+", json.dumps(needed))[0]
            with Browser({PUBLIC_NAME: address}) as elsewhere:
                elsewhere.go(link)
                elsewhere.wait("the page to sign in here", lambda: elsewhere.has("input[name=secret]"))
                # A token that is nobody's says so, and is asked for again.
                elsewhere.fill("input[name=secret]", "pct_" + "A" * 43)
                elsewhere.click("button")
                elsewhere.wait("the page that says so", lambda: "nobody" in elsewhere.text)
                elsewhere.fill("input[name=secret]", token)
                elsewhere.click("button")
                elsewhere.wait("the page of the link", lambda: elsewhere.url == link)
                assert "helper" in elsewhere.text and "ada" in elsewhere.text, elsewhere.text
                elsewhere.click("button")
                elsewhere.wait("the page that leads to the org", lambda: elsewhere.has("a[target=_blank]"))
                elsewhere.follow("a[target=_blank]")
                sign_in(elsewhere, administrator)
                assert administrator["username"] in elsewhere.text, elsewhere.text
                answer = client.call("query", count)
                assert not answer.get("isError"), answer
                # The way out.
                elsewhere.go(f"{PUBLIC_URL}/sign-in")
                assert "You are signed in here as ada" in elsewhere.text, elsewhere.text
                elsewhere.click("button")
                elsewhere.wait("the page to sign in here", lambda: elsewhere.has("input[name=secret]"))
        finally:
            client.end()
            end(server)

checks.end()
