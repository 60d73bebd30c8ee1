"""Visitors of three servers behind a proxy, when one of them is killed or replaced."""

import re

import pytest
from playwright.sync_api import expect

from benchmarks.machines import COOKIE, PROXY, Machines
from tests.browser.conftest import DEAD
from tests.browser.test_visitors import live, start_a_long_run

pytestmark = [
    pytest.mark.skipif(PROXY is None, reason="needs HAProxy"),
    pytest.mark.timeout(900),  # three servers are started
]
# The other where a busy browser asks so late that another server answers.
TOLD = re.compile(r"^This server is being replaced: reload the page\.$|^This did not work")


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """Three servers and their proxy; each test ends one of them."""
    with Machines(3, tmp_path_factory.mktemp("machines"), HF_ENDPOINT=DEAD) as machines:
        yield machines


def test_under_a_path_and_tls(new_page, tmp_path, watch):
    """With the lines of the configuration that are there to be uncommented: the page is served
    under a path, by HTTP/2, and learns to the end; nothing is asked for outside that path."""
    with Machines(1, tmp_path, path="/kernels", tls=True, HF_ENDPOINT=DEAD) as machines:
        page = new_page(ignore_https_errors=True)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{machines.address}/?kernel=scharr_x&n=2")
        expect(page.locator("#chip-filter")).to_contain_text("Scharr")
        page.locator("#learn").click()
        has_the_result(page)
        spoken = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
        assert page.evaluate(spoken) == "h2"
        own = [url for url in asked if url.startswith("http")]
        assert [url for url in own if not url.startswith(machines.address)] == []
        watch.leave(page)


def server_of(page) -> str:
    return next(one["value"] for one in page.context.cookies() if one["name"] == COOKIE)


def learns(page) -> None:
    page.locator("#learn").click()
    expect(page.locator("#learn")).to_have_text("Pause")
    expect(live(page)).not_to_have_attribute("data-step", "0")


def test_whose_server_is_killed_goes_on_at_another(page, machines, watch):
    """A sentence tells it, the page comes again from another server, of the same address and with
    the same settings, says what has happened, and learns."""
    start_a_long_run(page, machines.address)
    address, server = page.url, server_of(page)
    watch.leave(page)
    machines.kill(server)
    expect(page.locator(".toast-body")).to_contain_text("Connection to the server was lost")
    expect(page.locator("#lost")).to_contain_text("The connection to the server was lost")
    expect(page.locator("#learn")).to_have_text("Learn this filter")
    expect(page.locator("#chip-filter")).to_contain_text("Random, 15 × 15")
    expect(page.locator("#chip-method")).to_contain_text("Adam")
    expect(page).to_have_url(address)
    page.locator("#lost button").click()
    expect(page.locator("#lost")).to_have_count(0)
    assert server_of(page) != server
    learns(page)


def test_whose_server_is_replaced_keeps_the_result(new_page, machines, watch):
    """Of two visitors of one server that is told to end, the one whose run is short sees it to the
    end, with all its cards, and has them still when the server is gone. The other one is told,
    keeps what was learned, and by the same address is at another server then."""
    short, long = new_page(), new_page()
    start_a_long_run(long, machines.address)
    server = server_of(long)
    short.context.add_cookies([{"name": COOKIE, "value": server, "url": machines.address}])
    short.goto(f"{machines.address}/?kernel=scharr_x&n=2")
    expect(short.locator("#chip-filter")).to_contain_text("Scharr")
    short.locator("#learn").click()
    expect(live(short)).not_to_have_attribute("data-step", "0")
    machines.drain(server)
    for page in (short, long):
        watch.leave(page)
    has_the_result(short)
    expect(long.locator('#live [data-text="problem"]')).to_have_text(TOLD)
    assert int(live(long).get_attribute("data-step")) > 0
    assert machines.processes[server].wait(30) == 0
    short.wait_for_timeout(3000)  # a page that believes its server lost is loaded again within 2 s
    has_the_result(short)
    again = long.context.new_page()
    again.goto(long.url)
    expect(again.locator("#chip-filter")).to_contain_text("Random, 15 × 15")
    assert server_of(again) != server
    learns(again)


def has_the_result(page) -> None:
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#take a[download]").first).to_be_attached()
