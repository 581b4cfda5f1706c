"""Portcullis as a program on a store of its own, and what a person does with a browser: shared by the scripts that drive it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from checks import ORG
from chromium import Browser
from processes import end, within

HERE = Path(__file__).resolve().parent
PROGRAM = os.environ["PORTCULLIS_PROGRAM"]
# A command that takes longer does not end.
SECONDS_MAX = 120
# What a client that starts the program hands on.
KEPT = ("PATH", "HOME", "LANG", "PORTCULLIS_DATA_DIR", "USER")
# How people's browsers reach the pages of a server.
PUBLIC_NAME = "portcullis.acme.example"
PUBLIC_URL = f"https://{PUBLIC_NAME}"


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

    def serve_pages(self, folder: Path, *arguments: str):
        """Starts the program as a server of the pages, with TLS of its own; gives it and its address."""
        key, certificate = folder / "server.key.pem", folder / "server.pem"
        subprocess.run([sys.executable, HERE / "certificate.py", key, certificate], check=True)
        listen = ["serve", "--listen", "127.0.0.1:0", "--public-url", PUBLIC_URL]
        tls = ["--tls-cert", str(certificate), "--tls-key", str(key)]
        child = self._start([*listen, *tls, *arguments, *self._network])
        with within(child, SECONDS_MAX):
            for line in child.stderr:
                address = re.search(r" is served at (\S+);", line)
                if address:
                    return child, address[1]
        raise RuntimeError("the server ended")

    def serve_here(self, *arguments: str):
        """Starts the program as a server of MCP on this machine; gives it and the address of the agent's tools."""
        child = self._start(["serve", "--listen", "127.0.0.1:0", *arguments, *self._network])
        with within(child, SECONDS_MAX):
            for line in child.stderr:
                address = re.search(r" is served at (\S+);", line)
                if address:
                    return child, f"http://{address[1]}/mcp/helper"
        raise RuntimeError("the server ended")

    def command(self, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """Gives the command by which a client starts the program, and its variables."""
        command = [PROGRAM, "serve", "--stdio", "--agent", "helper", *arguments, *self._network]
        return command, {name: value for name, value in self._variables.items() if name in KEPT}

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
