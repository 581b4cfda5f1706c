"""A real browser: Chromium without a window, driven by way of WebDriver (W3C) through ChromeDriver."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from processes import end, within

# A page that takes longer does not come.
PAGE_SECONDS_MAX = 60
# The member by which WebDriver names an element (WebDriver, "Elements").
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# How the driver says that an element is gone: by two errors of WebDriver's, and by what the browser told it, where it is none of those.
GONE = ["stale element", "no such element", "does not belong to the document"]
# Nothing leaves this machine, and no profile is left behind.
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NOWHERE_ELSE = "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"


def install() -> None:
    """Installs Debian's browser and its driver, where they are not there yet and that can be done."""
    if all(shutil.which(program) for program in ("chromium", "chromedriver")):
        return
    wanted = "Debian's packages `chromium` and `chromium-driver`"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise SystemExit(f"error: install {wanted}, or leave out the clients that need a browser")
    print(f"installing {wanted}", file=sys.stderr, flush=True)
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"]):
        ran = subprocess.run(["apt-get", "--quiet", "--option", "Acquire::Retries=3", *command], stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if ran.returncode != 0:
            raise SystemExit(f"error: `apt-get {' '.join(command)}` ended with {ran.returncode}")


class Browser:
    """A browser with a person before it. `hosts` says where on this machine the servers of some names are, by https; their
    certificates are not looked at."""

    def __init__(self, hosts: dict[str, str] | None = None):
        rules = [f"MAP {name}:443 {place}" for name, place in (hosts or {}).items()]
        self._arguments = [*ARGUMENTS, f"--host-resolver-rules={', '.join([*rules, NOWHERE_ELSE])}"]
        if hosts:
            self._arguments.append("--ignore-certificate-errors")

    def __enter__(self) -> "Browser":
        self._profile = tempfile.TemporaryDirectory(prefix="portcullis-chromium-")
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            port = None
            with within(self._driver, PAGE_SECONDS_MAX):
                while port is None and (line := self._driver.stdout.readline()):
                    port = re.search(r"started successfully on port (\d+)", line)
            if port is None:
                raise RuntimeError("chromedriver did not start")
            self._session = f"http://127.0.0.1:{port[1]}/session"
            options = {"binary": shutil.which("chromium"), "args": [*self._arguments, f"--user-data-dir={self._profile.name}"]}
            wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
            self._session += "/" + self._send("POST", "", {"capabilities": wanted})["sessionId"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        end(self._driver)
        self._profile.cleanup()

    def go(self, url: str) -> None:
        """Opens an address."""
        self._send("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._send("GET", "/url")

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        return self._send("GET", f"/element/{self._element('body')}/text")

    def fill(self, selector: str, text: str) -> None:
        """Writes into a field."""
        element = self._element(selector)
        self._send("POST", f"/element/{element}/clear", {})
        self._send("POST", f"/element/{element}/value", {"text": text})

    def click(self, selector: str) -> None:
        """Clicks something."""
        self._send("POST", f"/element/{self._element(selector)}/click", {})

    def follow(self, selector: str) -> None:
        """Goes where a link leads, in this tab, whichever tab it names."""
        self.go(self._send("GET", f"/element/{self._element(selector)}/property/href"))

    def has(self, selector: str) -> bool:
        """Says whether something is on the page."""
        return bool(self._send("POST", "/elements", {"using": "css selector", "value": selector}))

    def wait(self, what: str, until) -> None:
        """Waits until something holds."""
        ends = time.monotonic() + PAGE_SECONDS_MAX

        def holds() -> bool:
            try:
                return until()
            except RuntimeError as error:
                # The page went while it was looked at, or the next one has no body yet.
                if any(gone in str(error) for gone in GONE):
                    return False
                raise

        while not holds():
            if time.monotonic() > ends:
                raise RuntimeError(f"waited for {what}; the page is {self.url}:\n{self.text}")
            time.sleep(0.05)

    def screenshot(self, path: Path) -> None:
        """Keeps a picture of the page."""
        path.write_bytes(base64.b64decode(self._send("GET", "/screenshot")))

    def _element(self, selector: str) -> str:
        found = self._send("POST", "/element", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def _send(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._session + path, data, {"content-type": "application/json"}, method=method)
        # The driver is on this machine, whatever proxy there is.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PAGE_SECONDS_MAX) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            problem = json.load(error)["value"]
            raise RuntimeError(f"{method} {path}: {problem['error']}: {problem['message'].splitlines()[0]}") from None
