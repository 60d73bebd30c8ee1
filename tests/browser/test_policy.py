"""What the page may load: a browser that holds it to its own policy has nothing to report."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, opened
from tests.browser.test_save import saved

REPORT = """document.addEventListener('securitypolicyviolation', (event) => {
  const { violatedDirective, blockedURI, sourceFile } = event;
  (window.violations ||= []).push([violatedDirective, blockedURI, sourceFile].join(' ')); });"""
OUTER = "http://127.0.0.1:9/outer.html"


@pytest.fixture
def held(page):
    """held(): asserts that the browser has reported nothing of the page so far."""
    page.add_init_script(REPORT)

    def check():
        assert page.evaluate("window.violations ?? []") == []

    return check


def test_learn_keeps_to_the_policy(page, server, held, tmp_path):
    """First paint, a run, another random kernel, the share card, a download, the camera's panel."""
    page.goto(server)
    page.locator("#learn").click()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")
    held()
    expect(page.locator("#result .kd-first")).to_be_visible()
    name, _ = saved(page, page.locator("#save-difference"), tmp_path)
    assert name.endswith(".png")
    page.locator(".kd-share-open").click()
    expect(page.locator(".kd-share-card img")).to_be_visible()
    page.keyboard.press("Escape")
    panel = opened(page, "pictures")
    panel.get_by_role("radio", name="Mine").check()
    panel.get_by_role("button", name="Take a photo").click()
    page.wait_for_function("document.querySelector('#capture video').videoWidth > 0")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("#uploads tbody tr")).to_have_count(1)
    expect(page.locator("#gallery img")).to_have_count(1)
    opened(page, "filter").locator("#random").click()
    expect(page.locator("#chip-filter")).to_contain_text("random", ignore_case=True)
    held()


def test_recover_and_questions_keep_to_the_policy(page, server, held, tmp_path):
    """An example, its files, and an answer."""
    page.goto(f"{server}/?example=cat_sharpen&run=1")
    expect(page.locator("#recover-reproduced .kd-first")).to_be_visible()
    name, _ = saved(page, page.locator("#recover-reproduced .kd-result-files a").first, tmp_path)
    assert name == "reproduced.png"
    with page.expect_download():
        page.locator("#recover-take").get_by_role("link", name=".npy").click()
    page.get_by_role("tab", name="Questions").click()
    start = page.locator("button[id^=try-]:visible").first
    start.click()
    result = page.locator(f"#{start.get_attribute('id')}-result .kd-answer[data-done]")
    expect(result).to_be_visible()
    held()


def test_a_strangers_page_does_not_frame_it(page, server, watch):
    """Whoever is not named in the policy is shown the browser's error in the frame."""
    body = f"<iframe src='{server}'></iframe>"
    page.route(OUTER, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(OUTER)
    end = time.monotonic() + PATIENCE / 1000
    while not page.frames[-1].url.startswith("chrome-error:"):
        assert time.monotonic() < end, page.frames[-1].url
        page.wait_for_timeout(50)
    watch.errors.clear()
