"""What stands before every request."""

import json

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from kernel_demo.ui.serving.guard import MAX_BODY, Guard


async def echo(request):
    return JSONResponse({"length": len(await request.body())})


async def fails(_):
    return JSONResponse({"error": "Traceback"}, 500)


async def breaks(_):
    raise KeyError("data")


@pytest.fixture
def client():
    routes = [Route(path, echo, methods=["POST"]) for path in ("/join", "/upload")]
    routes += [Route(*each, methods=["POST"]) for each in (("/run", fails), ("/call", breaks))]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Guard)]))


def test_an_ordinary_body_arrives_whole(client):
    """What is within the bound reaches the page unchanged."""
    assert client.post("/join", content=b"[1, 2]").json() == {"length": 6}


def test_a_body_beyond_the_bound_is_refused(client):
    """A JSON body of more than 2 MB gets 413 and a sentence, not memory."""
    answer = client.post("/join", content=b"[" + b" " * MAX_BODY + b"]")
    assert answer.status_code == 413
    assert "2 MB" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["http://example.org/a.png", "HTTPS://example.org/a", " http://10.0.0.1/"]
)
def test_a_web_address_as_a_file_is_refused(client, path):
    """The server downloads nothing on a visitor's word, however deep the address hides."""
    body = {"data": [[{"image": {"path": path, "meta": {"_type": "gradio.FileData"}}}]]}
    assert client.post("/join", json=body).status_code == 400
    escaped = json.dumps(body).replace("h", "\\u0068")
    assert client.post("/join", content=escaped).status_code == 400


def test_an_uploaded_file_keeps_its_own_address(client):
    """A file that gradio itself stored is named by a path on the disk and by a local address."""
    body = {"data": [{"path": "/tmp/gradio/a.png", "url": "http://127.0.0.1:7860/file=a.png"}]}
    assert client.post("/join", json=body).status_code == 200


def test_multipart_elsewhere_than_the_upload_route_is_bounded(client):
    """Calling a large body "multipart" is no way around the bound."""
    headers = {"content-type": "multipart/form-data; boundary=x"}
    large = b"x" * (MAX_BODY + 1)
    assert client.post("/join", content=large, headers=headers).status_code == 413
    assert client.post("/upload", content=large, headers=headers).status_code == 200


@pytest.mark.parametrize("body", [b"\x90", b"{\xff}", b"\xff\xfe[\x00"])
def test_bytes_that_are_no_text_are_refused(client, body):
    """They are a client's fault, in a sentence."""
    answer = client.post("/join", content=body)
    assert answer.status_code == 400
    assert "UTF-8" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/run", "/call"])
def test_what_cannot_be_read_is_told_in_a_sentence(client, path):
    """Whether gradio says so or breaks: not as a fault of the server's, and without its words."""
    answer = client.post(path, json={"data": []})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("Expected")
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "vibe-edit",
        "undo-vibe-edit/",
        "process_recording",
        "component_server",
        "stream/a",
        "proxy=",
        "proxy=http://127.0.0.1:9/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_page_does_not_use_is_not_there(client, method, path):
    """Gradio's ways for other apps are closed."""
    assert client.request(method, f"/gradio_api/{path}").status_code == 404
