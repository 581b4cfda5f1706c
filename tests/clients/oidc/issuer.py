"""An OpenID Connect server that others wrote, as the issuer of the tokens by which clients call: the official TypeScript SDK finds it, its
person signs in there, in a real browser, and its token is that person's."""

import tempfile
from pathlib import Path

from checks import ORG, Checks, equal
from chromium import Browser
from driven import Portcullis, sign_in
from processes import end
from started import line, started

HERE = Path(__file__).resolve().parent
WHO = "ada@example.com"
checks = Checks("oidc-provider as an issuer")

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
                browser.wait("the page to sign in", lambda: browser.has("input[name=login]"))
                browser.fill("input[name=login]", WHO)
                browser.fill("input[name=password]", "anything")
                browser.click("button[type=submit]")
                browser.wait("the page that asks", lambda: not browser.has("input[name=login]"))
                if "/callback" not in browser.url:
                    browser.click("button[type=submit]")
                equal(line(child), {"answer": "count: 60", "is_error": False})
            with checks.check("another agent takes it for nobody's"):
                equal(line(child), {"other_refused": True})
        finally:
            end(child)
            end(server)
finally:
    end(provider)
checks.end()
