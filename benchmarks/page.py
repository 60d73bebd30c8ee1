"""The page as a visitor meets it: how soon it is there, and how lively it is while it learns."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

TITLE = "The page in Chromium"
NEEDS = ("gradio", "playwright")

ROOT = Path(__file__).parents[1]
STARTS = 3  # the median of so many
RUNS = 5
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
# Counts the drawn updates (the stage's data-step or data-done changes) and when they came.
RECORD = """
() => {
  const stage = document.querySelector('#live [data-step]');
  window.seen = [];
  const note = () => window.seen.push([performance.now(), stage.dataset.kind]);
  new MutationObserver(note).observe(stage, {attributes: true, attributeFilter: ['data-step']});
  // On the document: the button is made anew whenever it has been hidden.
  document.addEventListener('click', (event) => {
    if (event.target.closest('#learn')) { window.seen = []; window.clicked = performance.now(); }
  }, {capture: true});
}
"""


def run(report) -> None:
    """Start the page several times; learn on the last one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        starts = [_start_once(browser) for _ in range(STARTS)]
        report.row(
            "seconds from `python app.py` to the first paint",
            asked="<= 10",
            got=f"{statistics.median(starts):.1f}",
            met=statistics.median(starts) <= 10,
        )
        with _Server() as address:
            page = browser.new_page()
            page.goto(address)
            page.wait_for_selector("#live canvas")
            page.evaluate(RECORD)
            _learning(report, page)
        browser.close()


def _learning(report, page: Page) -> None:
    _learn(page)  # warm: the first run also loads what is loaded once
    firsts = [_learn(page)[0] for _ in range(RUNS)]
    report.row(
        "seconds from the click on Learn to the first update (warm)",
        asked="<= 0.5",
        got=f"{statistics.median(firsts):.2f}",
        met=statistics.median(firsts) <= 0.5,
    )
    page.locator("#kernel input").click()
    page.get_by_role("option", name="Random", exact=True).click()
    page.locator("#size input").click()
    page.get_by_role("option", name="15 × 15", exact=True).click()
    page.locator("#method input").click()
    page.get_by_role("option", name="Adam", exact=True).click()
    _, times = _learn(page)
    rate = (len(times) - 1) / (times[-1] - times[0])
    report.row(
        "updates a second, random 15 x 15 by Adam", asked=">= 8", got=f"{rate:.1f}", met=rate >= 8
    )


def _learn(page: Page) -> tuple[float, list[float]]:
    """Seconds to the first update after the click, and when each update came."""
    page.wait_for_selector("#learn", state="visible")
    page.locator("#learn").click()
    page.wait_for_function("window.seen.length > 1")
    page.wait_for_selector('#live [data-done="true"]', timeout=300_000)
    seen, clicked = page.evaluate("[window.seen, window.clicked]")
    times = [(at - clicked) / 1000 for at, kind in seen if kind == "frame"]
    page.wait_for_timeout(1500)  # the result is drawn
    return times[0], times


def _start_once(browser) -> float:
    began = time.monotonic()
    with _Server() as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("#live canvas")
        page.wait_for_selector("#learn")
        seconds = time.monotonic() - began
        page.close()
    return seconds


class _Server:
    """The page in a process of its own, cut off from the Hub."""

    def __enter__(self) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory()
        environment = os.environ | {"GRADIO_TEMP_DIR": self.folder.name, "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(address, timeout=5).close()
            except (urllib.error.URLError, OSError):  # noqa: PERF203 - it waits anyway
                time.sleep(0.05)
            else:
                return address
        raise RuntimeError("the page did not start")

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()
