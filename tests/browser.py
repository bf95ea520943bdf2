"""A real server and a real Chromium for tests/test_browser.py."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from playwright.sync_api import sync_playwright

APP = Path(__file__).parent.parent / "app.py"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL = {"127.0.0.1", "localhost"}
SLOW = 60_000
"""Milliseconds: a machine of two cores that does something else meanwhile."""


@contextlib.contextmanager
def serving(home, *arguments, **environ):
    """Start the app on a free port, not yet ready; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(APP), *map(str, arguments), "--port", str(port)]
    log = home / f"server-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environ, "VERBATIM_HOME": str(home)}, stdout=output, stderr=output
        )
    try:
        yield f"http://127.0.0.1:{port}", process, log
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def serving_here(app):
    """Serve an app on a free port from a thread of this process; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def wait_for(address, process, log, seconds=180):
    """Wait until the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=5):
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


@contextlib.contextmanager
def chromium():
    """Start the browser."""
    if not shutil.which(CHROMIUM):
        raise AssertionError(f"{CHROMIUM} is missing: install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Watched:
    """A page of a browser of its own, and everything that went wrong on it."""

    def __init__(self, browser, address, **options):
        self.address = address
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.context.set_default_timeout(SLOW)
        # What hostile documents try to call, there before any of them is shown.
        self.context.add_init_script("window.pwned = []; window.pwn = (by) => window.pwned.push(by);")
        self.page = self.context.new_page()
        self.left, self.errors = [], []
        self.context.on("request", self._request)
        self.page.on("websocket", lambda websocket: self._address(websocket.url))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.open("/")

    def open(self, path):
        """Load a page of the server."""
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_selector("body.ready")

    def _request(self, request):
        self._address(request.url)

    def _address(self, url):
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname not in LOCAL:
            self.left.append(url)

    def _console(self, message):
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def ask(self, question):
        """Ask, and return the turn with the answer."""
        count = self.page.locator("#turns > .turn").count()
        self.page.fill("#question", question)
        self.page.keyboard.press("Enter")
        return self.turn(count + 1)

    def turn(self, number):
        """Return a turn, counted from 1, once it is complete."""
        turn = self.page.locator(f"#t-{number}")
        turn.wait_for()
        return turn

    def upload(self, *files):
        """Send files by the button, and wait until the last is through; return their lines."""
        lines = self.page.locator("#uploads li")
        count = lines.count()
        self.page.set_input_files("#files", list(files))
        for number in range(count, count + len(files)):
            line = lines.nth(number)
            line.wait_for()
            line.locator("progress").wait_for(state="detached")
        return lines

    def close(self):
        """Close, and fail for anything that went wrong."""
        self.context.close()
        assert not self.left, self.left
        assert not self.errors, self.errors
