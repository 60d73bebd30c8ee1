"""Make the picture that a link to the page has: the share card of a run of its defaults.

    python -m tests.browser.preview ADDRESS

ADDRESS is where the page is served. Needs a Chromium, as the tests do.
"""

import io
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from kernel_demo.ui import layout
from kernel_demo.ui.serving import preview
from tests.browser.conftest import ARGUMENTS, executable

# In place of the address: the picture serves every one.
NAMELESS = """([host, tagline]) => {
  const write = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function put(text, ...given) {
    write.call(this, text.startsWith(host) ? tagline : text, ...given); }; }"""


def main(address: str) -> None:
    """Write preview.PICTURE."""
    host = address.split("//")[-1].strip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        page = browser.new_page(reduced_motion="reduce", color_scheme="light")
        page.goto(f"{address}/?run=1")
        page.locator("#live .kd-live[data-done=true]").wait_for()
        page.evaluate(NAMELESS, [host, layout.TAGLINE])
        page.locator(".kd-share-open").click()
        with page.expect_download() as download:
            page.locator(".kd-share-main").click()
        card = Image.open(download.value.path()).convert("RGB")
        browser.close()
    small = card.resize((preview.WIDTH, preview.HEIGHT), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.quantize(128, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    preview.PICTURE.write_bytes(file.getvalue())


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
