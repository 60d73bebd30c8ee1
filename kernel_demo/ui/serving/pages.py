"""The page's HTML, kept for who asks for the same one next.

Gradio writes it anew for each visit, in 60 ms of a processor. It depends on the address under which
the visitor knows the page, which headers of proxies tell, and on what a link says: on KEY_HEADERS
and what else is in `_key`, where there is no login. Whoever makes up such a header is answered by a
page of his own, and nobody else is.
"""

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST, MOST_BYTES = 64, 4_000_000  # pages; bytes of all: one takes 35 KB, compressed 10 KB
LARGEST = 200_000  # bytes of one: what `light` could not part is not worth it
LONGEST = 2000  # characters of what a page depends on
# What gradio (6.31) reads of a request to tell the address: `route_utils.get_request_origin`.
KEY_HEADERS = ("host", "x-forwarded-host", "x-forwarded-proto", "x-gradio-server")


class _Page(NamedTuple):
    """An answer, whole."""

    start: Message
    body: bytes


class Pages:
    """ASGI app: the one below, for the page alone, with its latest answers at hand.

    HEAD is answered like GET, without the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: OrderedDict[tuple, _Page] = OrderedDict()  # asked for last is last
        self.size = 0  # bytes of their bodies
        self.writing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope) if scope["method"] in ("GET", "HEAD") and _is_for_all(scope) else None
        if key is None:
            await self.app(scope, receive, send)
            return
        if key not in self.kept:
            async with self.writing:  # of all who ask at once, one has it written
                page = self.kept.get(key) or await self._written(key, scope, receive)
        else:
            page = self.kept[key]
            self.kept.move_to_end(key)
        await send({**page.start, "headers": [*page.start["headers"]]})
        body = page.body if scope["method"] == "GET" else b""
        await send({"type": "http.response.body", "body": body})

    async def _written(self, key: tuple, scope: Scope, receive: Receive) -> _Page:
        answer = _Answer()
        await self.app({**scope, "method": "GET"}, receive, answer)
        page = _Page(answer.start, b"".join(answer.body))
        if answer.is_page() and len(page.body) <= LARGEST:
            self._keep(key, page)
        return page

    def _keep(self, key: tuple, page: _Page) -> None:
        """This one too, in place of those that nobody has asked for the longest."""
        self.kept[key] = page
        self.size += len(page.body)
        while len(self.kept) > MOST or self.size > MOST_BYTES:
            _, gone = self.kept.popitem(last=False)
            self.size -= len(gone.body)


class _Answer:
    """Takes an answer as it comes."""

    def __init__(self) -> None:
        self.start: Message = {}
        self.body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self.body.append(message.get("body", b""))

    def is_page(self) -> bool:
        """Whether it is the page, and nobody's own."""
        headers = Headers(raw=self.start["headers"])
        html = headers.get("content-type", "").startswith("text/html")
        return self.start["status"] == 200 and html and "set-cookie" not in headers


def _is_for_all(scope: Scope) -> bool:
    """Whether there is no login: else the page says who it is for."""
    app = scope["app"]
    return app.auth is None and app.auth_dependency is None


def _key(scope: Scope) -> tuple | None:
    """All that the page depends on; None where that is too much to be kept."""
    headers = Headers(scope=scope)
    told = [headers.getlist(name) for name in KEY_HEADERS]
    packed = "gzip" in headers.get("accept-encoding", "")
    rest = (scope.get(name) for name in ("scheme", "server", "root_path", "path", "query_string"))
    key = (packed, *map(tuple, told), *rest)
    return key if len(repr(key)) <= LONGEST else None
