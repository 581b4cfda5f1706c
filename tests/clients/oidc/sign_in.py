"""An OpenID Connect server that others wrote: a small connector's accounts sign in there, with a real browser."""

import os
import tempfile
from pathlib import Path

from checks import Checks, equal
from chromium import Browser
from processes import end
from started import line, started

HERE = Path(__file__).resolve().parent
checks = Checks("oidc-provider")

provider = started(["node", HERE / "provider.mjs"])
try:
    place = line(provider)
    with tempfile.TemporaryDirectory(prefix="portcullis-store-") as folder, Browser() as browser:
        child = started([os.environ["SIGN_IN_PROGRAM"], place["url"], place["client_id"], folder])
        try:
            with checks.check("a person signs in and is asked"):
                browser.go(line(child)["link"])
                browser.fill("input[name=login]", "ada@example.com")
                browser.fill("input[name=password]", "anything")
                browser.click("button[type=submit]")
                browser.wait("the page that asks", lambda: not browser.has("input[name=login]"))
                if "/callback" not in browser.url:
                    browser.click("button[type=submit]")
                browser.wait("the page at the end", lambda: "/callback" in browser.url)
                equal(line(child)["connected"], "ada@example.com")
            with checks.check("its tool is called"):
                equal(line(child), {"called": "ada@example.com"})
            with checks.check("its token is renewed, and works"):
                equal(line(child), {"renewed": True})
                equal(line(child), {"called": "ada@example.com"})
            with checks.check("the same person connects again, in the same session"):
                browser.go(line(child)["link"])
                ends = lambda: "/callback" in browser.url or browser.has("button[type=submit]")
                browser.wait("the page that asks, or the end", ends)
                if "/callback" not in browser.url:
                    browser.click("button[type=submit]")
                equal(line(child)["connected"], "ada@example.com")
                equal(line(child), {"in_place": True})
            with checks.check("what was revoked of the first sign-in took nothing from the second"):
                equal(line(child), {"called": "ada@example.com"})
                equal(line(child), {"renewed": True})
                equal(line(child), {"called": "ada@example.com"})
            with checks.check("it is revoked"):
                equal(line(child), {"revoked": True})
                equal(line(child), {"swept": True, "left": 0})
        finally:
            end(child)
finally:
    end(provider)
checks.end()
