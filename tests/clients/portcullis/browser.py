"""Portcullis itself: a person connects their account with a real browser, on the org's own pages, and an agent
works with it."""

import json
import re
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import ORG, Checks, equal
from chromium import Browser
from driven import PUBLIC_NAME, PUBLIC_URL, SECONDS_MAX, Portcullis, sign_in
from processes import end, within

# Calls at one time.
PROCESSES = 6
checks = Checks("portcullis")


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
