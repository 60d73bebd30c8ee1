"""List gradio's files that a visit needs, in their order: python .ci/assets.py ADDRESS

ADDRESS: of the page, served with an empty kernel_demo/ui/serving/assets.txt, which this writes.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

FILE = Path(__file__).parents[1] / "kernel_demo" / "ui" / "serving" / "assets.txt"


def main(address: str) -> None:
    """Open the page once. Among the styles, the list has the theme's at its place."""
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(args=["--no-sandbox"]).new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.goto(address)
        page.wait_for_selector("#learn")
        page.wait_for_timeout(3000)
    (own,) = (path for path in asked if path.startswith("/assets/index-") and path.endswith("css"))
    names = [
        path.removeprefix("/assets/").removeprefix("/")
        for path in asked
        if path == "/theme.css" or (path.startswith("/assets/") and path != own)
    ]
    FILE.write_text("\n".join(dict.fromkeys(names)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
