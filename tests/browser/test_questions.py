"""Each question's button, pressed; its answer, read from the page."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import stop_once_there

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


def stop(page, name):
    """Press Stop if it is not over yet."""
    page.locator(f"#{name}-stop").evaluate("button => button.disabled || button.click()")
    expect(page.locator(f"#{name}")).to_be_enabled()


def unfolded(page):
    """The ids of the questions whose answers are open."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.kd-answer-fold[open]')].map(
          (fold) => fold.closest('.kd-question').id)"""
    )


def test_the_list_leads_to_a_question_of_this_page(page, server):
    """On a page that a link has set: its settings stay, nothing is loaded, the question is in view
    and has the focus."""
    page.goto(f"{server}/?kernel=gaussian&size=5&method=adam")
    page.get_by_role("tab", name="Questions").click()
    expect(page.locator("#try-size")).to_be_visible()
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="When to stop").first.click()
    expect(page.locator("#question-complete")).to_be_focused()
    expect(page.locator("#try-complete")).to_be_in_viewport()
    assert page.evaluate("window.stays")
    assert "kernel=gaussian" in page.url


@pytest.mark.glance
def test_one_answer_is_open(page, server):
    """What is asked folds the others to their finding, and stays where it was pressed; a folded
    one opens by its line as it was, in place of the other."""
    open_tab(page, server)
    prove(page, "try-edges")
    prove(page, "try-size")
    assert unfolded(page) == ["question-size"]
    folded = page.locator("#try-edges-result")
    expect(folded.locator("summary")).to_contain_text("of the pixels lie at the border")
    expect(folded.locator("img").first).to_be_hidden()
    way = page.get_by_role("radio", name="JPEG", exact=True)
    way.scroll_into_view_if_needed()
    box = way.bounding_box()
    way.check()
    expect(page.locator("#limits-one .kd-answer")).to_be_visible()
    assert way.bounding_box()["y"] == pytest.approx(box["y"], abs=2)
    assert unfolded(page) == ["question-limits"]
    folded.locator("summary").press("Enter")
    expect(folded.locator("img").first).to_be_visible()
    assert unfolded(page) == ["question-edges"]
    assert page.locator(".kd-answer-fold").count() == 3


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_an_answer_comes_into_view(new_page, server, size):
    """Asked for at the lower end of the window, or opened by its line: its top and its first figure
    are in the window, without a hand; a visitor who goes on by hand is left alone."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    open_tab(page, server)
    figure = ".kd-matrix, img, .kd-table-frame"
    for name in ("try-size", "try-small"):
        page.evaluate("(id) => document.getElementById(id).scrollIntoView({ block: 'end' })", name)
        prove(page, name)
        answer = page.locator(f"#{name}-result")
        expect(answer.locator("summary")).to_be_in_viewport(ratio=1)
        expect(answer.locator(figure).first).to_be_in_viewport(ratio=0.99)
    folded = page.locator("#try-size-result")
    folded.locator("summary").click()
    expect(folded.locator("summary")).to_be_in_viewport(ratio=1)
    expect(folded.locator(figure).first).to_be_in_viewport(ratio=0.99)
    page.mouse.move(size[0] - 100, 300)
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(500)
    at = page.evaluate("scrollY")
    page.evaluate("document.querySelector('#try-size-result .kd-answer').append('more')")
    page.wait_for_timeout(500)
    assert page.evaluate("scrollY") == at


def test_a_pressed_button_stays_where_it_is(page, server):
    """While the other answer of its question, whose top is above the window, is folded away, and
    before there is any answer to what was asked."""
    open_tab(page, server)
    page.locator("#try-depth").click()
    answer = page.locator("#try-depth-result")
    expect(answer.locator("table")).to_be_visible()
    page.locator("#try-depth-stop").click()
    expect(page.locator("#try-depth")).to_be_enabled()
    button = page.locator("#try-stack")
    button.evaluate("(e) => scrollBy(0, e.getBoundingClientRect().top - 90)")
    assert answer.bounding_box()["y"] < 0
    at = button.bounding_box()["y"]
    page.evaluate("() => { window.fetch = () => new Promise(() => {}); }")  # no answer
    button.click()
    expect(answer.locator("details")).not_to_have_attribute("open", "")
    page.wait_for_timeout(300)
    assert abs(button.bounding_box()["y"] - at) <= 2


def test_the_list_stays_beside_the_questions(new_page, server):
    """From the last question, too, every other one is a press away."""
    page = new_page(viewport={"width": 1366, "height": 650})
    open_tab(page, server)
    page.get_by_role("link", name="Limits").click()
    expect(page.locator("#try-limits")).to_be_in_viewport()
    for name in ("Huge or odd sizes", "Limits"):
        expect(page.get_by_role("link", name=name)).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="The edges").click()
    expect(page.locator("#try-edges")).to_be_in_viewport()


# Opening the page takes longer than most answers, so a test asks several questions.
def test_questions_1_to_5(page, server):
    """Tiles, edges, any size, speed, compression: one press each, the figures as claimed."""
    open_tab(page, server)
    tiles = prove(page, "try-size")
    assert figure(tiles, "kernel-difference") == figure(tiles, "output-difference") == 0
    edges = prove(page, "try-edges")
    assert figure(edges, "padded-error") > 0.1
    assert figure(edges, "valid-error") < 1e-8
    anywhere = prove(page, "try-anywhere")
    assert figure(anywhere, "output-difference") < 0.1
    assert figure(prove(page, "try-speed"), "rows") >= 4
    small = prove(page, "try-small")
    assert figure(small, "int8-error") == 0
    expect(small.locator(".kd-finding")).to_contain_text("6 numbers for 9")
    spoken = page.locator("#try-small-status [aria-live=polite]")
    expect(spoken).to_contain_text("6 numbers for 9")


def test_questions_6_and_7(page, server):
    """A rule calls a wrong kernel complete; depth races live, and Stop leaves what there is."""
    open_tab(page, server)
    page.locator("#try-complete").click()
    found = page.locator('#try-complete-result .kd-answer:not([data-verdicts="0"])')
    expect(found).to_be_visible()
    assert figure(found, "kernel-error") > 0.1
    stop(page, "try-complete")

    page.locator("#try-depth").click()
    running = '#try-depth-result .kd-answer[data-done="false"]:not([data-step="0"])'
    stop_once_there(page, running, "#try-depth-stop")
    expect(page.locator("#try-depth-status")).to_contain_text("Stopped by you")
    expect(page.locator("#try-depth")).to_be_enabled()
    expect(page.locator("#try-depth-result .kd-answer")).to_contain_text("deep network")

    page.locator("#try-stack").click()
    expect(page.locator("#try-stack-result .kd-matrix")).to_have_count(5)
    stop(page, "try-stack")

    page.locator("#open-certificate").click()
    expect(page.locator("#certificate")).to_be_in_viewport()
    expect(page.locator("#certificate")).to_be_focused()


def test_a_challenge_by_its_link(page, server):
    """A link opens the tab and the challenge; a guess is scored until a cell is no number; the
    layer solves it; and one way to break it has its foretold error beside the real one."""
    page.goto(f"{server}?challenge=3-17")
    expect(page.locator("#challenge-number input")).to_have_value("17")
    expect(page.locator("#challenge-guess")).to_be_visible()
    cell = page.locator("#challenge-editor").get_by_label("row 2, column 2")
    cell.fill("1.5")
    cell.press("Tab")
    assert 0 <= figure(prove(page, "challenge-guess"), "points") < 100
    cell.fill("abc")
    cell.press("Tab")
    expect(page.locator("#challenge-guess-status .kd-error")).to_contain_text("Expected a number")
    expect(answer(page, "challenge-guess")).to_have_count(0)
    assert figure(prove(page, "challenge-learn"), "points") > 50
    page.get_by_role("radio", name="JPEG", exact=True).check()
    found = page.locator("#limits-one [aria-live=polite] .kd-answer")
    expect(found).to_be_visible()
    assert figure(found, "measured") == pytest.approx(figure(found, "predicted"), rel=0.5)


def test_a_picture_of_ones_own(page, server, tmp_path):
    """Without an upload, "Mine" says what to do; one is used, filtered and taken home; with other
    pictures or choices, what was made of it is marked, and its file locked."""
    pixels = np.random.default_rng(0).integers(0, 256, (301, 410, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "mine.png"), pixels)
    open_tab(page, server)
    page.locator("#question-source").get_by_role("radio", name="Mine").check()
    page.locator("#try-size").click()
    expect(page.locator("#try-size-status .kd-error")).to_contain_text("Expected")
    expect(page.locator("#try-size")).to_be_enabled()
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

    downloads = []
    page.on("download", lambda one: downloads.append(one))
    page.locator("#apply-kernel input").click()
    page.get_by_role("option", name="Box 15 × 15").click()
    save = page.locator("#apply-save")
    for part in (save, page.locator("#apply-result")):
        expect(part).to_have_attribute("data-stale", "true")
    expect(page.locator("#apply-stale")).to_contain_text("Choose the picture again")
    save.click(force=True)
    page.locator("#question-source").get_by_role("radio", name="Bundled").check()
    expect(page.locator("#try-size-result")).to_have_attribute("data-stale", "true")
    expect(page.locator("#try-size-stale")).to_contain_text("other pictures")
    prove(page, "try-size")
    expect(page.locator("#try-size-result")).to_have_attribute("data-stale", "false")
    expect(page.locator("#try-size-stale")).to_be_hidden()
    assert downloads == []


def test_what_is_no_picture_is_told_beside_the_button(page, server, tmp_path):
    """A text file is refused in our words, once, in the place of the result; a picture after it
    takes them away. No toast of gradio's comes."""
    (tmp_path / "text.txt").write_text("no picture")
    cv2.imwrite(str(tmp_path / "tiny.png"), np.full((5, 7, 3), 99, np.uint8))
    open_tab(page, server)
    field = page.locator("#apply").locator("xpath=..").locator("input[type=file]")
    field.set_input_files(tmp_path / "text.txt")
    told = page.locator("#apply-result .kd-error")
    expect(told).to_contain_text("text.txt")
    assert told.inner_text().startswith("Expected")
    expect(page.locator(".toast-body")).to_have_count(0)
    field.set_input_files(tmp_path / "tiny.png")
    result = page.locator("#apply-result .kd-answer[data-done=true]")
    expect(result.locator(".kd-progress span")).to_have_text("35 of 35 pixels")
    expect(told).to_have_count(0)


def test_phone(new_page, server):
    """At 390 px nothing is wider than the screen, an answer on it or not."""
    page = new_page(viewport=PHONE, color_scheme="dark")
    open_tab(page, server)
    for name in ("try-speed", "try-small", "try-edges"):  # every column is in sight
        frames = prove(page, name).locator(".kd-table-frame").all()
        assert all(one.evaluate("(e) => e.scrollWidth <= e.clientWidth") for one in frames)
        if name == "try-small":  # kernels side by side stand at one height
            tops = [
                one.bounding_box()["y"]
                for one in page.locator("#try-small-result .kd-matrix > div").all()
            ]
            assert len(tops) == 2
            assert abs(tops[0] - tops[1]) < 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
