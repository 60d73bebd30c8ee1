"""Each question's button, pressed; its answer, read from the page."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}


def open_tab(page, server):
    page.goto(server)
    page.get_by_role("tab", name="Questions").click()
    expect(page.locator("#try-size")).to_be_visible()


def answer(page, name, done="true"):
    return page.locator(f'#{name}-result .kd-answer[data-done="{done}"]')


def prove(page, name):
    """Press a button and wait for its whole answer."""
    page.locator(f"#{name}").click()
    expect(answer(page, name)).to_be_visible()
    expect(page.locator(f"#{name}")).to_be_enabled()
    return answer(page, name)


def figure(found, name):
    return float(found.get_attribute(f"data-{name}"))


def test_the_quick_questions(page, server):
    """Tiles, edges, any size and compression: one press each, and the figures are as claimed."""
    open_tab(page, server)
    tiles = prove(page, "try-size")
    assert figure(tiles, "kernel-difference") == figure(tiles, "output-difference") == 0
    edges = prove(page, "try-edges")
    assert figure(edges, "padded-error") > 0.1
    assert figure(edges, "valid-error") < 1e-8
    anywhere = prove(page, "try-anywhere")
    assert figure(anywhere, "output-difference") < 0.1
    small = prove(page, "try-small")
    assert figure(small, "int8-error") == 0
    expect(small.locator(".kd-finding")).to_contain_text("6 numbers for 9")


def test_speed_is_a_table(page, server):
    """Every way to learn has a row, measured here."""
    open_tab(page, server)
    assert figure(prove(page, "try-speed"), "rows") >= 4


def test_the_usual_rules_fail(page, server):
    """The run is watched live; a rule calls it complete while the kernel is wrong."""
    open_tab(page, server)
    page.locator("#try-complete").click()
    found = page.locator('#try-complete-result .kd-answer:not([data-verdicts="0"])')
    expect(found).to_be_visible()
    assert figure(found, "kernel-error") > 0.1
    if page.locator("#try-complete-stop").is_enabled():
        page.locator("#try-complete-stop").click(force=True)


def test_depth_and_its_stop(page, server):
    """The race runs live and Stop ends it with what there is on the page."""
    open_tab(page, server)
    page.locator("#try-depth").click()
    running = answer(page, "try-depth", "false")
    expect(running).not_to_have_attribute("data-step", "0")
    page.locator("#try-depth-stop").click()
    expect(page.locator("#try-depth-status")).to_contain_text("Stopped by you")
    expect(page.locator("#try-depth")).to_be_enabled()
    expect(running).to_contain_text("deep network")


def test_linear_layers(page, server):
    """The stack shows the one kernel that it is, and can be stopped."""
    open_tab(page, server)
    page.locator("#try-stack").click()
    expect(page.locator("#try-stack-result .kd-matrix")).to_have_count(5)
    if page.locator("#try-stack-stop").is_enabled():
        page.locator("#try-stack-stop").click(force=True)


def test_limits_by_one_click(page, server):
    """A way to break it: the foretold error stands beside the real one."""
    open_tab(page, server)
    page.get_by_role("radio", name="JPEG", exact=True).check()
    found = page.locator("#limits-one .kd-answer")
    expect(found).to_be_visible()
    assert figure(found, "measured") == pytest.approx(figure(found, "predicted"), rel=0.5)


def test_a_challenge_by_its_link(page, server):
    """A link opens the tab and the challenge; a guess is scored, and the layer solves it."""
    page.goto(f"{server}?challenge=3-17")
    expect(page.locator("#challenge-number input")).to_have_value("17")
    expect(page.locator("#challenge-guess")).to_be_visible()
    page.locator("#challenge-editor").get_by_label("row 2, column 2").fill("1.5")
    page.locator("#challenge-editor").get_by_label("row 2, column 2").press("Tab")
    assert 0 <= figure(prove(page, "challenge-guess"), "points") < 100
    assert figure(prove(page, "challenge-learn"), "points") > 50


def test_a_picture_of_ones_own(page, server, tmp_path):
    """An upload is what the experiments use, and can be filtered and taken home."""
    pixels = np.random.default_rng(0).integers(0, 256, (301, 410, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "mine.png"), pixels)
    open_tab(page, server)
    page.get_by_role("tabpanel").filter(has=page.locator("#question-source")).get_by_role(
        "radio", name="Mine"
    ).check()
    page.locator("#question-uploads input[type=file]").set_input_files(tmp_path / "mine.png")
    expect(page.locator("#question-gallery img")).to_have_count(1)
    expect(prove(page, "try-size")).to_contain_text("409 × 301 pixels")
    page.locator("#apply").locator("xpath=..").locator("input[type=file]").set_input_files(
        tmp_path / "mine.png"
    )
    expect(page.locator("#apply-result .kd-answer[data-done=true]")).to_contain_text("410 × 301")
    with page.expect_download() as download:
        page.locator("#apply-save").click()
    made = cv2.imread(str(download.value.path()))
    assert made.shape == pixels.shape


def test_no_picture_gets_a_sentence(page, server):
    """Without an upload, an experiment on "Mine" says what to do."""
    open_tab(page, server)
    page.locator("#question-source").get_by_role("radio", name="Mine").check()
    page.locator("#try-size").click()
    expect(page.locator("#try-size-status .kd-error")).to_contain_text("Expected")
    expect(page.locator("#try-size")).to_be_enabled()


def test_phone(new_page, server):
    """At 390 px nothing is wider than the screen, an answer on it or not."""
    page = new_page(viewport=PHONE, color_scheme="dark")
    open_tab(page, server)
    prove(page, "try-small")
    prove(page, "try-edges")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
