"""What every request passes first: bounds on its size, and no downloads on a visitor's word.

Gradio holds the bound on uploads (`max_file_size`), but has none on JSON bodies and on the files
that it would fetch when a client sends a web address in place of an uploaded file's path. What a
file may hold is bounded where it is opened: sources.decoding.
"""

import json

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 2_000_000  # bytes; a 31 x 31 kernel with all its digits takes 20 KB
_TOO_LARGE = "Expected a request of at most 2 MB; got a larger one. Upload files instead."
_ADDRESS = "Expected an uploaded file; got a web address. Download it and upload the file."


class Guard:
    """ASGI middleware; see the module's docstring."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or _is_upload(scope):
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        refusal = _TOO_LARGE if body is None else _ADDRESS if _names_address(body) else ""
        if refusal:
            status = 413 if body is None else 400
            await JSONResponse({"detail": refusal}, status)(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


def _is_upload(scope: Scope) -> bool:
    kind = dict(scope["headers"]).get(b"content-type", b"")
    # Only the upload route takes multipart: elsewhere it would be a way around the bound.
    return kind.startswith(b"multipart/form-data") and scope["path"].endswith("/upload")


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is too large."""
    chunks, total, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        total += len(chunks[-1])
        more = message.get("more_body", False)
        if total > MAX_BODY:
            return None
    return b"".join(chunks)


def _names_address(body: bytes) -> bool:
    """Whether a file in this JSON body is an address on the web."""
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):
        return False  # not JSON: gradio refuses it itself
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(("http:", "https:")):
                return True
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
