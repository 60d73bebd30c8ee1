"""A real Chromium on the real page: `page` opens nothing by itself, `server` is where to go.

    def test_something(page, server):
        page.goto(server)
        page.get_by_role("button", name="Learn").click()

A test fails at its end when its page wrote an error to the console or asked for anything beyond
127.0.0.1. One that provokes an error takes the fixture `watch` and empties `watch.errors`.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from kernel_demo.ui import theme
from kernel_demo.ui.components import stage
from tests.browser import stage_values

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
VISITOR = {"viewport": {"width": 1280, "height": 1250}, "reduced_motion": "reduce"}
START_SECONDS = 120  # two busy cores import torch and gradio in 20
PATIENCE = 60_000  # milliseconds that a locator waits before the test fails
expect.set_options(timeout=PATIENCE)
LOCAL = ("http://127.0.0.1:", "https://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")
# Nothing listens on the discard port, so every call to the Hub is refused at once.
DEAD = "http://127.0.0.1:9"

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera that shows a moving dial, and a visitor who allows it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # A page that does reach out gets no answer either, and `watch` has the request.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]

# As gradio runs a component's script; pixels() is what its canvases show, `triggered` what it told.
RUN = """([script, first, more]) => {
  const element = document.getElementById('part');
  const props = { value: first, ...more };
  let told = () => {};
  window.triggered = [];
  const trigger = (name, data) => window.triggered.push([name, data]);
  Function('element', 'props', 'watch', 'trigger', script)(
    element, props, (name, call) => { told = call; }, trigger);
  window.show = (value) => {
    props.value = value;
    told();
    return new Promise((done) => requestAnimationFrame(() => setTimeout(done, 400)));
  };
  window.pixels = () => [...element.querySelectorAll('canvas')].map((c) => c.toDataURL());
  return document.fonts.ready.then(() => window.show(first));
}"""


def pytest_collection_modifyitems(items):
    """The browser comes last: the quick tests speak first, and its event loop keeps others out.
    Its tests are slow but for the few that are marked `glance`."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")
            if not item.get_closest_marker("glance"):
                item.add_marker("slow")
    items.sort(key=lambda item: here in item.path.parents)


@dataclass
class Watch:
    """What the pages of one test did that they should not."""

    errors: list[str] = field(default_factory=list)  # console errors and uncaught exceptions
    outside: list[str] = field(default_factory=list)  # addresses beyond 127.0.0.1
    left: list[Page] = field(default_factory=list)  # whose errors count no more

    def follow(self, page: Page) -> None:
        page.on("console", lambda message: self._console(page, message))
        page.on("pageerror", lambda error: self._error(page, str(error)))
        page.on("request", lambda request: self._address(request.url))
        page.on("websocket", lambda socket: self._address(socket.url))

    def leave(self, page: Page) -> None:
        """Expect errors of this page from now on.

        Gradio's client takes the end of a stream that a leaving page cuts off for an error, and
        stumbles over the updates that were still waiting to be applied.
        """
        self.left.append(page)

    def _console(self, page: Page, message) -> None:
        if message.type == "error":
            self._error(page, f"{message.text} ({message.location.get('url', '')})")

    def _error(self, page: Page, text: str) -> None:
        if page not in self.left:
            self.errors.append(text)

    def _address(self, url: str) -> None:
        if not url.startswith(LOCAL):
            self.outside.append(url)


def executable() -> str | None:
    """The Chromium to drive: $CHROMIUM, else the machine's, else None for Playwright's own."""
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name)
    return next((path for path in found if path), None)


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; each test has contexts of its own."""
    with sync_playwright() as playwright:
        path = executable()
        if path is None and not Path(playwright.chromium.executable_path).exists():
            without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            without("no Chromium: `make test` gets one, or name it by CHROMIUM=/path/to/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The real page in a process of its own, cut off from the network; its base address."""
    with serve(ROOT / "app.py", tmp_path_factory.mktemp("server")) as address:
        yield address


@contextlib.contextmanager
def serve(script: Path, folder: Path):
    """Run `python script --port FREE` until the block ends; yields its address."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    environment = os.environ | {
        "GRADIO_IS_E2E_TEST": "1",  # a closed tab counts as gone after 1 s
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "HF_ENDPOINT": DEAD,
        "HF_HOME": str(folder / "hub"),  # no picture from an earlier run's cache
        "PYTHONUNBUFFERED": "1",
    }
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(script), "--port", str(port)],
            cwd=script.parent,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(address, process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    """Return when the page answers; fail with its log when it ends or takes too long."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), opener.open(address, timeout=5):
            return
        time.sleep(0.1)
    state = "is silent" if process.poll() is None else f"ended with {process.returncode}"
    pytest.fail(f"the page {state}:\n{log.read_text(errors='replace')[-4000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def watch():
    """What this test's pages did that they should not; looked at when the test is over."""
    watch = Watch()
    yield watch
    assert watch.outside == [], "requests beyond 127.0.0.1"
    assert watch.errors == [], "errors in the browser's console"


@pytest.fixture
def new_page(chromium: Browser, watch: Watch):
    """Makes pages in fresh contexts, watched: new_page(viewport=..., color_scheme="dark", ...).

    Their visitors want little motion, so that runs are shown as fast as they come.
    """
    contexts = []

    def make(**options) -> Page:
        context = chromium.new_context(**(VISITOR | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch.follow(page)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page) -> Page:
    """One page of a fresh visitor."""
    return new_page()


@pytest.fixture
def alone(new_page):
    """A component by itself, without a server: alone(part, value, viewport=...) -> the page.

    part: a gr.HTML with a script; page.evaluate("(value) => show(value)", value) updates it.
    """

    def draw(part, value, **options) -> Page:
        page = new_page(**({"reduced_motion": "no-preference"} | options))
        css = theme.style()
        body = f"<div class='gradio-container'><div id='part'>{part.html_template}</div></div>"
        page.set_content(f"<!doctype html><style>{css}</style>{body}")
        page.evaluate(RUN, [part.js_on_load, value, part.props])
        return page

    return draw


@pytest.fixture
def on_stage(alone):
    """The stage by itself at a size: on_stage(width=1280, height=720, first=...) -> the page."""

    def open_stage(width=1280, height=720, first=None, **options):
        first = first or stage_values.idle(picture=stage_values.piece(stage_values.photo()))
        size = {"width": width, "height": height}
        return alone(
            stage.component("live", None), json.loads(json.dumps(first)), viewport=size, **options
        )

    return open_stage


def at_pace(page: Page, speed: str) -> None:
    """The speed that the visitor has chosen before."""
    page.add_init_script(f"localStorage.setItem('kd-speed', '{speed}')")


def after_drawing(page: Page) -> None:
    """Return when the page has drawn what it was just told, by a key or a pointer."""
    page.evaluate(
        """() => new Promise((done) => {
          requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
        })"""
    )


def stop_once_there(page, shown: str, button: str) -> None:
    """Press a button as soon as a selector is on the page, from inside it.

    From outside a busy browser is asked so slowly that what is to be stopped ends by itself.
    """
    page.evaluate(
        """([shown, button]) => new Promise((pressed) => {
          const look = () => {
            if (!document.querySelector(shown)) return setTimeout(look, 50);
            document.querySelector(button).click();
            pressed();
          };
          look();
        })""",
        [shown, button],
    )


def opened(page: Page, name: str):
    """Open the panel "pictures", "filter" or "method" of the tab Learn; returns it."""
    panel = page.locator(f"#panel-{name}")
    if not panel.is_visible():
        page.locator(f"#chip-{name}").click()
    expect(panel).to_be_visible()
    return panel
