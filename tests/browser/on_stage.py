"""The stage by itself, in the words of its tests: what is shown, told and pressed."""

import base64
import json
from pathlib import Path

import cv2
import gradio
import numpy as np

from kernel_demo.ui import components

UNEVEN = np.array([[0.0, 1, -2], [3, 0.5, 0], [-1, 4, 0.25]])  # no symmetry: shows a flipped kernel
# cv2's borders; filter2D refuses wrap, which is numpy's then.
BORDERS = {
    "zero": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
    "wrap": None,
}
SCRIPT = components.script("drawing", "chart", "show", "verdict", "arithmetic")
# Windows, and where the parts must end: of the bar's top, which stands 88 below the window's.
WINDOWS = {(1366, 768): 618, (1280, 720): 591, (1366, 650): 562}


def plex():
    """The page's own font, which comes with gradio, as a style for pages without a server."""
    folder = Path(gradio.__file__).parent / "templates/frontend/static/fonts/IBMPlexSans"
    faces = []
    for weight, name in ((400, "Regular"), (700, "Bold")):
        encoded = base64.b64encode((folder / f"IBMPlexSans-{name}.woff2").read_bytes()).decode()
        source = f"url(data:font/woff2;base64,{encoded})"
        faces.append(
            f"@font-face {{ font-family: 'IBM Plex Sans'; font-weight: {weight}; src: {source}; }}"
        )
    return "".join(faces)


def in_plex(page, margin):
    """Show the stage in that font, with so many pixels at its sides, as the page does."""
    look = f"body {{ margin: 0 {margin}px; }}"
    look += ".kd-live * { font-family: 'IBM Plex Sans' !important; }"
    page.add_style_tag(content=plex() + look)
    page.evaluate(
        "Promise.all(['', '700 '].map((w) => document.fonts.load(`${w}14px 'IBM Plex Sans'`)))"
    )
    page.wait_for_timeout(300)


def grey(pixels, channel="luminance"):
    """The plane that is learned from, in grey levels, float64."""
    levels = pixels.astype(np.float64)
    if channel == "luminance":
        return levels @ [0.299, 0.587, 0.114]
    return levels[..., ["red", "green", "blue"].index(channel)]


def filtered(plane, kernel, border):
    """The whole picture through the kernel, by OpenCV."""
    if BORDERS[border] is not None:
        return cv2.filter2D(plane, cv2.CV_64F, kernel, borderType=BORDERS[border])
    radius = len(kernel) // 2
    wide = cv2.filter2D(np.pad(plane, radius, mode="wrap"), cv2.CV_64F, kernel)
    return wide[radius:-radius, radius:-radius]


def plain(sent):
    return json.loads(json.dumps(sent))


def show(page, sent):
    page.evaluate("(value) => window.show(value)", plain(sent))


def run(page, call, *given):
    """The result of a function of the scripts: run(page, "figure", 0.5)."""
    return page.evaluate(
        "([script, call, given]) => Function(`${script}; return ${call}`)()(...given)",
        [SCRIPT, call, list(given)],
    )


def attribute(page, name):
    return page.locator(".kd-live").get_attribute(f"data-{name}")


def settled(page, **attributes):
    """Wait until the stage shows these attributes."""
    for name, expected in attributes.items():
        page.locator(f".kd-live[data-{name}='{expected}']").wait_for()


def told(page):
    """What the script has told the server of what was pressed."""
    return [one for one in page.evaluate("window.triggered") if one[0] != "arrived"]


def arrivals(page):
    """The steps at which it has told that the show rests."""
    return [said["step"] for name, said in page.evaluate("window.triggered") if name == "arrived"]


def begun(page):
    """A step beyond the first is shown: which one, a busy machine decides."""
    page.locator(".kd-live:not([data-step='0'])").wait_for()


def at_speed(page, name):
    page.locator("#speed").click()
    page.locator(f"#speed-{name}").click()


def listen(page):
    """From now on `written` knows what is written into canvases."""
    page.evaluate(
        """() => { const write = CanvasRenderingContext2D.prototype.fillText;
          window.canvasWords = {};
          const clear = CanvasRenderingContext2D.prototype.clearRect;
          const named = (canvas) => canvas.dataset.curve || canvas.dataset.kernel;
          CanvasRenderingContext2D.prototype.clearRect = function forget(...given) {
            canvasWords[named(this.canvas)] = [];
            clear.apply(this, given); };
          CanvasRenderingContext2D.prototype.fillText = function note(text, ...given) {
            (canvasWords[named(this.canvas)] ||= []).push(text);
            write.call(this, text, ...given); }; }"""
    )


def written(page, name):
    """The words in a curve or kernel as it was drawn last."""
    return page.evaluate("(name) => window.canvasWords[name]", name)


def verdict(page):
    return " ".join(page.locator("[data-text=verdict]").inner_text().split())
