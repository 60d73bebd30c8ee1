"""How uploads come in: admitted by the disk's bounds, counted for a visitor, refused in a sentence.

A visitor is known by a cookie that says nothing but a number at random, and is forgotten when the
browser is closed; scripts send none, and are known by their address.
"""

import errno
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel_demo.errors import DemoError
from kernel_demo.ui.serving.disk import NO_ROOM, Disk
from kernel_demo.ui.serving.guard import is_upload
from kernel_demo.ui.serving.journal import LOG

COOKIE = "kernel-demo-visitor"
SWEEP_SECONDS = 2.0
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_LENGTH = DemoError("an upload that says how long it is", "none", "Send a Content-Length.")


class Receiving:
    """ASGI middleware; see the module's docstring."""

    def __init__(self, app: ASGIApp, disk: Disk) -> None:
        self.app, self.disk = app, disk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] == "POST" and is_upload(scope):
            await self._upload(Request(scope), receive, send)
        else:
            await self.app(scope, receive, _counted(Request(scope), send))

    async def _upload(self, request: Request, receive: Receive, send: Send) -> None:
        visitor, length = _visitor(request), request.headers.get("content-length", "")
        answered = _Answered(send)
        try:
            if not re.fullmatch(r"\d{1,15}", length):
                raise NO_LENGTH
            keeping = self.disk.receiving(visitor, int(length))
            await run_in_threadpool(keeping.__enter__)
            try:
                await self.app(request.scope, receive, answered)
                self.disk.arrived(visitor, answered.paths())
            finally:
                with anyio.CancelScope(shield=True):
                    await run_in_threadpool(keeping.__exit__, None, None, None)
        except DemoError as error:
            status = 411 if error is NO_LENGTH else 507 if error is NO_ROOM else 413
            await PlainTextResponse(str(error), status)(request.scope, receive, send)
        except OSError as error:
            if error.errno not in FULL or answered.status:
                raise
            await PlainTextResponse(str(NO_ROOM), 507)(request.scope, receive, send)


class _Answered:
    """Sends an answer on, and knows which files it tells of."""

    def __init__(self, send: Send) -> None:
        self.send, self.status, self.body = send, 0, b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.status == 200:
            self.body += message.get("body", b"")
        await self.send(message)

    def paths(self) -> list[str]:
        return json.loads(self.body) if self.status == 200 else []


def sweeping(disk: Disk) -> Callable:
    """A lifespan in which the files that events make are held within the bound."""

    @asynccontextmanager
    async def lifespan(_) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await anyio.sleep(SWEEP_SECONDS)
                try:
                    await run_in_threadpool(disk.sweep)
                except Exception as error:  # noqa: BLE001 - the page lives on, and tries again
                    LOG.error("the disk could not be swept: %s", type(error).__name__)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sweep)
            yield
            tasks.cancel_scope.cancel()

    return lifespan


def _visitor(request: Request) -> str:
    number = request.cookies.get(COOKIE, "")
    known = re.fullmatch(r"[0-9a-f]{32}", number)
    return number if known else request.client.host if request.client else ""


def _counted(request: Request, send: Send) -> Send:
    """A page gives its visitor the number, where there is none yet."""
    if request.method != "GET" or COOKIE in request.cookies:
        return send
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    # A Space is framed by another site: there the cookie is kept apart for each of them.
    rules = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"

    async def given(message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            said = f"{COOKIE}={secrets.token_hex(16)}; HttpOnly; Path=/; {rules}"
            MutableHeaders(scope=message).append("set-cookie", said)
        await send(message)

    return given


def _is_page(message: Message) -> bool:
    return MutableHeaders(scope=message).get("content-type", "").startswith("text/html")
