"""What is kept of each visit: its own, as long as its page is open; packed and bounded after that.

Gradio (6.31) keeps of each session a copy of all that the page is made of, 0.6 MB, and forgets none
before there are 10,000. Here a session has its states, and those components that it changed. When
its page is closed, it is packed to bytes: whoever comes back, as after a connection was lost, finds
it as it was. It is forgotten after an hour, and the oldest are where all of them exceed MOST.
"""

import pickle
import re
import time
from collections import ChainMap, Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

import anyio
import gradio as gr
from gradio.blocks import Block, BlocksConfig
from gradio.state_holder import SessionState, StateHolder
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel_demo.ui.serving.bounds import MB
from kernel_demo.ui.serving.journal import LOG
from kernel_demo.ui.serving.memory import give_back

MOST = 64 * MB  # of all who left; a default run leaves 40 KB
FORGET = 3600.0  # seconds after its last event
REST = 30.0  # seconds without an event after which a page that is closed has been left
EVERY = 5.0  # seconds
FRAME = 500  # bytes that a packed visit takes beside what is in it
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([^/]+)")  # open as long as its page
_NO_PART = ("value", "render")  # of a component that changed: the browser holds the value


class Visit(SessionState):
    """What a session has of its own."""

    def __init__(self, page: gr.Blocks) -> None:
        """In place of gradio's, which copies all components, and what is told of each."""
        shared = page.default_config
        self.shared: Mapping[int, Block] = shared.blocks
        self.changed: dict[int, Block] = {}
        self.blocks_config = BlocksConfig(page)
        self.blocks_config.blocks = ChainMap(self.changed, shared.blocks)
        self.blocks_config.fns, self.blocks_config.fn_id = shared.fns, shared.fn_id
        self.config_values: dict[int, dict] = {}  # for links that this page does not make
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, tuple[float, datetime]] = {}
        self.is_closed, self.STATE_TTL_WHEN_CLOSED = False, FORGET
        self.used = time.monotonic()

    def __setitem__(self, key: int, value: Any) -> None:
        """A state has a new value; or a component has changed, if only in what is shown."""
        block = self.shared.get(key)
        if isinstance(block, gr.State):
            self._state_ttl[key] = block.time_to_live, datetime.now()
            self.state_data[key] = value
        elif block is not None and _changes(block, value):
            self.changed[key] = value
        else:
            self.changed.pop(key, None)

    def _update_config(self, key: int) -> None:
        """Nothing: see `config_values`."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing: see `config_values`."""

    def packed(self) -> bytes:
        """All that was set or changed; empty where nothing was."""
        states = {key: self.state_data[key] for key in self._state_ttl if key in self.state_data}
        changed = {
            key: _changes(self.shared[key], block)
            for key, block in self.changed.items()
            if key in self.shared
        }
        return pickle.dumps((states, changed)) if states or changed else b""

    def unpack(self, packed: bytes) -> None:
        """Be as the visit was that was packed."""
        states, changed = pickle.loads(packed)  # of this process, see above
        for key, value in states.items():
            self[key] = value
        for key, changes in changed.items():
            block = self.shared[key]
            given = {name: it for name, it in block.constructor_args.items() if name != "value"}
            self[key] = type(block)(**given | changes | {"render": False})


def _changes(block: Block, now: Block) -> dict[str, Any]:
    """The arguments of a component that are not those with which the page was built."""
    before, absent = block.constructor_args, object()
    return {
        name: value
        for name, value in now.constructor_args.items()
        if name not in _NO_PART and before.get(name, absent) != value
    }


class _Left(NamedTuple):
    """A visit whose page is closed."""

    packed: bytes
    used: float  # when it had its last event

    @property
    def size(self) -> int:
        return len(self.packed) + FRAME


class Visits(StateHolder):
    """The sessions, by their name; in gradio's place of them."""

    def __init__(self, busy: Callable[[], Collection[str]] = tuple, most: int = MOST) -> None:
        """busy: the sessions of which events wait or run. most: bytes of all who left."""
        super().__init__()
        self.busy, self.most = busy, most
        self.open: Counter[str] = Counter()  # pages, by session
        self.left: OrderedDict[str, _Left] = OrderedDict()  # who used it last is last
        self.size = 0  # bytes of those

    def __getitem__(self, session: str) -> Visit:
        visit = self.session_data.get(session)
        if visit is None:
            visit = self.session_data[session] = Visit(self.blocks)
            if left := self._forget(session):
                visit.unpack(left.packed)
        visit.used = time.monotonic()
        self.update(session)
        return visit

    def __contains__(self, session: str) -> bool:
        return session in self.session_data or session in self.left

    def opened(self, session: str) -> None:
        """A page of the session is there."""
        self.open[session] += 1
        if visit := self.session_data.get(session):
            visit.is_closed = False

    def closed(self, session: str) -> None:
        """One is not there any more."""
        self.open[session] -= 1
        if not self.open[session]:
            del self.open[session]

    def sweep(self, now: float | None = None) -> None:
        """Pack who has left, and forget whom it is time to forget. now: `time.monotonic()`."""
        now = time.monotonic() if now is None else now
        busy = {*self.busy(), *self.open}
        for session, visit in [*self.session_data.items()]:
            if session not in busy and now - visit.used > REST:
                self._pack(session)
        for session in [*self.left]:
            if now - self.left[session].used <= FORGET and self.size <= self.most:
                break
            self._forget(session)

    def _pack(self, session: str) -> None:
        visit = self.session_data.pop(session)
        try:
            packed = visit.packed()
        except Exception as error:  # noqa: BLE001 - nobody else is to bear it
            LOG.error("a visit could not be packed: %s", type(error).__name__)
            return
        if packed:
            self.left[session] = _Left(packed, visit.used)
            self.size += self.left[session].size

    def _forget(self, session: str) -> _Left | None:
        left = self.left.pop(session, None)
        self.size -= left.size if left else 0
        return left

    def beside(self, lifespan: Callable, tidy: Callable[[Collection[str]], None]) -> Callable:
        """A lifespan in which the page has these visits, and they are swept.

        tidy: forgets what else is kept of sessions, but for those that it is told.
        """

        @asynccontextmanager
        async def served(app) -> AsyncIterator[None]:
            app.state_holder = self
            self.set_blocks(app.get_blocks())

            async def sweep() -> None:
                while True:
                    await anyio.sleep(EVERY)
                    try:
                        self.sweep()
                        tidy({*self.open, *self.session_data})
                        await run_in_threadpool(give_back)
                    except Exception as error:  # noqa: BLE001 - the page lives on, and tries again
                        LOG.error("visits could not be swept: %s", type(error).__name__)

            async with lifespan(app), anyio.create_task_group() as tasks:
                tasks.start_soon(sweep)
                yield
                tasks.cancel_scope.cancel()

        return served


class Heartbeats:
    """ASGI middleware: knows which pages are open."""

    def __init__(self, app: ASGIApp, visits: Visits) -> None:
        self.app, self.visits = app, visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        beats = _HEARTBEAT.fullmatch(path) if scope["type"] == "http" else None
        if beats is None:
            await self.app(scope, receive, send)
            return
        self.visits.opened(beats[1])
        try:
            await self.app(scope, receive, send)
        finally:
            self.visits.closed(beats[1])
