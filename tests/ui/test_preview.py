"""What a link looks like where it is shared."""

import gzip
from html.parser import HTMLParser

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from kernel_demo.ui import layout
from kernel_demo.ui.serving import preview

HOSTILE = '"><script>alert(1)</script>'


class Tags(HTMLParser):
    """The meta tags of a page's head, by their name: (content, ...)."""

    def __init__(self, text):
        super().__init__()
        self.found, self.titles, self.scripts = {}, [], 0
        self.feed(text.partition("window.gradio_config")[0])

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.scripts += tag == "script"
        if tag == "meta" and "content" in said:
            name = said.get("property") or said["name"]
            self.found.setdefault(name, []).append(said["content"])

    def handle_data(self, data):
        if self.lasttag == "title" and data.strip():
            self.titles.append(data)


def get(address, query="", **headers):
    return Tags(httpx.get(f"{address.rstrip('/')}/{query}", headers=headers, trust_env=False).text)


def test_the_page_itself(address):
    """Title, description and our own picture, each once; nothing of gradio's, no other host."""
    tags = get(address)
    assert tags.found["og:title"] == tags.found["twitter:title"] == [layout.TITLE] == tags.titles
    assert tags.found["og:description"] == tags.found["description"] == [layout.TAGLINE]
    assert tags.found["og:image"] == tags.found["twitter:image"] == [f"{address}preview.png"]
    assert tags.found["twitter:card"] == ["summary_large_image"]
    every = [text for texts in tags.found.values() for text in texts]
    assert not any("gradio" in text.lower() for text in every)
    assert all(text.startswith(address) for text in every if "://" in text)


@pytest.mark.parametrize(
    ("query", "title", "kept"),
    [
        ("?kernel=scharr_x&run=1", "Scharr x, 3 × 3, learned from 8 photos · K-FAC",
         "?kernel=scharr_x&run=1"),
        ("?kernel=random&size=7&n=1&method=adam",
         "Random, 7 × 7, learned from a photo · Adam", "?n=1&kernel=random&size=7&method=adam"),
        ("?challenge=5-17", "Can you guess this 5 × 5 kernel?", "?challenge=5-17"),
        ("?question=depth", "When does depth help?", "?question=depth"),
        ("?example=camera_emboss", "Recover the filter: Pillow: emboss", "?example=camera_emboss"),
        ("?race=kfac,adam&kernel=box", "A race of 2 methods", "?kernel=box&race=kfac,adam"),
        ("?kernel=nonsense&question=none&utm_source=x", layout.TITLE, ""),
    ],
)  # fmt: skip
def test_a_link_says_what_it_shares(address, query, title, kept):
    """In words of the page; its address has what counts of it, and nothing else."""
    tags = get(address, query)
    assert tags.found["og:title"] == [title] == tags.titles
    assert tags.found["og:url"] == [address + kept]


def test_nothing_of_a_link_gets_into_the_page(address):
    """What is no value of ours is not repeated; what is, is escaped."""
    clean = get(address).scripts
    for key in ("kernel", "challenge", "data", "split", HOSTILE):
        tags = get(address, f"?source=hub&{key}={HOSTILE}")
        assert tags.scripts == clean
        assert not any("alert" in text for text in tags.found["og:title"])


def test_the_address_is_the_one_of_the_visitor(address):
    """Behind a proxy that says so, as on a Space: https, and the proxy's own host."""
    said = {"x-forwarded-proto": "https", "x-forwarded-host": "someone-demo.hf.space"}
    tags = get(address, "?kernel=box", **said)
    assert tags.found["og:image"] == ["https://someone-demo.hf.space/preview.png"]
    assert tags.found["og:url"] == ["https://someone-demo.hf.space/?kernel=box"]


def test_the_picture_is_ours(address):
    """1200 x 630, small enough for every messenger, and a share card as the page makes them."""
    answer = httpx.get(f"{address}preview.png", trust_env=False)
    assert answer.headers["content-type"] == "image/png"
    assert len(answer.content) < 300_000
    with Image.open(preview.PICTURE) as picture:
        assert picture.size == (preview.WIDTH, preview.HEIGHT) == (1200, 630)
        red, green, blue = picture.convert("RGB").getpixel((83, 150))  # the true kernel's first −1
    assert blue > red + 30


def test_anything_else_passes():
    """What is compressed, no page, or elsewhere goes out byte for byte."""
    page = b'<html><meta charset="utf-8" /><meta property="og:title" content="Gradio" /></html>'
    packed = Response(gzip.compress(page), 200, {"content-encoding": "gzip"}, "text/html")
    kinds = {"/": packed, "/other": HTMLResponse(page)}
    describe = Middleware(preview.Preview, describe=lambda asked: ("a", "b", {}))
    for path, answer in kinds.items():
        app = Starlette(routes=[Route(path, lambda _, it=answer: it)], middleware=[describe])
        assert TestClient(app).get(path).content == page
