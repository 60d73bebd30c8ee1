"""The tab "Learn" as a visitor uses it."""

import re

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.kernels import named
from kernel_demo.ui.serving.jobs import FAILED
from tests.browser.conftest import at_pace, opened

PHONE = {"width": 390, "height": 844}
LAPTOPS = [{"width": 1366, "height": 768}, {"width": 1280, "height": 720}]
LOW = {"width": 1366, "height": 650}  # what a browser's own bars leave of the first
# What can be pressed, typed into or moved, and seen; the tabs, the timeline and the pictures on the
# stage are no controls of this kind, nor are the tabs' copies by which gradio measures them; its
# footer is out of sight.
CONTROLS = """() => [...document.querySelectorAll(
    'button, input, select, textarea, a[href], summary, [role=switch]')]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled
    && !e.closest('footer, [role=tablist], [aria-hidden=true], .kd-figure, .kd-kernel, figure')
    && e.id !== 'timeline')
  .map((e) => e.id || e.textContent.trim() || e.type)"""


def live(page):
    return page.locator("#live .kd-live")


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
    return [float(figure.strip(",;")) for figure in figures.translate(plain).split()]


def pick(page, name, label):
    """Choose a kernel or a method by its name, in its panel."""
    opened(page, {"kernel": "filter"}.get(name, name))
    page.locator(f"#{name}").get_by_role("radio", name=label).first.check()


def choose(page, elem_id, option):
    """Open a dropdown and take the option of that name."""
    page.locator(f"#{elem_id} input").click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.parametrize("viewport", [*LAPTOPS, LOW, PHONE])
def test_at_first_paint_there_is_one_thing_to_press(new_page, server, viewport):
    """At most twelve enabled controls on the whole page; Learn this filter is in view, and the only
    thing that is called so."""
    page = new_page(viewport=viewport)
    page.goto(server)
    expect(page.locator("#learn")).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(500)
    found = page.evaluate(CONTROLS)
    assert "learn" in found
    assert len(found) <= 12, found
    assert page.get_by_role("button", name="Learn", exact=True).count() == 0
    for name in ("pictures", "filter", "method"):
        expect(page.locator(f"#panel-{name}")).to_be_hidden()


@pytest.mark.parametrize("viewport", LAPTOPS)
def test_the_stage_is_on_one_screen(new_page, server, viewport):
    """Bar, stage, curves and the line that says what follows, without scrolling."""
    page = new_page(viewport=viewport)
    page.goto(server)
    for part in ("#learn", "#live", ".kd-below"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    assert page.locator("#learn").bounding_box()["y"] < 110


@pytest.mark.parametrize("viewport", [*LAPTOPS, PHONE])
def test_a_panel_moves_nothing(new_page, server, viewport):
    """One at a time, over a stage that stays where it is, within the screen; Escape closes it."""
    page = new_page(viewport=viewport)
    page.goto(server)
    place = page.locator("#live .kd-live").bounding_box()
    for name in ("pictures", "filter", "method"):
        panel = opened(page, name)
        box = panel.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]
        assert page.locator(".kd-panel >> visible=true").count() == 1
        assert page.locator("#live .kd-live").bounding_box() == place
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()


@pytest.mark.glance
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
    opened(page, "filter")
    choose(page, "edges", "Zero (black around)")
    page.keyboard.press("Escape")
    expect(picture).not_to_have_attribute("src", first)
    second = picture.get_attribute("src")
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (90, 200)).astype(np.uint8))
    page.locator("#try-own").locator("xpath=..").locator("input[type=file]").set_input_files(path)
    expect(picture).not_to_have_attribute("src", second)
    assert live(page).get_attribute("data-step") == step


def test_the_whole_picture_stands_beside_how_sure_it_is(new_page, server):
    """In the order in which people ask; on a phone one below the other."""
    for viewport, beside in ((LAPTOPS[0], True), (PHONE, False)):
        page = new_page(viewport=viewport)
        learn(page, server)
        parts = ["#result-card", "#certificate", "#take", "#race-card"]
        boxes = [page.locator(part).bounding_box() for part in parts]
        tops = [box["y"] for box in boxes]
        assert tops == sorted(tops)
        assert (boxes[0]["y"] == boxes[1]["y"]) == beside
        assert tops[1] < tops[2] < tops[3]


def test_pause_and_resume(page, server):
    """A paused run stands still and goes on from where it was.

    What was learned so far can then be looked at. Gradio's script calls a run that is cancelled a
    failure: not a word of it on the page.
    """
    page.goto(f"{server}/?kernel=random&size=15&method=adam&steps=5000")  # ends by no means itself
    expect(page.locator("#chip-method")).to_contain_text("Adam")
    page.evaluate(
        """(failed) => {
          const place = document.querySelector('#live .kd-live-error');
          const look = () => { window.told ||= place.textContent.includes(failed); };
          new MutationObserver(look).observe(place, { childList: true, characterData: true });
        }""",
        FAILED,
    )
    main = page.locator("#learn")
    main.click()
    expect(live(page)).not_to_have_attribute("data-step", "0")
    main.click()
    expect(live(page)).to_have_attribute("data-state", "paused")
    page.wait_for_timeout(300)
    step = live(page).get_attribute("data-step")
    page.wait_for_timeout(700)
    assert live(page).get_attribute("data-step") == step
    expect(page.locator("#result .kd-first")).to_be_visible()
    main.click()
    expect(live(page)).to_have_attribute("data-state", "running")
    expect(live(page)).not_to_have_attribute("data-step", step)
    assert int(live(page).get_attribute("data-step")) > int(step)
    main.click()
    expect(live(page)).to_have_attribute("data-state", "paused")
    page.wait_for_timeout(700)  # what gradio says of the cancelled run comes last
    expect(main).to_be_enabled()
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
    opened(page, "pictures")
    page.locator("#source input[value=mine]").check()
    expect(page.locator("#uploads")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    error = page.locator(".kd-live-error")
    expect(error).to_contain_text("Expected at least one picture of yours")
    expect(error).to_be_in_viewport()
    expect(page.locator("#chip-pictures")).to_contain_text("No picture yet")
    expect(page.locator('#live [data-text="step"]')).to_have_text("Step 0")
    expect(live(page)).to_have_attribute("data-state", "before")
    expect(page.locator("#learn")).to_be_enabled()

    opened(page, "pictures")
    page.locator("#uploads input[type=file]").set_input_files(sorted(tmp_path.glob("*.png")))
    expect(page.locator("#notice")).to_contain_text(
        "“holiday.png”, which is no picture or is damaged."
    )
    assert "/" not in page.locator("#notice").inner_text()
    expect(page.locator("#gallery img")).to_have_count(3)
    expect(page.locator(".kd-live-error")).to_be_empty()
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5
    expect(page.locator("#certificate .kd-details")).to_be_visible()  # its last part to come
    expect(page.get_by_text("which is no picture or is damaged")).to_have_count(1)
    assert [line for line in said if "not implemented" in line] == []
    with page.expect_console_message(lambda message: message.text == "Something else."):
        page.evaluate("console.warn('Something else.')")  # which is still heard


def test_a_kernel_of_ones_own(page, server):
    """What is wrong with a pasted matrix is said; a good one is drawn, edited and learned."""
    page.goto(server)
    pick(page, "kernel", "Your own")
    page.get_by_role("button", name="Paste a matrix").click()
    page.locator("#paste textarea").fill("1 2\n3 4")
    page.locator("#use-matrix").click()
    expect(page.locator("#filter-problem .kd-error")).to_contain_text("Expected")
    page.locator("#paste textarea").fill("0 -1 0\n-1 5 -1\n0 -1 0")
    page.locator("#use-matrix").click()
    cell = page.get_by_label("row 2, column 2")
    expect(cell).to_have_value("5")
    cell.fill("6")
    cell.press("Tab")
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5


def test_what_is_wrong_in_a_cell_moves_none(page, server):
    """It is told above the cells, in the place of what the filter is for. A minus is a real one;
    and while there is no true kernel, none is shown."""
    page.goto(f"{server}/?kernel=own")
    expect(page.locator("#chip-filter")).to_contain_text("Your own")  # what the link set is here
    panel = opened(page, "filter")
    cells = page.locator("#editor input")
    expect(cells).to_have_count(9)
    expect(cells.first).to_have_value("−1")
    truth = page.locator("#live [data-kernel=truth]")
    expect(truth).to_have_attribute("aria-label", re.compile("−2"))
    place = cells.first.bounding_box()
    middle = page.get_by_label("row 2, column 2")
    middle.fill("-5x")
    middle.press("Tab")
    problem = page.locator("#filter-problem .kd-error")
    expect(problem).to_be_visible()
    assert cells.first.bounding_box() == place
    assert problem.bounding_box()["y"] < place["y"]
    expect(truth).to_have_attribute("aria-label", "True: –")
    expect(middle).to_have_value("−5x")
    middle.fill("-5")
    middle.press("Tab")
    expect(problem).to_have_count(0)
    expect(truth).to_have_attribute("aria-label", re.compile("−5"))
    assert panel.is_visible()
    assert cells.first.bounding_box() == place


def test_the_box_for_files(page, server, tmp_path):
    """It says what it takes, and nothing lies on it; of many files half a row shows that there are
    more."""
    page.goto(server)
    opened(page, "pictures")
    page.locator("#source input[value=mine]").check()
    box = page.locator("#uploads")
    expect(box).to_be_visible()
    said = "(e) => getComputedStyle(e, '::after').content"
    assert "Drop pictures" in box.locator("[data-testid=upload-text]").evaluate(said)
    assert box.locator("[data-testid=block-label]").evaluate("(e) => e.offsetWidth") <= 1
    pixels = np.random.default_rng(0).integers(0, 256, (60, 60)).astype(np.uint8)
    for number in range(7):
        cv2.imwrite(str(tmp_path / f"{number}.png"), pixels)
    box.locator("input[type=file]").set_input_files(sorted(tmp_path.glob("*.png")))
    rows = box.locator("tr.file")
    expect(rows).to_have_count(7)
    holder = box.locator(".file-preview-holder").evaluate("(e) => e.clientHeight")
    shown = holder / rows.first.evaluate("(e) => e.getBoundingClientRect().height")
    assert 0.3 <= shown % 1 <= 0.7


@pytest.mark.parametrize("font", ["inherit", "monospace"])
def test_nothing_jumps_on_the_page(page, server, font):
    """Cards, kernels and curves keep place and size from first paint to the end of a run.

    In the page's own font and in a wide one.
    """
    places = """() => {
      const place = (e) => { const r = e.getBoundingClientRect();
        return [e.id || e.className, r.x, r.y + scrollY, r.width, r.height]
          .map((n) => (typeof n === 'number' ? Math.round(n) : n)).join(' '); };
      const seen = document.querySelectorAll(`.tab-container [role=tab], .kd-live-card,
        .kd-live canvas:not(.kd-pick-kernel), #timeline, .kd-below`);
      return [...seen].filter((e) => e?.checkVisibility()).map(place);
    }"""
    page.goto(server)
    page.add_style_tag(content=f".gradio-container * {{ font-family: {font} !important; }}")
    expect(page.locator("#learn")).to_be_visible()
    page.wait_for_timeout(300)
    at_first = page.evaluate(places)
    page.locator("#step").click()
    expect(live(page)).to_have_attribute("data-step", "1")
    assert page.evaluate(places) == at_first
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert page.evaluate(places) == at_first


def test_the_hub_that_refuses_is_replaced(page, server):
    """Without the Hub the bundled photos serve, and one line says so."""
    page.goto(server)
    opened(page, "pictures").get_by_role("radio", name="Dataset").check()
    expect(page.locator("#notice")).to_contain_text("bundled photos", timeout=40_000)
    expect(page.locator("#gallery img")).to_have_count(8)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(new_page, server, scheme):
    """At 390 px nothing is wider than the screen, and kernels are in view after Learn."""
    page = new_page(viewport=PHONE, color_scheme=scheme)
    learn(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.locator("#live [data-kernel=learned]")).to_be_in_viewport()


def test_two_visitors_do_not_see_each_other(new_page, server):
    """Two runs at once: each page ends with its own kernel."""
    pages = {"sobel_x": new_page(), "sharpen": new_page()}
    for name, page in pages.items():
        page.goto(server)
        pick(page, "kernel", CATALOGUE[name].label)
        page.keyboard.press("Escape")
    for page in pages.values():
        page.locator("#learn").click()
    for name, page in pages.items():
        expect(live(page)).to_have_attribute("data-done", "true")
        assert learned(page) == pytest.approx(named(name).values.ravel(), abs=0.01)


def test_keyboard_alone(page, server):
    """Each press on Step is one update, and keeps the focus; the main button is the one before it.

    A chip opens its panel and gets the focus back; arrows choose in it.
    """
    page.goto(server)
    page.locator("#step").focus()
    for number in (1, 2, 3):
        page.keyboard.press("Enter")
        expect(live(page)).to_have_attribute("data-step", str(number))
        expect(page.locator("#step")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#learn")).to_be_focused()
    page.keyboard.press("Enter")
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#learn")).to_be_focused()
    page.locator("#chip-method").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#method")).to_be_visible()
    page.locator("#method input[value=kfac]").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#method input[value=adam]")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator("#chip-method")).to_be_focused()
    expect(page.locator("#chip-method")).to_contain_text("Adam")
    expect(live(page)).to_have_attribute("data-state", "before")


def test_another_picture_by_its_thumbnail(page, server):
    """A click or Enter on a thumbnail puts that picture on the stage, and marks it."""
    page.goto(server)
    canvas = page.locator("#live [data-picture=before]")
    expect(canvas).to_be_visible()
    page.wait_for_timeout(500)
    drawn = "(canvas) => canvas.toDataURL()"
    first = canvas.evaluate(drawn)
    opened(page, "pictures")
    page.locator("#gallery button").nth(2).click()
    expect(page.locator("#gallery button").nth(2)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#gallery [aria-pressed=true]")).to_have_count(1)
    page.wait_for_timeout(1000)
    second = canvas.evaluate(drawn)
    page.locator("#gallery button").nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    assert len({first, second, canvas.evaluate(drawn)}) == 3
    expect(page.locator("#gallery button").nth(3)).to_be_focused()


def test_while_it_learns_the_rate_alone_is_offered(page, server):
    """The panel of the method, opened during a run, holds the learning rate and nothing else."""
    at_pace(page, "slow")
    page.goto(f"{server}/?method=adam")
    expect(page.locator("#chip-method")).to_contain_text("Adam")
    page.locator("#learn").click()
    expect(live(page)).not_to_have_attribute("data-step", "0")
    panel = opened(page, "method")
    expect(page.locator("#rate input")).to_be_visible()
    expect(panel.locator("input >> visible=true")).to_have_count(1)
    expect(panel.locator("button >> visible=true")).to_have_count(0)
    expect(page.locator("#chip-pictures")).to_be_disabled()
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-state", "paused")


def test_what_is_stale_is_marked_and_cannot_be_taken(page, server):
    """Another method: the stage is at its start, the rest is greyed out, which is said, and no
    file and no code can be taken. Set back it is current, and a click on a file downloads it."""
    results = [page.locator(f"#{name}") for name in ("result-card", "certificate", "take")]
    downloads = []
    page.on("download", lambda download: downloads.append(download))
    learn(page, server)
    file = page.locator("#take a[download]").first
    expect(file).to_be_visible()
    expect(page.locator("#learn-stale")).to_be_hidden()
    pick(page, "method", "Adam")
    page.keyboard.press("Escape")
    expect(live(page)).to_have_attribute("data-state", "before")
    for each in results:
        expect(each).to_have_attribute("data-stale", "true")
    expect(page.locator("#learn-stale")).to_contain_text("learned with other settings")
    file.click(force=True)
    page.locator("#take .kd-take-copy").click(force=True)
    page.wait_for_timeout(500)
    assert downloads == []
    expect(page.locator("#take .kd-take-copy")).to_have_text("Copy")
    pick(page, "method", "K-FAC")
    page.keyboard.press("Escape")
    expect(live(page)).to_have_attribute("data-state", "finished")
    for each in results:
        expect(each).to_have_attribute("data-stale", "false")
    expect(page.locator("#learn-stale")).to_be_hidden()
    with page.expect_download():
        file.click()
    assert len(downloads) == 1


def test_what_to_do_is_not_said_to_who_does_it(page, server):
    """While another run is on, what is greyed out says no more that one may learn anew."""
    learn(page, server)
    pick(page, "method", "Adam")
    page.keyboard.press("Escape")
    expect(page.locator("#learn-stale .kd-stale")).to_be_visible()
    page.locator("#speed").click()
    page.locator("#speed-slow").click()
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-state", "running")
    expect(page.locator("#result-card")).to_have_attribute("data-stale", "true")
    expect(page.locator("#learn-stale .kd-stale")).to_be_hidden()


def test_a_link_arranges_the_inputs(page, server):
    """A link to the closed form: its line is there, and Steps, of no matter to it, is disabled."""
    page.goto(f"{server}/?method=closed_form&source=hub&kernel=random")
    panel = opened(page, "method")
    page.get_by_text("Steps, batch, tiles, precision, seed").click()
    expect(page.locator("#steps input").first).to_be_disabled()
    expect(page.locator("#method input[value=closed_form]")).to_be_checked()
    expect(panel).to_contain_text("one solve: the best kernel they allow")
    opened(page, "pictures")
    expect(page.locator("#dataset input")).to_be_visible()
    opened(page, "filter")
    expect(page.locator("#seed input")).to_be_visible()


def test_at_rest_no_frame_is_asked_for(new_page, server):
    """A page that shows nothing new costs nothing: within two seconds, at most gradio's clock,
    once a second."""
    page = new_page()
    page.add_init_script(
        """(() => { const frame = requestAnimationFrame.bind(window); window.frames_asked = 0;
             window.requestAnimationFrame = (call) => {
               window.frames_asked += 1;
               return frame(call);
             }; })()"""
    )
    page.goto(server)
    expect(page.locator("#live [data-picture=before]")).to_be_visible()
    asked = "() => window.frames_asked"
    before = -1
    for _ in range(20):  # once all has settled
        page.wait_for_timeout(2000)
        before, last = page.evaluate(asked), before
        if before == last:
            return
    pytest.fail(f"{before - last} frames were asked for in two seconds")


def test_what_needs_no_copy_is_none(page, server):
    """Of texts, numbers and the like, of arrays and objects, what structuredClone() gives is what
    the browser's own gives, as a frame without our script has it; what cannot be cloned, a function
    or a symbol, is refused by the same error."""
    page.goto(server)
    assert page.evaluate("""() => {
      const { structuredClone: own } = document.body.appendChild(document.createElement('iframe'))
        .contentWindow;
      const told = (clone) => ['', 'text', 0, -0, NaN, 1n, true, null, undefined, [1, { a: [2] }],
        { b: null }, new Date(0), () => 1, Symbol('s'), { f: () => 1 }].map((each) => {
          try {
            const copy = clone(each);
            const text = typeof copy === 'bigint' ? `${copy}n` : JSON.stringify(copy);
            return [typeof copy, String(copy), text, Object.is(copy, each)];
          } catch (error) { return error.name; }
        });
      return JSON.stringify(told(structuredClone)) === JSON.stringify(told(own));
    }""")
