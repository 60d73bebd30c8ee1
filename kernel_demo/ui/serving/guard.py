"""What every request passes first: bounds on its size, and no downloads on a visitor's word.

What a client made up is refused in a sentence, and is no fault of the server's: gradio answers by
500 whatever the reason, while runs fail elsewhere, in the queue. The log tells the reason.

Gradio holds the bound on uploads (`max_file_size`), but has none on JSON bodies and on the files
that it would fetch when a client sends a web address in place of an uploaded file's path. What a
file may hold is bounded where it is opened: sources.decoding.
"""

import json
import os
import re
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel_demo.ui.serving.journal import LOG

MAX_BODY = 2_000_000  # bytes; a 31 x 31 kernel with all its digits takes 20 KB
_TOO_LARGE = "Expected a request of at most 2 MB; got a larger one. Upload files instead."
_NO_TEXT = "Expected a request in UTF-8; got other bytes. Send JSON, or upload files."
_ABSENT = "Expected a request of this page; got one for something that it does not have."
_NO_CALL = "Expected the values that this page sends; got others, or it went wrong. Try it again."
# Of gradio's, and of no use here: an app's own editor, video, the methods of components, streams,
# other apps, links to what a session shows.
_UNUSED = re.compile(
    r"/gradio_api/(undo-)?vibe-|/gradio_api/(process_recording|component_server|stream/|dev/|proxy=|deep_link)"
)
_ADDRESS = "Expected an uploaded file; got a web address. Download it and upload the file."


class Guard:
    """ASGI middleware; see the module's docstring."""

    def __init__(self, app: ASGIApp, seen: Callable[[list[str]], None] = lambda _: None) -> None:
        """seen: is told the paths of the files that a request names."""
        self.app, self.seen = app, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _UNUSED.search(scope["path"]):
            await JSONResponse({"detail": _ABSENT}, 404)(scope, receive, send)
            return
        if scope["method"] != "POST" or is_upload(scope):
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        paths = [] if body is None else files(_parsed(body))
        outside = any(path.strip().lower().startswith(("http:", "https:")) for path in paths)
        refusal = _TOO_LARGE if body is None else _ADDRESS if outside else _unreadable(body)
        if refusal:
            status = 413 if body is None else 400
            await JSONResponse({"detail": refusal}, status)(scope, receive, send)
            return
        self.seen(paths)
        telling = _Telling(scope, receive, send)
        try:
            await self.app(scope, _replay(body, receive), telling)
        except Exception as error:
            if telling.begun:
                raise
            LOG.warning("a request could not be read: %s", type(error).__name__)
            await telling.refuse()


def is_upload(scope: Scope) -> bool:
    """Whether a POST brings files."""
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


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None  # not JSON: gradio refuses it itself


def files(said: object) -> list[str]:
    """The paths of all files that a parsed body names, however deep.

    Assistants name their uploads by the text of the path alone.
    """
    waiting, found = [said], []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and os.path.isabs(value):
            found.append(value)
        elif isinstance(value, dict):
            if isinstance(path := value.get("path"), str) and not os.path.isabs(path):
                found.append(path)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _unreadable(body: bytes) -> str:
    try:
        body.decode()
    except UnicodeDecodeError:
        return _NO_TEXT
    return ""


class _Telling:
    """Sends on what is answered, but for a 500: that is a client's, see above."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._to, self._failed, self.begun = (scope, receive, send), False, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 500:
            self._failed = True
            await self.refuse()
        elif not self._failed:
            self.begun = True
            await self._to[2](message)

    async def refuse(self) -> None:
        self.begun = True
        await JSONResponse({"error": _NO_CALL, "detail": _NO_CALL}, 422)(*self._to)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
