"""The tab "Recover" as a visitor uses it."""

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


def test_what_is_no_convolution(page, server, pair):
    """The verdict says so, the residual is shown, and no code is offered for it."""
    recover(page, server, pair(lambda image: image.filter(ImageFilter.MedianFilter(3))))
    expect(verdict(page)).to_have_attribute("data-verdict", "not a convolution")
    expect(page.locator("#recover-verdict [aria-live=polite]")).to_contain_text("Not a convolution")
    expect(page.locator("#recover-reproduced .kd-difference")).to_contain_text("residual ×")
    expect(page.locator("#recover-take .kd-take")).to_be_hidden()
    page.get_by_role("radio", name="Before and after").click()
    expect(page.locator("#recover-pair .kd-first")).to_be_visible()


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
