"""The endpoints as an assistant's tools, through the official client of the protocol (MCP).

What comes back is what it reads: text, pictures as pictures, a sentence for what is wrong.
"""

import ast
import base64

import anyio
import cv2
import httpx
import numpy as np
import pytest

from kernel_demo.sources import bundled
from kernel_demo.ui import layout

mcp = pytest.importorskip("mcp", reason="the client of MCP is not installed (requirements-dev.txt)")
from mcp.client.streamable_http import streamable_http_client  # noqa: E402

pytestmark = pytest.mark.served
SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


@pytest.fixture(scope="module")
def served() -> str:
    """The address of a page that is served to assistants, too."""
    page = layout.build()
    _, url, _ = layout.launch(
        page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, mcp_server=True
    )
    return url


@pytest.fixture
def ask(served):
    """Calls a method of a session with the server: ask("call_tool", "learn", {...})."""

    async def asked(method, *arguments):
        async with (
            streamable_http_client(f"{served}gradio_api/mcp/") as (read, write, _),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await getattr(session, method)(*arguments)

    return lambda *arguments: anyio.run(asked, *arguments)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A grey photo, 160 x 180."""
    return cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)[80:240, 120:300]


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def url(picture: np.ndarray) -> str:
    """The picture as an assistant hands it over in a call."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def read(answer) -> dict:
    """The record in an answer."""
    assert not answer.isError, answer.content
    (part,) = answer.content
    return ast.literal_eval(part.text)


def test_three_tools_that_explain_themselves(ask):
    """Learn, apply and recover, and no event of the page; each says what each argument is."""
    tools = {tool.name: tool for tool in ask("list_tools").tools}
    assert set(tools) == {"learn", "apply", "recover"}
    for tool in tools.values():
        assert len(tool.description) > 100
        for name, schema in tool.inputSchema["properties"].items():
            assert len(schema["description"]) > 10, (tool.name, name)
    assert tools["apply"].inputSchema["required"] == ["image", "kernel"]
    assert tools["recover"].inputSchema["required"] == ["before", "after"]
    methods = tools["learn"].inputSchema["properties"]["method"]
    assert (methods["default"], "closed_form" in methods["enum"]) == ("kfac", True)
    assert not ask("list_resources").resources
    assert not ask("list_prompts").prompts


def test_learn_tells_its_end(ask, photo):
    """The answer is the last progress: Sobel, as OpenCV has it, and why learning stopped."""
    told = read(ask("call_tool", "learn", {"pictures": [url(photo)], "files": True}))
    oracle = np.outer(*cv2.getDerivKernels(1, 0, 3)[::-1])
    np.testing.assert_allclose(told["kernel"], oracle, atol=1e-5)
    assert told["done"]
    assert told["stopped_because"]
    assert "import cv2" in next(p["code"] for p in told["programs"] if p["tool"] == "OpenCV")
    npy = httpx.get(told["files"]["learned_kernel.npy"]["url"], trust_env=False)
    assert npy.content.startswith(b"\x93NUMPY")


def test_who_follows_learning_is_told_the_same(ask):
    """With progress asked for there is some on the way, and the end is what it is without."""
    heard = []

    async def hear(progress, total, message):
        heard.append(message)

    answer = ask("call_tool", "learn", {"kernel": "box", "images": 1}, None, hear)
    np.testing.assert_allclose(read(answer)["kernel"], np.full((3, 3), 1 / 9), atol=1e-5)
    assert heard
    answer = ask("call_tool", "learn", {"images": 0}, None, hear)
    assert answer.isError
    assert "images as a whole number from 1 to 8; got 0" in answer.content[0].text


def test_apply_shows_the_picture(ask, photo):
    """A picture comes back as one, as OpenCV filters it."""
    answer = ask("call_tool", "apply", {"image": url(photo), "kernel": SHARPEN})
    picture = answer.content[0]
    assert (picture.type, picture.mimeType) == ("image", "image/png")
    data = np.frombuffer(base64.b64decode(picture.data), np.uint8)
    oracle = cv2.filter2D(photo, -1, np.array(SHARPEN, float))
    assert np.array_equal(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), oracle)


def test_recover_reads_files_that_were_uploaded(ask, served, photo):
    """Two files, uploaded and named by their addresses on the server, as Gradio's helper does."""
    after = cv2.filter2D(photo, -1, np.array(SHARPEN, float))
    files = [("files", (f"{n}.png", png(picture))) for n, picture in enumerate((photo, after))]
    paths = httpx.post(f"{served}gradio_api/upload", files=files, trust_env=False).json()
    before, after = (f"{served}gradio_api/file={path}" for path in paths)
    found = read(ask("call_tool", "recover", {"before": before, "after": after, "max_size": 5}))
    assert (found["verdict"], found["kernel"]) == ("convolution", SHARPEN)
    assert found["explanation"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("learn", {"kernel": "random", "size": 4}, "Expected an odd size from 3 to 31; got 4."),
        ("learn", {"method": "magic"}, "'magic' is not one of"),
        ("learn", {"pictures": ["http://127.0.0.1:9/a.png"]}, "got a web address. Download it"),
        ("apply", {"image": "http://127.0.0.1:9/a.png", "kernel": SHARPEN}, "got a web address"),
        ("apply", {"image": "/etc/hostname", "kernel": SHARPEN}, "a picture file; got none"),
        ("apply", {"image": "data:image/png;base64,%", "kernel": SHARPEN}, "in a data URL; got"),
        ("apply", {"image": "data:,aGVsbG8=", "kernel": SHARPEN}, "in a data URL; got"),
        ("apply", {"kernel": SHARPEN}, "'image' is a required property"),
        ("recover", {"before": "x", "after": "y"}, "a picture file as before; got none"),
        ("show", {}, "Unknown tool"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_sentence(ask, tool, arguments, words):
    """An assistant is told what was expected; nothing on the web is fetched, no file is read."""
    answer = ask("call_tool", tool, arguments)
    assert answer.isError
    (part,) = answer.content
    assert words in part.text
    assert "Traceback" not in part.text
