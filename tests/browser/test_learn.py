"""The tab "Learn" as a visitor uses it."""

import time

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.kernels import named

PHONE = {"width": 390, "height": 844}


def live(page):
    return page.locator("#live [data-step]")


def learn(page, server):
    page.goto(server)
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#result .kd-first")).to_be_visible()


def learned(page):
    """The weights that the stage says it shows, row by row."""
    label = page.locator("#live [data-kernel=learned]").get_attribute("aria-label")
    figures = label.partition(": ")[2].replace("·10", "e")
    plain = str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")
    return [float(figure) for figure in figures.translate(plain).split()]


def choose(page, elem_id, option):
    """Open a dropdown and take the option of that name."""
    page.locator(f"#{elem_id} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def test_learning_ends_with_the_right_kernel(page, server):
    """One press on Learn: Sobel is recovered to 1e-5 and the page says why it stopped."""
    learn(page, server)
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5
    expect(page.locator('#live [data-text="verdict"]')).not_to_be_empty()
    expect(page.locator("#result .kd-figures")).to_contain_text("PSNR")


def test_the_edges_can_be_changed_afterwards(page, server):
    """Another border mode draws the result anew without learning again."""
    learn(page, server)
    first = page.locator("#result .kd-first").get_attribute("src")
    step = live(page).get_attribute("data-step")
    choose(page, "edges", "Zero (black around)")
    expect(page.locator("#result .kd-first")).not_to_have_attribute("src", first)
    assert live(page).get_attribute("data-step") == step


def test_pause_and_resume(page, server):
    """A paused run stands still, goes on from where it was, and can then be stopped."""
    page.goto(server)
    page.locator("#random").click()
    choose(page, "size", "15 × 15")
    choose(page, "method", "Adam")
    page.locator("#details button").first.click()
    page.locator("#steps input[type=number]").fill("5000")  # a minute: it does not end by itself
    page.locator("#steps input[type=number]").press("Tab")
    page.locator("#learn").click()
    expect(live(page)).not_to_have_attribute("data-step", "0")
    page.locator("#pause").dispatch_event("click")
    expect(page.locator("#resume")).to_be_visible()
    time.sleep(0.5)
    step = live(page).get_attribute("data-step")
    time.sleep(1.0)
    assert live(page).get_attribute("data-step") == step
    page.locator("#resume").dispatch_event("click")
    expect(page.locator("#pause")).to_be_visible()
    expect(live(page)).not_to_have_attribute("data-step", step)
    assert int(live(page).get_attribute("data-step")) > int(step)
    page.locator("#stop").dispatch_event("click")
    expect(live(page)).to_have_attribute("data-done", "true")


@pytest.mark.parametrize("font", ["inherit", "monospace"])
def test_nothing_jumps_on_the_page(page, server, font):
    """Cards, buttons, kernels and curves keep place and size from first paint to the end of a run.

    In the page's own font and in a wide one; the buttons that give way to each other share a place.
    """
    places = """() => {
      const place = (e) => { const r = e.getBoundingClientRect();
        return [r.x, r.y + scrollY, r.width, r.height].map(Math.round).join(' '); };
      const main = ['learn', 'pause', 'resume'].map((id) => document.getElementById(id));
      const seen = document.querySelectorAll(`.tab-container [role=tab], .kd-left > *, #step, #stop,
        .kd-live .kd-card, .kd-live canvas, .kd-live-bar > *`);
      return [...seen, ...main].filter((e) => e?.checkVisibility()).map(place);
    }"""
    page.goto(server)
    page.add_style_tag(content=f".gradio-container * {{ font-family: {font} !important; }}")
    expect(page.locator("#learn")).to_be_visible()
    at_first = page.evaluate(places)
    page.locator("#step").click()
    expect(live(page)).to_have_attribute("data-step", "1")
    expect(page.locator("#resume")).to_be_visible()
    assert page.evaluate(places) == at_first
    page.locator("#resume").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#learn")).to_be_visible()
    assert page.evaluate(places) == at_first


def test_step_by_step(page, server):
    """Each press on Step is one update of the weights."""
    page.goto(server)
    for number in (1, 2, 3):
        page.locator("#step").click()
        expect(live(page)).to_have_attribute("data-step", str(number))
    expect(page.locator("#resume")).to_be_visible()


def test_stop_ends_the_run_with_a_result(page, server):
    """Stop says that it was the visitor, and what was learned so far can be looked at."""
    page.goto(server)
    page.locator("#step").click()
    expect(live(page)).to_have_attribute("data-step", "1")
    page.locator("#stop").dispatch_event("click")
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#live")).to_contain_text("Stopped by you")
    expect(page.locator("#learn")).to_be_visible()
    expect(page.locator("#result .kd-first")).to_be_visible()


def test_a_visitors_own_pictures(page, server, tmp_path):
    """Uploads are shown in the gallery and learned from."""
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (120, 150, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"mine{number}.png"), pixels)
    page.goto(server)
    page.get_by_role("radio", name="Mine").click()
    page.locator("#uploads input[type=file]").set_input_files(sorted(tmp_path.glob("*.png")))
    expect(page.locator("#gallery img")).to_have_count(2)
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5


def test_learning_from_no_picture_gets_a_sentence(page, server):
    """Learn without a file says so in view, and stands ready again."""
    page.goto(server)
    page.locator("#source input[value=mine]").check()
    expect(page.locator("#uploads")).to_be_visible()
    page.mouse.wheel(0, 600)
    page.locator("#learn").click()
    error = page.locator(".kd-live-error")
    expect(error).to_contain_text("Expected at least one picture of yours")
    expect(error).to_be_in_viewport()
    expect(page.locator('#live [data-text="step"]')).to_have_text("Ready to learn")
    expect(page.locator("#learn")).to_be_enabled()


def test_what_is_no_picture_gets_a_sentence(page, server, tmp_path):
    """A broken upload is named by its own name; the server's folders are not."""
    path = tmp_path / "holiday.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n but nothing else")
    page.goto(server)
    page.get_by_role("radio", name="Mine").click()
    page.locator("#uploads input[type=file]").set_input_files(path)
    problem = page.locator("#notice .kd-error")
    expect(problem).to_contain_text("holiday.png")
    assert "/" not in problem.inner_text()


def test_try_your_own_picture(page, server, tmp_path):
    """After learning, both kernels are applied to a picture the layer has never seen."""
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (90, 200)).astype(np.uint8))
    learn(page, server)
    first = page.locator("#result .kd-first").get_attribute("src")
    page.locator("#try-own").locator("xpath=..").locator("input[type=file]").set_input_files(path)
    expect(page.locator("#result .kd-first")).not_to_have_attribute("src", first)


def test_a_kernel_of_ones_own(page, server):
    """A pasted matrix is drawn, can be edited, and is what is learned."""
    page.goto(server)
    choose(page, "kernel", "Your own")
    page.locator("#paste textarea").fill("0 -1 0\n-1 5 -1\n0 -1 0")
    page.locator("#use-matrix").click()
    cell = page.get_by_label("row 2, column 2")
    expect(cell).to_have_value("5")
    cell.fill("6")
    cell.press("Tab")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5


def test_a_bad_matrix_gets_a_sentence(page, server):
    """What is wrong with a pasted matrix is said beside it, and the page goes on working."""
    page.goto(server)
    choose(page, "kernel", "Your own")
    page.locator("#paste textarea").fill("1 2\n3 4")
    page.locator("#use-matrix").click()
    expect(page.locator("#filter-problem .kd-error")).to_contain_text("Expected")


def test_the_hub_that_refuses_is_replaced(page, server):
    """Without the Hub the bundled photos serve, and one line says so."""
    page.goto(server)
    page.get_by_role("radio", name="Dataset").click()
    expect(page.locator("#notice")).to_contain_text("bundled photos", timeout=40_000)
    expect(page.locator("#gallery img")).to_have_count(8)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(new_page, server, scheme):
    """At 390 px nothing is wider than the screen, and the stage comes into view on Learn."""
    page = new_page(viewport=PHONE, color_scheme=scheme)
    learn(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.locator("#live [data-kernel=learned]")).to_be_in_viewport()


def test_two_visitors_do_not_see_each_other(new_page, server):
    """Two runs at once: each page ends with its own kernel."""
    pages = {"sobel_x": new_page(), "sharpen": new_page()}
    for name, page in pages.items():
        page.goto(server)
        choose(page, "kernel", CATALOGUE[name].label)
    for page in pages.values():
        page.locator("#learn").click()
    for name, page in pages.items():
        expect(live(page)).to_have_attribute("data-done", "true")
        assert learned(page) == pytest.approx(named(name).values.ravel(), abs=0.01)


def test_keyboard_alone(page, server):
    """A button that gives way to another hands it the focus; Step and Learn keep theirs."""
    page.goto(server)
    page.locator("#step").focus()
    for number in (1, 2):
        page.keyboard.press("Enter")
        expect(live(page)).to_have_attribute("data-step", str(number))
        expect(page.locator("#step")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#resume")).to_be_focused()
    page.keyboard.press("Enter")
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#learn")).to_be_focused()
