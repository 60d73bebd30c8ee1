"""The tab "Recover" as a visitor uses it."""

import re

import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import expect

from kernel_demo.sources.bundled import FOLDER


@pytest.fixture
def pair(tmp_path):
    """pair(change): the paths of a small photo and of what `change` makes of it."""

    def make(change):
        before = Image.open(FOLDER / "camera.jpg").convert("L").crop((120, 80, 280, 200))
        paths = tmp_path / "before.png", tmp_path / "after.png"
        before.save(paths[0])
        change(before).save(paths[1])
        return paths

    return make


def recover(page, server, paths):
    page.goto(server)
    page.get_by_role("tab", name="Recover").click()
    for side, path in zip(("before", "after"), paths, strict=True):
        page.locator(f"#recover-{side} input[type=file]").set_input_files(path)
        expect(page.locator(f"#recover-{side} .file")).to_have_count(1)
    page.locator("#recover").click()


def verdict(page):
    return page.locator("#recover-verdict [data-verdict]")


@pytest.mark.glance
def test_from_a_pair_to_code(page, server, pair):
    """Upload, recover: verdict and kernel are there, and code and files can be had."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    recover(page, server, pair(lambda image: image.filter(ImageFilter.EMBOSS)))
    expect(verdict(page)).to_have_attribute("data-verdict", "convolution")
    expect(page.locator("#recover-kernel .kd-matrix span")).to_have_count(9)
    expect(page.locator("#recover-kernel .kd-exactly")).to_contain_text("+ 128")
    expect(page.locator("#recover-reproduced .kd-first")).to_be_visible()
    expect(page.locator("#recover-reproduced .kd-difference")).to_contain_text("residual: none")
    page.get_by_role("tab", name="PyTorch").click()
    page.locator("#recover-take .kd-take-copy").click()
    expect(page.locator("#recover-take .kd-take-copy")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "import torch" in copied
    assert copied == page.locator("#recover-take code").text_content()
    with page.expect_download() as download:
        page.locator("#recover-take").get_by_role("link", name=".npy").click()
    assert download.value.suggested_filename.endswith(".npy")


def choose_size(page, text):
    page.locator("#recover-size input").click()
    page.get_by_role("option", name=text, exact=True).click()


def test_what_was_found_up_to_another_size(page, server, pair):
    """All of it is marked, in words too, and nothing can be taken until it is set back."""
    recover(page, server, pair(lambda image: image.filter(ImageFilter.EMBOSS)))
    link = page.locator("#recover-take a[download$='.npy']")
    expect(link).to_be_visible()
    expect(page.locator("#recover-stale")).to_be_hidden()
    downloads = []
    page.on("download", lambda one: downloads.append(one))
    choose_size(page, "7 × 7")
    for part in ("verdict", "kernel", "pictures", "take"):
        expect(page.locator(f"#recover-{part}")).to_have_attribute("data-stale", "true")
    expect(page.locator("#recover-stale")).to_contain_text("found in another pair")
    link.click(force=True)
    link.focus()
    page.keyboard.press("Enter")
    choose_size(page, "15 × 15")
    for part in ("verdict", "kernel", "pictures", "take"):
        expect(page.locator(f"#recover-{part}")).to_have_attribute("data-stale", "false")
    with page.expect_download():
        link.click()
    assert len(downloads) == 1


SCREENS = pytest.mark.parametrize("screen", [(1366, 768), (390, 844)], ids=["laptop", "telephone"])


def shown_on(new_page, screen, **options):
    return new_page(viewport={"width": screen[0], "height": screen[1]}, **options)


def fits(page, screen):
    return page.evaluate("document.documentElement.scrollWidth") <= screen[0]


@SCREENS
def test_what_is_no_convolution(new_page, server, pair, screen):
    """A median is shown as one: its picture, its code; the nearest kernel is behind a fold."""
    page = shown_on(new_page, screen)
    recover(page, server, pair(lambda image: image.filter(ImageFilter.MedianFilter(3))))
    expect(verdict(page)).to_have_attribute("data-verdict", "not a convolution")
    expect(page.locator("#recover-verdict [aria-live=polite]")).to_contain_text("a median filter")
    card = page.locator("#recover-kernel")
    expect(card.get_by_role("heading", name="The operation")).to_be_visible()
    expect(page.locator("#recover-reproduced .kd-difference")).to_contain_text("residual: none")
    expect(page.locator("#recover-take code")).to_contain_text("cv2.medianBlur(x, 3)")
    expect(card.locator(".kd-matrix")).to_be_hidden()
    card.locator("summary").click()
    expect(card.locator(".kd-matrix")).to_be_visible()
    assert fits(page, screen)
    page.get_by_role("radio", name="Before and after").click()
    expect(page.locator("#recover-pair .kd-first")).to_be_visible()


@SCREENS
def test_a_curve_is_drawn(new_page, server, pair, screen):
    """A gamma curve, through the middle of what it makes of grey."""
    page = shown_on(new_page, screen, color_scheme="dark")
    recover(page, server, pair(lambda image: image.point(lambda v: 255 * (v / 255) ** 0.5 + 0.5)))
    expect(verdict(page)).to_contain_text("a gamma curve with exponent 0.50")
    line = page.locator("#recover-kernel .kd-curve polyline")
    expect(line).to_be_visible()
    points = dict(one.split(",") for one in line.get_attribute("points").split())
    assert abs(255 - float(points["64"]) - 255 * (64 / 255) ** 0.5) <= 0.5
    box, drawing = line.bounding_box(), page.locator(".kd-curve svg").bounding_box()
    assert box["height"] > 0.9 * drawing["height"]
    assert fits(page, screen)


@SCREENS
def test_bars_that_are_guaranteed_come_and_say_so(new_page, server, pair, screen):
    """Every weight of a clean filter has its bar, which the facts beside it call guaranteed."""
    page = shown_on(new_page, screen)
    emboss = ImageFilter.Kernel((3, 3), (-1, 0, 1, -2, 0, 2, -1, 0, 1), scale=4, offset=128)
    recover(page, server, pair(lambda image: image.filter(emboss)))
    card = page.locator("#recover-kernel")
    expect(card).to_contain_text("guaranteed: no kernel of this size")
    expect(card.locator(".kd-matrix small")).to_have_count(9)
    expect(card.locator(".kd-matrix span").first).to_have_attribute(
        "title", re.compile("guaranteed .* to ")
    )
    assert fits(page, screen)


def test_a_broken_file(page, server, pair):
    """One sentence, once, with the file's own name and no folder; the other file stays."""
    paths = pair(lambda image: image)
    paths[1].write_bytes(paths[1].read_bytes()[:500])
    recover(page, server, paths)
    problem = page.locator("#recover-progress .kd-error")
    expect(problem).to_contain_text("after.png")
    assert "/" not in problem.inner_text()
    expect(page.get_by_text("damaged or cut short")).to_have_count(1)
    expect(page.locator("#recover-before .file")).to_have_count(1)


def test_what_was_lacking_is_said_no_more_once_it_is_there(page, server, pair):
    """Recover with one picture says that the other lacks, until that is chosen."""
    before, after = pair(lambda image: image.filter(ImageFilter.EMBOSS))
    page.goto(server)
    page.get_by_role("tab", name="Recover").click()
    page.locator("#recover-before input[type=file]").set_input_files(before)
    expect(page.locator("#recover-chosen img")).to_have_count(1)
    page.locator("#recover").click()
    error = page.locator("#recover-progress .kd-error")
    expect(error).to_contain_text("Expected a picture after; got none.")
    page.locator("#recover-after input[type=file]").set_input_files(after)
    expect(page.locator("#recover-chosen img")).to_have_count(2)
    expect(error).to_have_count(0)
    page.locator("#recover").click()
    expect(verdict(page)).to_have_attribute("data-verdict", "convolution")


def test_an_error_on_a_phone_is_in_view(new_page, server, pair):
    """Pressed without files, and with one that is none: the sentence is on the screen."""
    page = new_page(viewport={"width": 390, "height": 844})
    page.goto(server)
    page.get_by_role("tab", name="Recover").click()
    page.locator("#recover").click()
    problem = page.locator("#recover-progress .kd-error")
    expect(problem).to_contain_text("a picture before")
    expect(problem).to_be_in_viewport(ratio=1)
    paths = pair(lambda image: image)
    paths[1].write_bytes(paths[1].read_bytes()[:500])
    for side, path in zip(("before", "after"), paths, strict=True):
        page.locator(f"#recover-{side} input[type=file]").set_input_files(path)
        expect(page.locator(f"#recover-{side} .file")).to_have_count(1)
    page.locator("#recover").click()
    expect(problem).to_contain_text("after.png")
    expect(problem).to_be_in_viewport(ratio=1)


BROKEN = """() => {
  const broken = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walk.nextNode());) {
    const { parentElement: place } = text;
    if (!place.checkVisibility() || place.closest('svg, style, script')) continue;
    for (const { 0: word, index } of text.data.matchAll(/[^\\s\u200b]+/g)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = [...range.getClientRects()].filter(({ width }) => width > 0.5);
      const tops = lines.map(({ top }) => top);
      if (Math.max(...tops) - Math.min(...tops) > 4) broken.push(word);
    }
  }
  return broken;
}"""


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (390, 844)])
def test_no_word_is_broken(new_page, server, size):
    """Commands, files and numbers go on in another line between words alone; and on a phone, too,
    the button that copies covers no line of code."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    page.goto(f"{server}/?example=camera_gaussian&run=1")
    expect(page.locator("#recover-take a[download]").first).to_be_visible()
    assert page.evaluate(BROKEN) == []
    code = page.locator("#recover-take code").bounding_box()
    copy = page.locator("#recover-take .kd-take-copy").bounding_box()
    assert size[0] > 700 or copy["y"] + copy["height"] <= code["y"]


# What the page asks the server for waits until `release`.
HOLD = """() => {
  const [ask, held] = [window.fetch, []];
  window.fetch = (...what) => new Promise((answer) => { held.push(() => answer(ask(...what))); });
  window.release = () => { window.fetch = ask; held.forEach((call) => call()); };
}"""


def test_a_verdict_of_before_says_so_at_once(page, server, pair, tmp_path):
    """Pale and named as of before as soon as the files are taken away or a broken one is chosen,
    without an answer of the server, and beside what Recover says of that file."""
    recover(page, server, pair(lambda image: image.filter(ImageFilter.EMBOSS)))
    expect(verdict(page)).to_have_attribute("data-verdict", "convolution")
    expect(page.locator("#recover-take a[download]").first).to_be_visible()
    page.evaluate(HOLD)
    page.locator("#recover-anew").click()
    place = page.locator("#recover-verdict")
    expect(place).to_have_attribute("data-stale", "true", timeout=2000)
    expect(page.locator("#recover-after .file")).to_have_count(0)
    page.evaluate("release()")
    (tmp_path / "broken.png").write_bytes(b"none")
    page.locator("#recover-before input[type=file]").set_input_files(tmp_path / "broken.png")
    expect(page.locator("#recover-chosen .kd-error")).to_contain_text("broken.png")
    page.locator("#recover").click()
    expect(page.locator("#recover-progress .kd-error")).to_contain_text("broken.png")
    expect(place).to_have_attribute("data-stale", "true")
    card = page.locator("#recover-verdict .kd-verdict")
    tag = card.evaluate("(card) => getComputedStyle(card, '::before').content")
    assert "Found before" in tag


# From now on: whether it has been at work, and whether the note could be seen meanwhile.
ASKED = """() => {
  [window.worked, window.asked] = [false, false];
  new MutationObserver(() => {
    if (!document.querySelector('#recover-progress .kd-working')) return;
    window.worked = true;
    window.asked ||= document.querySelector('#recover-stale .kd-stale').checkVisibility();
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
}"""


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720)])
def test_a_chosen_pair_leaves_the_button_in_view(new_page, server, pair, size):
    """With a pair chosen, the button and the line below it are on the screen; nobody is told to
    press it while it is at work on another pair."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    recover(page, server, pair(lambda image: image.filter(ImageFilter.EMBOSS)))
    for part in ("#recover", "#recover-progress"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    expect(page.locator("#recover-kernel")).to_contain_text("guaranteed: no kernel of this size")
    paths = pair(lambda image: image.filter(ImageFilter.MedianFilter(5)))
    page.locator("#recover-anew").click()
    for side, path in zip(("before", "after"), paths, strict=True):
        page.locator(f"#recover-{side} input[type=file]").set_input_files(path)
        expect(page.locator(f"#recover-{side} .file")).to_have_count(1)
    expect(page.locator("#recover-stale")).to_contain_text("found in another pair")
    page.evaluate(ASKED)
    page.locator("#recover").click()
    expect(verdict(page)).to_have_attribute("data-verdict", "not a convolution")
    assert page.evaluate("[worked, asked]") == [True, False]


def test_another_pair_takes_the_place_of_the_first(page, server, pair):
    """One press takes both sides away; the result stays, greyed out, until there is another."""
    paths = pair(lambda image: image.filter(ImageFilter.EMBOSS))
    recover(page, server, paths)
    expect(verdict(page)).to_have_attribute("data-verdict", "convolution")
    told = page.locator("#recover-progress")
    expect(told).to_contain_text("1 pair · 19 200 pixels · ")
    page.locator("#recover-anew").click()
    for side in ("before", "after"):
        expect(page.locator(f"#recover-{side} .file")).to_have_count(0)
    expect(told).not_to_contain_text("19 200")
    expect(page.locator("#recover-chosen img")).to_have_count(0)
    expect(page.locator("#recover-anew")).to_be_hidden()
    expect(page.locator("#recover-verdict")).to_have_attribute("data-stale", "true")
    for side, path in zip(("before", "after"), paths[::-1], strict=True):
        page.locator(f"#recover-{side} input[type=file]").set_input_files(path)
        expect(page.locator(f"#recover-{side} .file")).to_have_count(1)
    expect(page.locator("#recover-chosen img")).to_have_count(2)


def test_an_example_on_a_phone(new_page, server):
    """One press fills both sides and recovers; nothing is wider than the screen."""
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto(server)
    page.get_by_role("tab", name="Recover").click()
    page.locator(".kd-example").first.click()
    expect(verdict(page)).to_be_in_viewport()
    expect(page.locator("#recover-chosen img")).to_have_count(2)
    expect(page.locator("#recover-take .kd-take")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    widest = "Math.max(...[...document.querySelectorAll('.kd-card')].map((e) => e.clientWidth))"
    assert page.evaluate(widest) <= 390


# From now on: what the note has said, each time that it could be seen.
NOTED = """() => {
  window.noted = [];
  const look = () => {
    const note = document.querySelector('#recover-stale .kd-stale');
    if (note && !note.hidden) window.noted.push(note.textContent);
  };
  const all = { childList: true, subtree: true, attributes: true };
  new MutationObserver(look).observe(document.querySelector('#recover-stale'), all);
}"""


def test_another_example_on_a_desktop(new_page, server):
    """Pressed below a result, it brings the new verdict into view, and nobody is told meanwhile to
    press what looks for it already; another size then is stale as ever."""
    page = new_page(viewport={"width": 1366, "height": 768})
    page.goto(server)
    page.get_by_role("tab", name="Recover").click()
    page.locator(".kd-example").first.click()
    expect(page.locator("#recover-take .kd-take")).to_be_visible()
    before = verdict(page).inner_text()
    last = page.locator(".kd-example").last
    last.scroll_into_view_if_needed()
    expect(verdict(page)).not_to_be_in_viewport()
    page.evaluate(NOTED)
    last.click()
    expect(page.locator("#recover-progress .kd-working")).to_be_in_viewport()
    expect(verdict(page)).not_to_have_text(before)
    expect(page.locator("#recover-verdict")).to_have_attribute("data-stale", "false")
    expect(verdict(page).get_by_role("heading")).to_be_in_viewport()
    assert page.evaluate("noted") == []
    choose_size(page, "7 × 7")
    expect(page.locator("#recover-stale")).to_contain_text("found in another pair")
