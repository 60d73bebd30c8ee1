"""Results are saved from the page as files that other programs open."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect


def saved(page, press, tmp_path):
    with page.expect_download() as download:
        press.click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path.name, cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_the_whole_picture_of_learn(new_page, server, tmp_path, size):
    """True minus learned is the difference, pixel by pixel, by the factors in the files' names."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    page.goto(server)
    expect(page.locator("#result-files")).to_be_hidden()
    page.goto(f"{server}/?method=adam&steps=30&run=1")
    expect(page.locator("#result .kd-first")).to_be_visible()
    levels = {}
    for which in ("learned", "true", "difference"):
        name, samples = saved(page, page.locator(f"#save-{which}"), tmp_path)
        assert name.startswith(f"coffee_cup_{which}_zero_32768_times_")
        factor = float(name.removesuffix(".png").rpartition("_")[2])
        levels[which] = (samples.astype(float) - 32768) / factor
    assert levels["true"].shape == (400, 600)
    step = 0.11  # half a sample of each of the two: their factor is 10
    assert np.abs(levels["true"] - levels["learned"] - levels["difference"]).max() < step
    assert np.abs(levels["difference"]).max() > 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_recover_shows(page, server, tmp_path):
    """The picture that the recovered kernel makes is the file that the tool made."""
    page.goto(f"{server}/?example=cat_sharpen&run=1")
    expect(page.locator("#recover-reproduced .kd-first")).to_be_visible()
    links = page.locator("#recover-reproduced .kd-result-files a")
    name, made = saved(page, links.first, tmp_path)
    assert name == "reproduced.png"
    real = cv2.imread("examples/recover/cat_sharpen.png", cv2.IMREAD_UNCHANGED)
    assert (made[..., :3] == real[..., :3]).mean() > 0.97
    name, residual = saved(page, links.nth(1), tmp_path)
    assert name.startswith("residual_")
    assert residual.shape[:2] == real.shape[:2]
