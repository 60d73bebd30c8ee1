"""A whole folder of the machine, on a server that listens to this machine alone."""

import cv2
from playwright.sync_api import expect

from tests.browser.conftest import opened
from tests.dataset.making import picture


def test_a_folder_is_learned_from(page, server, tmp_path):
    """Its path typed in: progress, then the filter of the page, and what could not be used."""
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page.goto(server)
    opened(page, "pictures")
    expect(page.locator("#whole-folder")).to_have_count(0)
    page.locator("#source").get_by_role("radio", name="Mine").check()
    page.locator("#whole-folder").get_by_text("A whole folder of this machine").click()
    field = page.get_by_label("Folder", exact=True)
    field.fill(str(tmp_path / "nowhere"))
    field.press("Enter")
    told = page.locator("#folder-result")
    expect(told.get_by_role("alert")).to_contain_text("Expected a folder on this machine")
    field.fill(str(tmp_path))
    page.locator("#learn-folder").click()
    expect(told.locator("[data-done=true]")).to_contain_text("3 × 3 from 6 pictures")
    cells = told.locator(".kd-matrix span").all_inner_texts()
    assert cells == ["−1", "0", "1", "−2", "0", "2", "−1", "0", "1"]
    expect(told).to_contain_text("Pictures left out: 1.")
    expect(page.locator("#stop-folder")).to_be_disabled()
    expect(page.locator("#learn-folder")).to_be_enabled()
