"""What every answer passes last, so that a visit is light: files that are kept, and compression.

Gradio (6.31) compresses only what has a file's ending, quickly; says of no file for how long it may
be kept; and writes all that the page is made of into the page itself, anew for each visit. Here
that is a file of its own; files are compressed well, once, in the background; the page and the
answers of its events are compressed by Starlette. Streams of events pass as they are.
"""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from mimetypes import guess_type

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel_demo.ui import served
from kernel_demo.ui.html import filled
from kernel_demo.ui.serving import once, slim
from kernel_demo.ui.serving.pages import Pages
from kernel_demo.ui.serving.rewriting import Rewriting

FOR_GOOD = "public, max-age=31536000, immutable"  # a year: the name changes with the content
A_DAY = "public, max-age=86400"
# What the page is made of, and what is asked of it in JSON. Not the streams of the queue.
_COMPRESSED = re.compile(r"/(config|gradio_api/(info|(run|api)/.*))/?")
_KEPT = re.compile(r"/(assets|static)/.+\.\w+")  # gradio's own; of `assets` the names are hashes
_START = b'<meta charset="utf-8" />'
_CONFIG = re.compile(rb"<script>window\.gradio_config = (.*?);</script>", re.DOTALL)
_ROOT = re.compile(rb'"root":"((?:[^"\\]|\\.)*)"')
# Of no visitor in particular; and gradio's own scripts in the page's head do without it.
_OF_ALL = (b'"username":null', b'"is_colab":false')
_CONFIG_PATH = "config.js"
# What nothing goes on without, asked for before anything else.
_FIRST = (
    '<script defer fetchpriority="high" src="{}" data-root="{}"></script>'
    '<link rel="preload" as="style" href="theme.css?v={}">'
)
_TEXT = ("js", "css", "svg", "json")
_MOST = 2048  # files that are held compressed; gradio has a few hundred


class Light:
    """ASGI middleware; see the module's docstring."""

    def __init__(self, app: ASGIApp, head: str = "") -> None:
        """head: what comes first in every page's head, before gradio's own scripts (HTML)."""
        self.app, self.head = app, head.encode()
        self.compressing = GZipMiddleware(_Parted(app, self), minimum_size=1000, compresslevel=6)
        self.pages = Pages(self.compressing)
        self.dense: dict[str, bytes] = {}  # compressed files, by their path and query
        self.asked: set[str] = set()  # those that are compressed, or will be
        self.worker = ThreadPoolExecutor(1, "compression")
        self.told, self.config = b"", b""  # gradio's own, and as it travels
        self.version, self.theme = "", ""
        self.mended = once.scripts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", "")) or "/"
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif path.startswith("/" + served.PLACE) and scope["method"] in ("GET", "HEAD"):
            name = path.removeprefix("/" + served.PLACE)
            await self._file(name, scope)(scope, receive, send)
        elif path in self.mended and scope["method"] in ("GET", "HEAD"):
            await self._packed(path, self.mended[path], path, scope)(scope, receive, send)
        elif path == "/":
            await self.pages(scope, receive, send)
        elif _COMPRESSED.fullmatch(path):
            await self.compressing(scope, receive, send)
        elif _KEPT.fullmatch(path) or path == "/theme.css":
            await self._theirs(path, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _file(self, name: str, scope: Scope) -> Response:
        """One of our own."""
        query = scope["query_string"].decode("latin-1")
        if name == _CONFIG_PATH and self.config:
            now = query == f"v={self.version}"  # else of a page of before the server started anew
            return self._packed(f"{name}?{self.version}", self.config, name, scope, now)
        content = served.content(name)
        if content is None:
            return Response("Not found", 404)
        return self._packed(name, content, name, scope)

    def _packed(
        self, key: str, content: bytes, name: str, scope: Scope, for_good: bool = True
    ) -> Response:
        headers = {"cache-control": FOR_GOOD if for_good else "no-store"}
        if name.endswith(_TEXT) and _takes(scope):
            headers |= {"content-encoding": "br", "vary": "Accept-Encoding"}
            quick = self.dense.get(key) is None
            if quick:
                self.compress(key, content)
            content = brotli.compress(content, quality=5) if quick else self.dense[key]
        return Response(content, headers=headers, media_type=guess_type(name)[0])

    def compress(self, key: str, content: bytes) -> None:
        """Have a file at hand, soon, as small as it gets."""
        if key not in self.asked and len(self.asked) < _MOST:
            self.asked.add(key)
            # It takes a second a megabyte, and lets other threads work meanwhile.
            self.worker.submit(lambda: self.dense.update({key: brotli.compress(content)}))

    async def _theirs(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A file of gradio's."""
        query = scope["query_string"].decode("latin-1")
        named = path.startswith("/assets/") or (path == "/theme.css" and query.startswith("v="))
        kept = FOR_GOOD if named else A_DAY
        dense = self.dense.get(path) if _takes(scope) and scope["method"] == "GET" else None
        if dense is not None:
            headers = {"content-encoding": "br", "vary": "Accept-Encoding", "cache-control": kept}
            response = Response(dense, headers=headers, media_type=guess_type(path)[0])
            await response(scope, receive, send)
            return
        await self.app(scope, receive, _Kept(send, self, path, kept))

    def parted(self, page: bytes) -> bytes:
        """A page with our head; its configuration is a file where it is that of all visitors."""
        whole = page.replace(_START, _START + self.head, 1)
        found = _CONFIG.search(page)
        if found is None or not all(part in found[1] for part in _OF_ALL):
            return whole
        roots = {root[1] for root in _ROOT.finditer(found[1])}
        if len(roots) != 1:
            return whole
        config = _ROOT.sub(b'"root":""', found[1])
        if not self.config:
            self.told, self.config, self.theme = config, slim.script(config), slim.theme(config)
            self.version = hashlib.sha256(self.config).hexdigest()[:20]
        if config != self.told:
            return whole
        address = f"{served.PLACE}{_CONFIG_PATH}?v={self.version}"
        root = json.loads(b'"%s"' % roots.pop())
        first = filled(_FIRST, address, root, self.theme).encode() + self.head
        return (page[: found.start()] + page[found.end() :]).replace(_START, _START + first, 1)


class _Parted:
    """Sends the page on without its configuration."""

    def __init__(self, app: ASGIApp, light: Light) -> None:
        self.app, self.light = app, light

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = Rewriting(send, self.light.parted) if scope["method"] == "GET" else send
        await self.app(scope, receive, told)


class _Kept:
    """Says for how long a file may be kept, and has it compressed for those who come next."""

    def __init__(self, send: Send, light: Light, path: str, kept: str) -> None:
        self.send, self.light, self.path, self.kept = send, light, path, kept
        self.body: list[bytes] | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (200, 304):
            headers = MutableHeaders(scope=message)
            headers["cache-control"] = self.kept
            plain = "content-encoding" not in headers and message["status"] == 200
            if plain and self.path.endswith(_TEXT):
                self.body = []
        elif message["type"] == "http.response.body" and self.body is not None:
            self.body.append(message.get("body", b""))
            if not message.get("more_body"):
                self.light.compress(self.path, b"".join(self.body))
        await self.send(message)


def _takes(scope: Scope) -> bool:
    """Whether this browser takes what is compressed by Brotli."""
    return "br" in Headers(scope=scope).get("accept-encoding", "")
