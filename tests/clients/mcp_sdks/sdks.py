"""The official SDKs of the Model Context Protocol as an agent's clients, over both transports, and a person with a real browser: connects
the account when it is first needed, and approves a change by its link, and one by a word in the chat. The client reads a record by its
address, takes a prompt, completes names, hears how far a call is, and gives one up."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from checks import ORG, Checks, equal
from chromium import Browser
from driven import SECONDS_MAX, Portcullis, sign_in
from processes import end, within

HERE = Path(__file__).resolve().parent
checks = Checks("mcp-sdks")
# Each SDK, with the ways in which it begins.
SDKS = {
    "typescript": (["node", str(HERE / "client.mjs")], ["initialize"]),
    "python": ([sys.executable, str(HERE / "client.py")], ["legacy", "auto"]),
}
ACCOUNT = "001DO0000000002YAA"


class Agent:
    """An SDK's client that runs."""

    def __init__(self, command: list[str], variables: dict[str, str]):
        self._child = subprocess.Popen(
            command,
            env=os.environ | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def says(self, wanted: str) -> dict:
        """Gives the next line, which has to have something."""
        with within(self._child, SECONDS_MAX):
            line = self._child.stdout.readline()
        assert line, "the client ended"
        value = json.loads(line)
        assert wanted in value, value
        return value

    def go_on(self) -> None:
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def ended(self) -> int:
        with within(self._child, SECONDS_MAX):
            return self._child.wait()

    def end(self) -> None:
        end(self._child)


def work(agent: Agent, browser: Browser, person: dict, site: str) -> None:
    """The agent asks, and its person does what the agent hands on."""
    tools = agent.says("tools")["tools"]
    assert {"query", "update_record", "check_approval"} <= set(tools), tools
    needed = agent.says("connect")["connect"]
    browser.go(re.search(r"http://localhost:\d+/connect/[\w-]+", needed)[0])
    browser.click("button")
    browser.wait("the page that leads to the org", lambda: browser.has("a[target=_blank]"))
    browser.follow("a[target=_blank]")
    sign_in(browser, person)
    assert person["username"] in browser.text, browser.text
    agent.go_on()
    answer = agent.says("answer")
    equal((answer["answer"], answer["structured"]["total_size"]), ("count: 60", 60))

    held = agent.says("approve")
    equal(held["is_error"], True)
    equal(agent.says("state")["state"], "waiting")
    browser.go(held["approve"])
    for word in ("Update Account", site, "helper"):
        assert word in browser.text, browser.text
    browser.click("button[value=approve]")
    browser.wait("what came of it", lambda: "Approved and done" in browser.text)
    # There is no second yes.
    browser.go(held["approve"])
    over = "It is decided", "This link has ended"  # Where people sign in, and on one's own machine.
    assert any(word in browser.text for word in over) and not browser.has("button[value=approve]"), browser.text
    agent.go_on()
    done = agent.says("done")
    equal(done["is_error"], False)


def offered(agent: Agent, portcullis: Portcullis, site: str) -> None:
    """The client takes what there is besides tools, and its person says yes in the chat."""
    shown = agent.says("read")
    assert site in shown["read"], shown
    assert "“Acme”" in shown["prompt"] and "`get_account_overview`" in shown["prompt"], shown
    equal((shown["completed"], shown["field"]), ("Account", ["Industry"]))
    equal(portcullis.run("agent", "trust-client", "helper")[0], 0)
    agent.go_on()
    changed = agent.says("changed")
    equal((changed["is_error"], len(changed["asked"])), (False, 1))
    assert "Update Account" in changed["asked"][0] and f"{site} by a word" in changed["asked"][0], changed


def given_up(agent: Agent, portcullis: Portcullis) -> None:
    """The client gives a call up while the org still works on it."""
    rule = {"fault": {"kind": "latency", "ms": 60_000}, "when": {"method": "GET", "path": "/services/data/*/query*"}}
    asked = urllib.request.Request(f"{ORG['admin_url']}/faults", json.dumps(rule).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(asked).close()
    try:
        agent.go_on()
        agent.says("slow")
        ended_as(portcullis, {"running"})
        agent.go_on()
        cancelled = agent.says("cancelled")
        equal((cancelled["cancelled"], cancelled["after"]), (True, False))
        call = ended_as(portcullis, {"failed"})
        equal(call["code"], "cancelled")
    finally:
        cleared = urllib.request.Request(f"{ORG['admin_url']}/faults", method="DELETE")
        urllib.request.urlopen(cleared).close()
    agent.go_on()
    equal(agent.ended(), 0)


def ended_as(portcullis: Portcullis, outcomes: set[str]) -> dict:
    """Waits until the last query has come to something, as the log has it."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        calls = portcullis.run("activity")[1]
        queries = [call for call in calls if call["tool"] == "query"]
        if queries and queries[-1]["outcome"] in outcomes:
            return queries[-1]
    raise AssertionError(f"the last query is none of {outcomes}: {queries[-1:]}")


def hears(command: list[str], mode: str, transport: str) -> None:
    """The client hears how far a call is, of a connector that says so."""
    variables = {"MODE": mode, "HEARS": "yes", "VARIABLES": "{}"}
    program = os.environ["CONFORMANCE_PROGRAM"]
    server, agent = None, None
    try:
        if transport == "stdio":
            agent = Agent([*command, "stdio", program, "--stdio"], variables)
        else:
            server = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
            with within(server, SECONDS_MAX):
                url = server.stdout.readline().strip()
            agent = Agent([*command, url], variables)
        heard = agent.says("heard")
        equal(heard["answer"], "It is done.")
        equal(heard["heard"], [[done, 100, "working"] for done in (0, 50, 100)])
        equal(agent.ended(), 0)
    finally:
        if agent:
            agent.end()
        if server:
            end(server)


def store(folder: Path) -> Portcullis:
    portcullis = Portcullis(folder)
    equal(portcullis.run("app", "set", "salesforce", "--client-id", ORG["client_id"], "--login", ORG["url"])[0], 0)
    for arguments in (["agent", "add", "helper"], ["agent", "give", "helper", "salesforce"]):
        equal(portcullis.run(*arguments)[0], 0)
    return portcullis


with Browser() as browser:
    administrator = ORG["users"][0]
    for sdk, (command, modes) in SDKS.items():
        for mode in modes:
            for transport in ("stdio", "http"):
                site = f"{sdk} {mode} {transport}"
                change = {"object": "Account", "id": ACCOUNT, "fields": {"Site": site}}
                variables = {"MODE": mode, "CHANGE": json.dumps(change)}
                with (
                    checks.check(f"the {sdk} SDK ({mode}) over {transport} connects, changes what is approved, reads, completes and gives up"),
                    tempfile.TemporaryDirectory(prefix="portcullis-store-") as folder,
                ):
                    portcullis = store(Path(folder))
                    server, agent = None, None
                    try:
                        if transport == "stdio":
                            started, handed_on = portcullis.command()
                            variables["VARIABLES"] = json.dumps(handed_on)
                            agent = Agent([*command, "stdio", *started], variables)
                        else:
                            variables["PORTCULLIS_TOKEN"] = portcullis.run("person", "token", "add", "ada")[1]["token"]
                            server, url = portcullis.serve_here()
                            agent = Agent([*command, url], variables)
                        work(agent, browser, administrator, site)
                        offered(agent, portcullis, site)
                        given_up(agent, portcullis)
                    finally:
                        if agent:
                            agent.end()
                        if server:
                            end(server)
                with checks.check(f"the {sdk} SDK ({mode}) over {transport} hears how far a call is"):
                    hears(command, mode, transport)

checks.end()
