"""The challenge, guessed: the picture follows each key."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.imaging.filtering import to_uint8
from kernel_demo.lab.challenge import hidden
from kernel_demo.ui.pictures import middle
from kernel_demo.ui.questions import card, limits
from tests.browser.test_axe import AXE, RUN

LOOK = "() => Number(document.querySelector('.kd-guess')?.dataset.largest)"


def levels():
    (picture, *_), *_ = card.grey("bundled", None)
    return to_uint8(middle(picture, limits.CROP, limits.CROP)).astype(float)


def filtered(kernel):
    return cv2.filter2D(levels(), cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101)


def write(page, kernel):
    """Key by key, without leaving the grid."""
    for (i, j), weight in np.ndenumerate(kernel):
        box = page.locator(f"#challenge-editor [data-i='{i}'][data-j='{j}']")
        box.fill(f"{weight:g}")


@pytest.mark.parametrize("size", [3, 5])
def test_the_preview_is_the_guess_at_work(page, server, size):
    """Its difference to the target is OpenCV's, whatever was typed; none for the hidden kernel."""
    truth = hidden(size, 17).values
    page.goto(f"{server}/?challenge={size}-17")
    page.wait_for_function(f"({LOOK})() >= 0")
    expect(page.locator("#challenge-editor input")).to_have_count(size**2)
    guess = np.zeros((size, size))
    guess[0, 1], guess[size - 1, 0], guess[1, 1] = 1.5, -0.25, 2
    write(page, guess)
    off = np.abs(filtered(guess) - filtered(truth))
    assert page.evaluate(LOOK) == pytest.approx(off.max(), abs=1e-6)
    status = page.locator(".kd-guess [role=status]")
    expect(status).to_contain_text("pixels differ by more than half a grey level")
    expect(status).to_contain_text(f"{round(100 * (off > 0.5).mean())} %")
    write(page, truth)
    assert page.evaluate(LOOK) == 0
    expect(status).to_have_text("No difference in any of these 48\u202f400 pixels.")


def test_no_key_asks_the_server(page, server):
    """What is typed is filtered in the browser; a cell that is no number leaves the picture."""
    page.goto(f"{server}/?challenge=3-17")
    page.wait_for_function(f"({LOOK})() >= 0")
    page.wait_for_timeout(5000)  # the page itself has come to rest
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    box = page.locator("#challenge-editor [data-i='1'][data-j='1']")
    box.focus()
    seen = {page.evaluate(LOOK)}
    for key in ("End", "Backspace", "1", ".", "5"):
        page.keyboard.press(key)
        seen.add(page.evaluate(LOOK))
    assert len(seen) >= 3
    before = page.evaluate(LOOK)
    page.keyboard.press("x")
    assert page.evaluate(LOOK) == before
    expect(page.locator(".kd-guess [role=status]")).to_contain_text("A weight is no number")
    assert not [url for url in asked if "heartbeat" not in url and not url.startswith("data:")]


@pytest.mark.parametrize(("weight", "told"), [("7.5", "7.5"), ("0.3", "0.3"), ("-5/2", "−2.5")])
def test_a_weight_that_cannot_be_right_is_told(page, server, weight, told):
    """As it is typed, and with the score: no hidden kernel has it."""
    page.goto(f"{server}/?challenge=3-17")
    page.wait_for_function(f"({LOOK})() >= 0")
    page.locator("#challenge-editor [data-i='1'][data-j='1']").fill(weight)
    said = f"{told} cannot be right: every weight is a multiple of ½ from −2 to 2."
    status = page.locator(".kd-guess [role=status]")
    expect(status).to_contain_text(said)
    page.locator("#challenge-guess").click()
    expect(page.locator("#challenge-guess-result")).to_contain_text(said)
    expect(page.get_by_text("after your guess", exact=True)).to_have_count(1)
    page.locator("#challenge-editor [data-i='1'][data-j='1']").fill("-2")
    expect(status).not_to_contain_text("cannot be right")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (390, 844)])
def test_four_pictures_of_one_size(new_page, server, size, scheme):
    """Abreast, on a phone two and two; within the page, in its colours, and axe finds nothing."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)), color_scheme=scheme)
    page.goto(f"{server}/?challenge=3-17")
    page.wait_for_function(f"({LOOK})() >= 0")
    boxes = [page.locator(f".kd-guess [data-picture={name}]").bounding_box()
             for name in ("before", "target", "guess", "difference")]  # fmt: skip
    assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1
    assert len({round(box["y"]) for box in boxes}) == (2 if size[0] < 480 else 1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    zero = page.evaluate(
        """() => { const canvas = document.querySelector('.kd-guess [data-picture=guess]');
          return [...canvas.getContext('2d').getImageData(9, 9, 1, 1).data.slice(0, 3)]; }"""
    )
    assert zero == ([0xF5, 0xF5, 0xF2] if scheme == "light" else [0x26, 0x29, 0x31])
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN, []) == []
