"""What a visit to the page brings over the line, and how soon it is of use; on a phone, too."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright

from benchmarks.machines import PROXY, Machines
from benchmarks.page import CHROMIUM, Server

TITLE = "A visit to the page"
NEEDS = ("gradio", "playwright")

STARTS = VISITS = 3  # the median of so many
QUIET = 2500  # milliseconds without an answer, after which none is expected
LAPTOP = {"viewport": {"width": 1366, "height": 768}}
PHONE = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True,
    "has_touch": True,
}  # fmt: skip
# "Slow 4G" of Chromium's DevTools: 1.44 Mbit/s down, 0.675 up, 562.5 ms more for each request.
SLOW_4G = {
    "offline": False, "latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375,
}  # fmt: skip
SLOWER = 4  # times, its processor
# The page at commit 0f85fb4, before it was made light, measured by this very module's means on two
# cores of an Intel Xeon.
BEFORE = {
    "html": "2,735,843", "first": "3,609,425 in 93 requests", "second": "3,176,096",
    "fonts": "148,846",
}  # fmt: skip
SETTLES = 5000  # ms for what comes after a page is there: answers of events, pictures
FOLLOWS = 15_000  # ms for what comes after a run
READY = "document.querySelector('#learn') && !document.querySelector('#learn').disabled"
ANSWERS = "document.querySelector('#live .kd-live').dataset.state !== 'before'"
STEPS = "Number(document.querySelector('#live .kd-live').dataset.step) > 0"
# The page itself says when the run is over: a machine that is busy sees it up to a second late, and
# by then the result is there.
TELL_END = """
() => {
  const stage = document.querySelector('#live .kd-live');
  const tell = () => stage.dataset.done === 'true' && window.runEnded('');
  new MutationObserver(tell).observe(stage, {attributes: true, attributeFilter: ['data-done']});
}
"""


def run(report) -> None:
    """Weigh a visit and a run; then start the page anew, and see how soon it is there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with Server() as address:
            _html(report, address)
            _visits(report, browser, address)
            _stream(report, browser.new_context(**LAPTOP), address)
            _phones(report, browser, address, "as it serves itself")
        if PROXY:
            _phones_behind_a_proxy(report, browser)
        _starts(report, browser)
        browser.close()


def _html(report, address: str) -> None:
    size = len(urllib.request.urlopen(address).read())
    report.row(
        "bytes of the page's HTML, not compressed", "<= 200,000", f"{size:,}", BEFORE["html"],
        size <= 200_000,
    )  # fmt: skip


def _visits(report, browser, address: str) -> None:
    """By visitors who come when others have been there: files are compressed well by then."""
    with browser.new_context(**LAPTOP) as before:
        _visit(before, address)
    time.sleep(10)
    with browser.new_context(**LAPTOP) as context:
        first, second = (_visit(context, address) for _ in range(2))
    for name, visit, most in (("first", first, 450_000), ("second", second, 60_000)):
        count = sum(number for number, _ in visit.values())
        total = sum(size for _, size in visit.values())
        report.row(
            f"bytes on the wire, {name} visit", f"<= {most:,}", f"{total:,} in {count} requests",
            BEFORE[name], total <= most,
        )  # fmt: skip
    kinds = ", ".join(f"{kind.lower()} {size:,} in {number}" for kind, (number, size) in
                      sorted(first.items(), key=lambda item: -item[1][1]))  # fmt: skip
    report.note(f"Of the first visit: {kinds}. Headers count.")
    fonts = first["Font"][1]
    report.row("of these, fonts", "<= 50,000", f"{fonts:,}", BEFORE["fonts"], fonts <= 50_000)


def _visit(context: BrowserContext, address: str) -> dict[str, tuple[int, int]]:
    """How many answers of each kind came, and their bytes on the wire."""
    page = context.new_page()
    kinds, sizes = _listening(context.new_cdp_session(page))
    page.goto(address)
    page.wait_for_selector("#live canvas")
    page.wait_for_function(READY)
    _quiet(page, sizes)  # what comes after: answers of events, pictures
    page.close()
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for request, size in sizes.items():
        if kind := kinds.get(request):
            number, total = found[kind]
            found[kind] = number + 1, total + size
    return found


def _listening(devtools: CDPSession) -> tuple[dict[str, str], dict[str, int]]:
    """By request: the kind of what came from the network, and its bytes."""
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = defaultdict(int)
    streams: set[str] = set()

    def answered(told: dict) -> None:
        request, response = told["requestId"], told["response"]
        if response["url"].startswith("http"):
            kinds[request] = told["type"]
        if response["mimeType"] == "text/event-stream":
            streams.add(request)

    def came(told: dict) -> None:
        # Of a stream that the page ends Chromium never tells all encoded bytes. None is compressed.
        request = told["requestId"]
        sizes[request] += told["dataLength" if request in streams else "encodedDataLength"]

    def finished(told: dict) -> None:
        sizes[told["requestId"]] = told["encodedDataLength"]

    devtools.send("Network.enable")
    devtools.on("Network.responseReceived", answered)
    devtools.on("Network.dataReceived", came)
    devtools.on("Network.loadingFinished", finished)
    return kinds, sizes


def _quiet(page: Page, sizes: dict[str, int]) -> None:
    """Return when nothing has come for some seconds."""
    for _ in range(10):
        before = dict(sizes)
        page.wait_for_timeout(QUIET)
        if sizes == before:
            return


def _stream(report, context: BrowserContext, address: str) -> None:
    """All that comes from the click to the end of the default run."""
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    kinds, sizes = _listening(devtools)
    page.goto(address)
    page.wait_for_function(READY)
    page.wait_for_timeout(SETTLES)
    before = dict(sizes)

    def since() -> int:
        return sum(size - before.get(one, 0) for one, size in sizes.items() if one in kinds)

    runs: list[int] = []  # what the run itself brought, once it has ended
    devtools.send("Runtime.enable")
    devtools.send("Runtime.addBinding", {"name": "runEnded"})
    devtools.on("Runtime.bindingCalled", lambda _: runs.append(since()))
    page.evaluate(TELL_END)
    page.locator("#learn").click()
    page.wait_for_selector('#live [data-done="true"]', timeout=300_000)
    page.wait_for_timeout(FOLLOWS)
    run = runs[0]
    report.row(
        "bytes of a run of K-FAC on Sobel, to its end", "<= 60,000", f"{run:,}", "", run <= 60_000
    )
    report.row("and of its result: pictures, code and files", "", f"{since() - run:,}")
    context.close()


def _phones_behind_a_proxy(report, browser) -> None:
    """As a Space or the example's proxy serves the page: HTTP/2, all files over one connection."""
    with (
        tempfile.TemporaryDirectory(prefix="kernel-demo-bench-") as folder,
        Machines(1, Path(folder), tls=True) as machines,
    ):
        _phones(report, browser, machines.address, "behind HAProxy, by HTTP/2")


def _phones(report, browser, address: str, how: str) -> None:
    """By visitors who come when another has been there: the server has just started else."""
    with browser.new_context(**LAPTOP, ignore_https_errors=True) as before:
        _visit(before, address)
    answers = statistics.median(_phone(browser, address) for _ in range(VISITS))
    report.row(
        f"seconds until Learn answers on a phone, {how}: slow 4G, processor / 4", "<= 8",
        f"{answers:.1f}", "", answers <= 8,
    )  # fmt: skip


def _phone(browser, address: str) -> float:
    """Seconds until Learn answers, for who has never been there."""
    with browser.new_context(**PHONE, ignore_https_errors=True) as context:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", SLOW_4G)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        began = time.monotonic()
        page.goto(address, wait_until="commit")
        page.wait_for_function(READY, timeout=120_000)
        page.evaluate("document.querySelector('#learn').click()")
        page.wait_for_function(ANSWERS, timeout=120_000)
        answers = time.monotonic() - began
        page.wait_for_function(STEPS, timeout=120_000)
    return answers


def _starts(report, browser) -> None:
    paints, interactive, dropped = [], [], True
    for _ in range(STARTS):
        dropped &= _drop_page_cache()
        began = time.time()
        with Server() as address:
            page = browser.new_page(**LAPTOP)
            page.goto(address, wait_until="commit")
            page.wait_for_function(READY, timeout=120_000)
            ready = time.time()
            paint = page.evaluate(
                "(performance.timeOrigin + performance.getEntriesByType('paint')[0].startTime)"
            )
            page.close()
        paints.append(paint / 1000 - began)
        interactive.append(ready - paint / 1000)
    for what, asked, got in (
        ("seconds from `python app.py` to the first paint", 6, statistics.median(paints)),
        ("seconds from there until Learn is enabled", 2.5, statistics.median(interactive)),
    ):
        report.row(what, f"<= {asked}", f"{got:.1f}", "", got <= asked)
    report.note(
        f"The page cache of files was {'dropped before' if dropped else 'kept for'} each start."
    )


def _drop_page_cache() -> bool:
    """Have the system read all files anew; only the root of a Linux may. Whether it will."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True
