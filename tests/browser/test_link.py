"""The same experiment, by a link."""

import re

import cv2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import opened
from tests.browser.stage_values import photo


def live(page):
    return page.locator("#live .kd-live")


def test_the_address_follows_the_settings_and_opens_the_same_experiment(new_page, server):
    """A visitor's link shows another visitor the same page, and learning gives the same kernel."""
    page = new_page()
    page.goto(server)
    opened(page, "filter")
    page.locator("#random").click()
    page.locator("#seed input").fill("41")
    page.locator("#seed input").press("Tab")
    page.locator("#size input").click()
    page.get_by_role("option", name="5 × 5", exact=True).click()
    expect(page).to_have_url(re.compile("seed=41"))
    expect(page).to_have_url(re.compile("size=5"))
    other = new_page()
    other.goto(page.url)
    opened(other, "filter")
    expect(other.locator("#kernel input[value=random]")).to_be_checked()
    expect(other.locator("#seed input")).to_have_value("41")
    errors = []
    for each in (page, other):
        each.keyboard.press("Escape")
        each.locator("#learn").click()
        expect(live(each)).to_have_attribute("data-done", "true")
        errors.append(live(each).get_attribute("data-kernel-error"))
    assert errors[0] == errors[1]
    assert float(errors[0]) < 1e-5


def test_a_hostile_link_opens_the_defaults(page, server):
    """What cannot be used is named, nothing of it is run, and the page works."""
    page.goto(f"{server}/?kernel=<script>alert(1)</script>&size=1e9&nonsense=1")
    expect(page.locator(".kd-verdict-line")).to_contain_text("“Kernel”, “Size”, nonsense")
    expect(page.locator("#chip-filter")).to_contain_text("Sobel x, 3 × 3")


def test_a_kernel_of_ones_own_by_a_link(page, server):
    """A size that can only be pasted opens as it is, is told, and is what is learned."""
    rows = ";".join(["0," * 16 + "1"] + [",".join("0" * 17)] * 16)
    page.goto(f"{server}/?kernel=own&own={rows}")
    opened(page, "filter")
    expect(page.locator("#size input")).to_have_value("17 × 17")
    expect(page.locator("#editor input")).to_have_count(17 * 17)
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert "size" not in page.url


def test_ones_own_kernel_after_a_larger_one(page, server):
    """Choosing "Your own" shows the grid as it was left, and Size is the grid's."""
    page.goto(f"{server}/?kernel=random&size=9")
    opened(page, "filter")
    expect(page.locator("#size input")).to_have_value("9 × 9")
    page.locator("#kernel input[value=own]").check()
    expect(page.locator("#editor input")).to_have_count(9)
    expect(page.locator("#size input")).to_have_value("3 × 3")
    page.get_by_role("button", name="Paste a matrix").click()
    page.locator("#paste textarea").fill(str([[1] * 19] * 19))
    page.locator("#use-matrix").click()
    expect(page.locator("#size input")).to_have_value("19 × 19")
    expect(page.locator("#editor input")).to_have_count(19 * 19)


def test_a_challenge_is_no_setting(page, server):
    """Nothing is said to be wrong with a shared challenge."""
    page.goto(f"{server}/?challenge=3-17&kernel=box")
    expect(page.locator("#challenge-number input")).to_have_value("17")
    page.get_by_role("tab", name="Learn", exact=True).click()
    expect(page.locator("#chip-filter")).to_contain_text("Box")
    expect(page.locator(".kd-verdict-line")).to_contain_text("Nothing learned yet")


@pytest.mark.parametrize("secure", [True, False])
def test_copy_link(page, server, secure):
    """The address is copied, also where a browser gives scripts no clipboard: over plain http."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not secure:
        page.add_init_script("delete Navigator.prototype.clipboard")
    page.goto(f"{server}/?kernel=random&seed=41")
    page.locator("#more").click()
    page.evaluate(
        """() => {
          const place = document.getElementById('copy-link');
          new MutationObserver(() => { window.told ||= place.textContent.trim(); })
            .observe(place, { childList: true, characterData: true, subtree: true });
        }"""
    )
    page.locator("#copy-link").click()
    page.wait_for_function("window.told === 'Link copied'")  # for a moment
    reader = page.context.new_page()
    reader.goto(server)
    assert reader.evaluate("navigator.clipboard.readText()") == page.url


def test_a_link_without_a_rate_leaves_the_field_to_the_method(page, server):
    """Empty, it says the rate of the method that the link names; the address has none."""
    page.goto(f"{server}/?method=adam")
    rate = opened(page, "method").locator("#rate input")
    expect(rate).to_have_attribute("placeholder", "0.2")
    expect(page.locator("#rate")).to_contain_text("best of 9 tried at 3 × 3")
    expect(rate).to_have_value("")
    assert page.url.endswith("?method=adam")


def test_the_rate_is_empty_until_it_is_set(page, server):
    """At first and after other settings: the field says the method's own, the address none."""
    page.goto(server)
    rate = opened(page, "method").locator("#rate input")
    expect(rate).to_have_attribute("placeholder", "0.5")
    expect(rate).to_have_value("")
    page.keyboard.press("Escape")
    opened(page, "filter")
    page.locator("#random").click()
    expect(page).to_have_url(f"{server}/?kernel=random")
    page.locator("#random").click()
    expect(page).to_have_url(f"{server}/?kernel=random&seed=1")
    expect(page.locator("#chip-filter")).to_contain_text("Random")
    expect(rate).to_have_value("")


def test_a_link_is_without_ones_own_pictures(page, server, tmp_path):
    """Where the address lacks the pictures of the page, the button says so before and after."""
    cv2.imwrite(str(tmp_path / "own.png"), photo(200, 200))
    page.goto(server)
    page.locator("#more").click()
    expect(page.locator("#copy-link")).to_have_text("Copy link")
    page.keyboard.press("Escape")
    opened(page, "pictures")
    page.locator("#source").get_by_role("radio", name="Mine").check()
    page.locator("#uploads input[type=file]").set_input_files(tmp_path / "own.png")
    expect(page.locator("#chip-pictures")).to_contain_text("1 own photo")
    page.keyboard.press("Escape")
    page.locator("#more").click()
    expect(page.locator("#copy-link")).to_have_text("Copy link without your pictures")
    page.locator("#copy-link").click()
    expect(page.locator("#copy-link")).to_have_text("Link copied without your pictures")


def test_learn_waits_for_what_the_link_says(page, server):
    """Pressed before the link's settings are here: it says so, and then learns by them."""
    page.route("**/gradio_api/queue/join*", lambda route: None)  # where the link is read
    page.goto(f"{server}/?kernel=gaussian&size=5&method=adam&steps=40")
    page.locator("#arithmetic[data-sum]").wait_for(state="attached")
    page.locator("#learn").click()
    expect(page.locator(".kd-verdict-line")).to_contain_text("What the link says is being set")
    expect(live(page)).to_have_attribute("data-state", "before")
    page.unroute("**/gradio_api/queue/join*")
    expect(live(page)).to_have_attribute("data-done", "true")
    learned = page.evaluate("[kdShown.method, kdShown.size, kdShown.steps]")
    assert learned == ["adam", 5, 40]
