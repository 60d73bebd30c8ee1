"""The tab "Learn" as a visitor uses it."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.kernels import named
from kernel_demo.ui.jobs import FAILED

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


def test_learned_looked_at_and_taken(page, server, tmp_path):
    """One press on Learn: Sobel is recovered to 1e-5, why it stopped is said, and code is there.

    Another border mode, or a picture that the layer has never seen, is filtered without learning
    again.
    """
    page.goto(server)
    expect(page.locator("#take .kd-take")).to_be_hidden()
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5
    expect(page.locator('#live [data-text="verdict"]')).not_to_be_empty()
    expect(page.locator("#result .kd-figures")).to_contain_text("PSNR")
    expect(page.locator("#take code")).to_contain_text("import cv2")

    step = live(page).get_attribute("data-step")
    picture = page.locator("#result .kd-first")
    first = picture.get_attribute("src")
    choose(page, "edges", "Zero (black around)")
    expect(picture).not_to_have_attribute("src", first)
    second = picture.get_attribute("src")
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (90, 200)).astype(np.uint8))
    page.locator("#try-own").locator("xpath=..").locator("input[type=file]").set_input_files(path)
    expect(picture).not_to_have_attribute("src", second)
    assert live(page).get_attribute("data-step") == step


@pytest.mark.slow
def test_pause_resume_and_stop(page, server):
    """A paused run stands still and goes on from where it was; Stop says that it was the visitor.

    What was learned so far can then be looked at. Gradio's script calls a run that is cancelled a
    failure: not a word of it on the page.
    """
    page.goto(f"{server}/?kernel=random&size=15&method=adam&steps=5000")  # ends by no means itself
    expect(page.locator("#method input")).to_have_value("Adam")
    page.evaluate(
        """(failed) => {
          const place = document.querySelector('#live .kd-live-error');
          const look = () => { window.told ||= place.textContent.includes(failed); };
          new MutationObserver(look).observe(place, { childList: true, characterData: true });
        }""",
        FAILED,
    )
    page.locator("#learn").click()
    expect(live(page)).not_to_have_attribute("data-step", "0")
    page.locator("#pause").dispatch_event("click")
    expect(page.locator("#live")).to_contain_text("Paused. Resume goes on")
    page.wait_for_timeout(300)
    step = live(page).get_attribute("data-step")
    page.wait_for_timeout(700)
    assert live(page).get_attribute("data-step") == step
    page.locator("#resume").dispatch_event("click")
    expect(page.locator("#pause")).to_be_visible()
    expect(live(page)).not_to_have_attribute("data-step", step)
    assert int(live(page).get_attribute("data-step")) > int(step)
    page.locator("#stop").dispatch_event("click")
    expect(live(page)).to_have_attribute("data-done", "true")
    page.wait_for_timeout(700)  # what gradio says of the cancelled run comes last
    expect(page.locator("#live")).to_contain_text("Stopped by you.")
    expect(page.locator("#learn")).to_be_enabled()
    expect(page.locator("#result .kd-first")).to_be_visible()
    assert not page.evaluate("window.told")


def test_a_visitors_own_pictures(page, server, tmp_path):
    """Learn without a file says so in view, and stands ready again; then uploads are learned from.

    The good ones are shown, the bad one is told once by its own name, without a folder of the
    server, and the console stays silent.
    """
    said = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (120, 150, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"mine{number}.png"), pixels)
    (tmp_path / "holiday.png").write_bytes(b"\x89PNG\r\n\x1a\n but nothing else")
    page.goto(server)
    page.locator("#source input[value=mine]").check()
    expect(page.locator("#uploads")).to_be_visible()
    page.mouse.wheel(0, 600)
    page.locator("#learn").click()
    error = page.locator(".kd-live-error")
    expect(error).to_contain_text("Expected at least one picture of yours")
    expect(error).to_be_in_viewport()
    expect(page.locator('#live [data-text="step"]')).to_have_text("Ready to learn")
    expect(page.locator('#live [data-text="verdict"]')).to_contain_text("Press Learn")
    expect(page.locator("#learn")).to_be_enabled()

    page.locator("#uploads input[type=file]").set_input_files(sorted(tmp_path.glob("*.png")))
    expect(page.locator("#notice")).to_contain_text("“holiday.png”, which is none or is damaged.")
    assert "/" not in page.locator("#notice").inner_text()
    expect(page.locator("#gallery img")).to_have_count(3)
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5
    expect(page.locator("#certificate .kd-details")).to_be_visible()  # its last part to come
    expect(page.get_by_text("which is none or is damaged")).to_have_count(1)
    assert [line for line in said if "not implemented" in line] == []
    with page.expect_console_message(lambda message: message.text == "Something else."):
        page.evaluate("console.warn('Something else.')")  # which is still heard


def test_a_kernel_of_ones_own(page, server):
    """What is wrong with a pasted matrix is said; a good one is drawn, edited and learned."""
    page.goto(server)
    choose(page, "kernel", "Your own")
    page.locator("#paste textarea").fill("1 2\n3 4")
    page.locator("#use-matrix").click()
    expect(page.locator("#filter-problem .kd-error")).to_contain_text("Expected")
    page.locator("#paste textarea").fill("0 -1 0\n-1 5 -1\n0 -1 0")
    page.locator("#use-matrix").click()
    cell = page.get_by_label("row 2, column 2")
    expect(cell).to_have_value("5")
    cell.fill("6")
    cell.press("Tab")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5


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
    """Each press on Step is one update. A button that gives way to another hands it the focus."""
    page.goto(server)
    page.locator("#step").focus()
    for number in (1, 2, 3):
        page.keyboard.press("Enter")
        expect(live(page)).to_have_attribute("data-step", str(number))
        expect(page.locator("#step")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#resume")).to_be_focused()
    page.keyboard.press("Enter")
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#learn")).to_be_focused()


def test_what_is_stale_is_marked_and_cannot_be_taken(page, server):
    """Another method: all that was learned is greyed out, which is said, and neither a file nor the
    code can be taken. Set back it is current, and a click on a file downloads it."""
    results = [page.locator(f"#{name}") for name in ("live", "result-card", "certificate", "take")]
    downloads = []
    page.on("download", lambda download: downloads.append(download))
    learn(page, server)
    file = page.locator("#take a[download]").first
    expect(file).to_be_visible()
    expect(page.locator("#learn-stale")).to_be_hidden()
    choose(page, "method", "Adam")
    for each in results:
        expect(each).to_have_attribute("data-stale", "true")
    expect(page.locator("#learn-stale")).to_contain_text("learned with other settings")
    file.click(force=True)
    page.locator("#take .kd-take-copy").click(force=True)
    page.wait_for_timeout(500)
    assert downloads == []
    expect(page.locator("#take .kd-take-copy")).to_have_text("Copy")
    choose(page, "method", "K-FAC")
    for each in results:
        expect(each).to_have_attribute("data-stale", "false")
    expect(page.locator("#learn-stale")).to_be_hidden()
    with page.expect_download():
        file.click()
    assert len(downloads) == 1


def test_a_link_arranges_the_inputs(page, server):
    """A link to the closed form: its line is there, and Steps, of no matter to it, is disabled."""
    page.goto(f"{server}/?method=closed_form&source=hub&kernel=random")
    page.get_by_text("Rate, batch, tiles, precision, seed").click()
    expect(page.locator("#steps input").first).to_be_disabled()
    expect(page.locator(".kd-left")).to_contain_text("one solve: the best kernel they allow")
    expect(page.locator("#dataset input")).to_be_visible()
    expect(page.locator("#seed input")).to_be_visible()
