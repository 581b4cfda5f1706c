"""An OpenID Connect server that others wrote, as the issuer of the tokens by which clients call: the official TypeScript SDK finds it, its
person signs in there, in a real browser, and its token is that person's. To the pages of a server the person signs in there, too."""

import os
import tempfile
from pathlib import Path

from checks import ORG, Checks, equal
from chromium import Browser
from driven import PUBLIC_NAME, PUBLIC_URL, Portcullis, sign_in
from processes import end
from started import line, started

HERE = Path(__file__).resolve().parent
WHO = "ada@example.com"
SECRET = "let-me&in+the:pages"
checks = Checks("oidc-provider as an issuer")


def vouch(browser: Browser, who: str) -> None:
    """Signs in at the issuer, and agrees where it asks."""
    browser.wait("the page to sign in", lambda: browser.has("input[name=login]"))
    browser.fill("input[name=login]", who)
    browser.fill("input[name=password]", "anything")
    browser.click("button[type=submit]")
    browser.wait("the page that asks", lambda: not browser.has("input[name=login]"))
    if "/callback" not in browser.url and PUBLIC_URL not in browser.url:
        browser.click("button[type=submit]")


def at_the_pages(address: str, who: str, expected: str) -> None:
    """Signs in to the pages by way of the issuer, in a browser of its own."""
    with Browser({PUBLIC_NAME: address}) as elsewhere:
        elsewhere.go(f"{PUBLIC_URL}/approvals")
        elsewhere.wait("the page to sign in here", lambda: elsewhere.has("input[name=secret]"))
        elsewhere.click("form[action='/sign-in/issuer'] button")
        vouch(elsewhere, who)
        elsewhere.wait("what came of it", lambda: expected in elsewhere.text)


# The provider takes it from there, and the server by the variable of its own.
os.environ |= {"PAGES_SECRET": SECRET, "PORTCULLIS_ISSUER_CLIENT_SECRET": SECRET}
provider = started(["node", HERE / "provider.mjs"])
try:
    issuer = line(provider)["url"]
    with tempfile.TemporaryDirectory(prefix="portcullis-store-") as folder, Browser() as browser:
        portcullis = Portcullis(Path(folder))
        with checks.check("a person is who the issuer says"):
            app = ["app", "set", "salesforce", "--client-id", ORG["client_id"], "--login", ORG["url"]]
            for arguments in (
                app,
                ["agent", "add", "helper"],
                ["agent", "give", "helper", "salesforce"],
                ["agent", "add", "other"],
            ):
                equal(portcullis.run(*arguments)[0], 0)
            browse = lambda link: (browser.go(link), sign_in(browser, ORG["users"][0]))
            equal(portcullis.connect(browse)[0], 0)
            code, said = portcullis.run("person", "subject", "add", "ada", WHO, "--issuer", issuer)
            equal((code, said["changed"]), (0, True))
        host = issuer.removeprefix("http://")
        server, at = portcullis.serve_here("--issuer", issuer, "--allow-origin", host)
        child = started(["node", HERE / "client.mjs", at])
        try:
            with checks.check("the client finds the issuer, and asks for a token for this address"):
                asked = line(child)
                assert asked["link"].startswith(issuer), asked
                equal(asked["resource"], at)
            with checks.check("its person signs in, and its token is theirs"):
                browser.go(asked["link"])
                vouch(browser, WHO)
                equal(line(child), {"answer": "count: 60", "is_error": False})
            with checks.check("another agent takes it for nobody's"):
                equal(line(child), {"other_refused": True})
        finally:
            end(child)
            end(server)
        believes = ["--issuer", issuer, "--allow-origin", host, "--issuer-client-id", "portcullis-pages"]
        server, address = portcullis.serve_pages(Path(folder), *believes)
        try:
            with checks.check("a person signs in to the pages at the issuer, and is led back"):
                at_the_pages(address, WHO, "Nothing waits for you")
            with checks.check("who is nobody here is told so"):
                at_the_pages(address, "eve@example.com", "Nobody knows you here yet")
        finally:
            end(server)
finally:
    end(provider)
checks.end()
