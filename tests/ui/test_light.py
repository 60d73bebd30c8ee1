"""What a visit brings: files that are kept, compressed answers, streams as they are."""

import asyncio
import json
import os
import re

import brotli
import httpx
import numpy as np
import pytest

from kernel_demo.sources import bundled
from kernel_demo.sources.decoding import Photo, decode
from kernel_demo.ui import pictures, served, theme
from kernel_demo.ui.learn import showing
from kernel_demo.ui.serving import bundle, once
from kernel_demo.ui.serving.light import A_DAY, FOR_GOOD, Light

PACKED = {"accept-encoding": "gzip, br"}


def get(address, path="", **headers):
    where = address.rstrip("/") + "/" + path
    return httpx.get(where, headers=PACKED | headers, trust_env=False, verify=False)


@pytest.fixture(scope="module")
def html(address):
    return get(address).text


@pytest.fixture(scope="module")
def config(address, html):
    """The address of what the page is made of, and its text."""
    (path,) = re.findall(r'src="(kept/config\.js\?v=\w+)"', html)
    return path, get(address, path).text


def test_the_page_is_small(html, config):
    """At most 200 KB of HTML; what the page is made of holds no picture and no script."""
    assert len(html.encode()) <= 200_000
    assert "data:image" not in config[1].replace("data:image/svg", "")
    scripts = re.findall(r'"js_on_load":"((?:[^"\\]|\\.)*)"', config[1])
    assert scripts
    assert max(map(len, scripts)) <= 1500


@pytest.fixture(scope="module")
def made(config):
    """What the page is made of."""
    text, _, _ = config[1].removeprefix("window.gradio_config = ").partition(";\n")
    return json.loads(text)


@pytest.fixture(scope="module")
def told(address):
    """What gradio's own address tells that it is made of."""
    return get(address, "config").json()


def test_the_page_is_made_of_what_gradio_says(address, html, config, made, told):
    """The configuration of gradio's own address but for its root and its lists; and its lists hold
    nothing that is not there.
    """
    lists = {"components", "dependencies", "layout", "page"}
    for key in told.keys() - lists - {"root"}:
        assert made[key] == told[key], key
    parts = {part["id"]: part for part in told["components"]}
    for part in made["components"]:
        assert part.items() <= parts[part["id"]].items()
        assert parts[part["id"]]["props"] == part["props"]
    events = {event["id"]: event for event in told["dependencies"]}
    for event in made["dependencies"]:
        own = events[event["id"]]
        assert event | {"targets": own["targets"]} == own
        assert event["targets"] == [target for target in own["targets"] if target[0] is not None]
    assert f'data-root="{address.rstrip("/")}"' in html
    elsewhere = get(address, host="elsewhere.test:80").text
    assert 'data-root="http://elsewhere.test' in elsewhere
    assert config[0] in elsewhere


def test_nothing_that_a_visitor_meets_is_left_out(made, told):
    """Every part that is seen or heard is there at its place, in the page and in its list; and
    every event that a part tells of, or that follows another one.
    """
    unseen = ("api", "state")
    heard = {target[0] for event in told["dependencies"] for target in event["targets"]}
    ids = {
        part["id"]
        for part in told["components"]
        if part["type"] not in unseen or part["id"] in heard
    }
    assert {part["id"] for part in made["components"]} == ids == set(made["page"][""]["components"])

    def places(node, above=()):
        kept = [each for each in node.get("children", ()) if each["id"] in ids]
        yield above, node["id"]
        for each in kept:
            yield from places(each, (*above, node["id"]))

    for ours, theirs in ((made, told), (made["page"][""], told["page"][""])):
        assert list(places(ours["layout"])) == list(places(theirs["layout"]))
    follows = {
        event["id"]
        for event in told["dependencies"]
        if event["trigger_after"] is not None
        or any(part is not None for part, _ in event["targets"])
    }
    assert {event["id"] for event in made["dependencies"]} == follows
    assert set(made["page"][""]["dependencies"]) == follows
    after = {event["trigger_after"] for event in made["dependencies"]} - {None}
    assert after <= follows


@pytest.mark.parametrize("path", ["", "config", "gradio_api/info"])
def test_answers_are_compressed(address, path):
    """The page and what is told in JSON; those who take none of it get the same, plain."""
    packed, plain = get(address, path), get(address, path, **{"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.text == plain.text


def test_what_is_kept_for_good(address, html, config):
    """Files named by their content; not the page. Every one that is named is there."""
    assert "cache-control" not in get(address).headers
    named = set(re.findall(r"kept/\w+\.\w+", html + config[1] + get(address, "theme.css").text))
    assert len(named) > 15
    theirs = re.findall(r"assets/[\w-]+\.(?:js|css)", html)
    sheet = re.search(r"theme\.css\?v=\w+", config[1] + html)
    for path in [*named - {"kept/config.js"}, config[0], *theirs, sheet[0]]:
        answer = get(address, path)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == FOR_GOOD, path
    font = get(address, "static/fonts/IBMPlexSans/IBMPlexSans-Regular.woff2")
    assert font.headers["cache-control"] == A_DAY
    assert get(address, "kept/none.js").status_code == 404


def test_a_page_of_before_the_server_started_anew(address, config):
    """Whoever asks for another version gets that of now, and does not keep it under that name."""
    answer = get(address, "kept/config.js?v=0123")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == config[1]


@pytest.mark.parametrize(
    "told", [{"username": "ann"}, {"auth_required": True}, {"username": None, "is_colab": True}]
)
def test_a_page_of_somebodys_own_stays_whole(told):
    """What says who it is for goes into no file that others could ask for."""
    written = json.dumps({"is_colab": False, **told, "root": ""}, separators=(",", ":"))
    page = f"<script>window.gradio_config = {written};</script>".encode()
    light = Light(None)
    assert light.parted(page) == page
    assert not light.config


@pytest.mark.parametrize("path", ["/gradio_api/queue/data", "/gradio_api/call/learn/1"])
def test_streams_pass_as_they_come(path):
    """Each event has left, plain, before the next one is made."""
    sent = []

    async def app(scope, receive, send):
        start = {"type": "http.response.start", "status": 200}
        await send(start | {"headers": [(b"content-type", b"text/event-stream")]})
        for number in range(3):
            body = b"data: " + b"%d" % number * 2000
            await send({"type": "http.response.body", "body": body, "more_body": True})
            assert sent[-1]["body"] == body
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"",
        "headers": [(b"accept-encoding", b"gzip, br")],
    }  # fmt: skip
    asyncio.run(Light(app)(scope, None, send))
    assert dict(sent[0]["headers"]).get(b"content-encoding") is None
    assert len(sent) == 5


def test_a_file_is_the_same_compressed_well():
    """Whenever it is asked for, quickly or well compressed."""
    light = Light(None)
    content = b"one two three " * 1000
    light.compress("one.js", content)
    light.worker.shutdown(wait=True)
    assert brotli.decompress(light.dense["one.js"]) == content


def test_a_photo_is_brought_by_its_own_file():
    """The part of a JPEG that the stage shows has the pixels of the photo, and their sum."""
    for number in range(bundled.COUNT):
        told = showing.piece_of(bundled.photos(), number, "luminance")
        file = told["file"]
        held = decode(served.content(file["url"].removeprefix(served.PLACE)), "it").pixels
        rows = slice(file["top"], file["top"] + told["height"])
        columns = slice(file["left"], file["left"] + told["width"])
        across = slice(told["left"], told["left"] + told["width"])
        down = slice(told["top"], told["top"] + told["height"])
        photo = bundled.photos()[number].pixels
        np.testing.assert_array_equal(held[rows, columns], photo[down, across])


def test_own_pictures_are_nobody_elses():
    """A visitor's own picture is in the answer to that visitor alone."""
    before = len(served._FILES)
    photo = Photo("mine", np.random.default_rng(0).random((40, 50, 3), np.float32))
    told = showing.piece_of([photo], 0, "luminance")
    assert told["url"].startswith("data:image/png")
    assert told["file"] is None
    assert 'src="data:' in pictures.gallery([photo], 0)
    assert len(served._FILES) == before


def test_the_fonts_are_small():
    """At most 50 KB for all that the page writes."""
    assert 0 < sum(font.stat().st_size for font in theme.FONTS) <= 50_000


def test_gradios_files_are_asked_for_at_once(html, address):
    """Each script and style sheet that the page names is there. The styles are in the theme's, or
    in the file that comes before it; that and the theme's are asked for at once, too.
    """
    named = re.findall(r'href="\./assets/([\w-]+\.(?:js|css))"', html)
    assert sorted({*bundle.LIST.read_text("utf-8").split()} - {"theme.css"}) == sorted(
        set(named) - set(re.findall(r'crossorigin href="\./assets/([\w-]+\.css)"', html))
    )
    sheets = re.findall(r'<link rel="stylesheet" disabled href="\./(assets/[^"]+)">', html)
    assert len(sheets) > 20
    (first,) = re.findall(r'<link rel="stylesheet" href="(kept/\w+\.css)">', html)
    (theme_path,) = re.findall(r'<link rel="preload" as="style" href="(theme\.css\?v=\w+)">', html)
    before, after = get(address, first).text, get(address, theme_path).text
    for path in sheets:
        assert (get(address, path).text in before) != (get(address, path).text in after), path


def test_the_fonts_of_words_are_asked_for_at_once(html, address):
    """They are those of the theme."""
    fonts = re.findall(r'<link rel="preload" as="font" [^>]*href="(kept/\w+\.woff2)">', html)
    assert len(fonts) == 2
    sheet = get(address, "theme.css").text
    for font in fonts:
        assert f"url('{font}')" in sheet


def test_each_style_is_told_once(address):
    """A rule of ours stands once in the theme's style sheet."""
    assert get(address, "theme.css").text.count(".kd-stage-tab {") == 1


def test_another_gradio_is_left_alone(tmp_path, monkeypatch):
    """Where one of the files is not there, nothing is said of any."""
    monkeypatch.setattr(bundle, "FOLDER", tmp_path)
    assert bundle.hints() == bundle.styles() == ""


def test_one_script_of_gradios_is_mended(address):
    """It differs from gradio's own where the page would be made a second time, and nowhere else; it
    is kept like its neighbours. Of a gradio whose script has other words none is changed.
    """
    ((path, mended),) = once.scripts().items()
    answer = get(address, path[1:])
    assert answer.content == mended
    assert answer.headers["cache-control"] == FOR_GOOD
    own = (bundle.FOLDER / path.removeprefix("/assets/")).read_text("utf-8")
    same = len(os.path.commonprefix([own, mended.decode()]))
    added = len(mended.decode()) - len(own)
    assert 0 < added < 60
    assert own[same + 60 :] == mended.decode()[same + 60 + added :]


def test_a_script_of_other_words_is_left_alone(tmp_path, monkeypatch):
    """Where the words are not there, or twice, gradio's script is served as it is."""
    names = bundle.named(".js")
    for name in bundle.LIST.read_text("utf-8").split():
        (tmp_path / name).write_text("")
    (script,) = (tmp_path / name for name in names if name.startswith("Blocks-"))
    words = (bundle.FOLDER / script.name).read_text("utf-8")
    monkeypatch.setattr(bundle, "FOLDER", tmp_path)
    assert once.scripts() == {}
    script.write_text(words * 2)
    assert once.scripts() == {}
    script.write_text(words)
    assert list(once.scripts()) == [f"/assets/{script.name}"]
