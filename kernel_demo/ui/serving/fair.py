"""Gradio's queue, in which visitors take turns, large pictures wait for one another, and nobody
leaves more unread than is kept.

A visitor is a session: a page that is open, or a script's client. Scripts that name no session are
one visitor by their address.
"""

import inspect
import os
from collections import OrderedDict
from collections.abc import Callable, Collection

from anyio.to_thread import run_sync
from gradio.queueing import Event, Queue
from gradio.server_messages import EventMessage, ProcessCompletedMessage
from gradio.utils import get_upload_folder

from kernel_demo.sources.decoding import pixels
from kernel_demo.ui.serving.disk import NO_ROOM
from kernel_demo.ui.serving.guard import files
from kernel_demo.ui.serving.jobs import LINE
from kernel_demo.ui.serving.journal import told
from kernel_demo.ui.serving.line import Served, fairly

AT_ONCE = 160_000_000  # pixels of visitors' own pictures that are worked on; 30 bytes each
MOST_NAMED = 2000  # sessions of which it is known which pictures they named; as gradio's messages
SHARE = 2  # one visitor may fill a half of the queue
MAKES_FILES = ("result", "sums")  # of `jobs`: pictures to be shown or saved
UNREAD = 200  # messages: of a long run those of 100 s; who reads so little is gone
UNREAD_IN_ALL = 2000  # of runs that have ended, which scripts may still ask for


class FairQueue(Queue):
    """See the module's docstring. No methods of gradio's but those below are other than they were.

    It logs what scripts call as well; what a button starts is logged by `jobs`.
    """

    @classmethod
    def in_place_of(cls, queue: Queue, max_size: int) -> "FairQueue":
        """One for the same page that has not been served yet."""
        fair = cls(
            live_updates=queue.live_updates,
            concurrency_count=queue.max_thread_count,
            update_intervals=queue.update_intervals,
            max_size=max_size,
            blocks=queue.blocks,
            default_concurrency_limit=queue.default_concurrency_limit,
        )
        fair._served, fair._sizes, fair.no_room = Served(), OrderedDict(), lambda: False
        return fair

    no_room: Callable[[], bool]  # whether nothing that makes a file can begin

    def named(self) -> set[str]:
        """The files that waiting and running events name."""
        told = [event.data.data for event in (*self._waiting(), *self._running()) if event.data]
        return {*files(told)}

    def busy(self) -> set[str]:
        """The sessions of which events wait or run."""
        return {event.session_hash for event in (*self._waiting(), *self._running())}

    def tidy(self, present: Collection[str] = ()) -> None:
        """Forget sessions that have read all of their runs, and beyond UNREAD_IN_ALL the oldest.

        Gradio keeps the names of all that there ever were. present: those that are not at rest.
        """
        named, messages = self.pending_event_ids_session, self.pending_messages_per_session
        resting = named.keys() - {*present, *self.busy()}
        unread = {
            each: messages[each].qsize() if each in messages else 0
            for each in [*named]
            if each in resting
        }
        in_all = sum(unread.values())
        for session, count in unread.items():
            if in_all > UNREAD_IN_ALL or not named[session] or session not in messages:
                named.pop(session)
                messages.pop(session, None)
                in_all -= count

    def _running(self) -> list[Event]:
        return [event for job in [*self.active_jobs] if job for event in job]

    def _waiting(self) -> list[Event]:
        queues = [*self.event_queue_per_concurrency_id.values()]
        return [event for each in queues for event in [*each.queue]]

    async def push(self, body, request, username):
        joined = await self._pushed(body, request, username)
        told = LINE.queued if joined[0] else LINE.refuse
        told(body.session_hash, body.fn_index)
        return joined

    async def _pushed(self, body, request, username):
        most, visitor = max(1, self.max_size // SHARE), body.session_hash or _address(request)
        if sum(_visitor(event) == visitor for event in self._waiting()) >= most:
            refusal = (
                f"Expected at most {most} waiting runs of one visitor; got more. Wait a little."
            )
            return False, refusal, "queue_full"
        if self.no_room() and _makes_files(self.blocks.fns.get(body.fn_index)):
            return False, str(NO_ROOM), "queue_full"
        size = await run_sync(_size, named) if (named := files(body.data)) else 0
        joined = await super().push(body, request, username)
        if size:  # by now there is a session; the event has not begun
            self._sizes[body.session_hash] = size
            self._sizes.move_to_end(body.session_hash)
            if len(self._sizes) > MOST_NAMED:
                self._sizes.popitem(last=False)
        return joined

    def get_events(self):
        at_work = sum(self._weight(event) for event in self._running())
        held = {}
        for name, each in self.event_queue_per_concurrency_id.items():
            order = fairly([(name, _visitor(event)) for event in each.queue], self._served)
            waiting = [each.queue[index] for index in order]
            held[name] = [event for event in waiting if self._is_too_large(event, at_work)]
            each.queue[:] = [event for event in waiting if event not in held[name]]
        found = super().get_events()
        for name, events in held.items():
            self.event_queue_per_concurrency_id[name].queue.extend(events)
        if found:
            events, _, name = found
            self._served.note((name, _visitor(events[0])))
        return found

    def _is_too_large(self, event: Event, at_work: int) -> bool:
        """Whether it would exceed AT_ONCE beside what is worked on; one alone may always begin."""
        weight = self._weight(event)
        return bool(weight and at_work) and at_work + weight > AT_ONCE

    def _weight(self, event: Event) -> int:
        """Pixels of the pictures that its visitor named last; what tells who waits holds none."""
        if event.fn.concurrency_limit is None:
            return 0
        return self._sizes.get(event.session_hash, 0)

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        unread = self.pending_messages_per_session.get(event.session_hash)
        if event.alive and unread is not None and unread.qsize() >= UNREAD:
            while not unread.empty():
                unread.get_nowait()
            super().send_message(event, ProcessCompletedMessage(output={}, success=False))
            event.alive = False  # its run ends with its next update
        if isinstance(event_message, ProcessCompletedMessage) and not event_message.success:
            LINE.refuse(event.session_hash, event.fn._id)  # where it has not come to begin its turn
        super().send_message(event, event_message)

    async def process_events(self, events, batch, begin_time, fn) -> None:
        try:
            if fn.api_visibility != "public":
                await super().process_events(events, batch, begin_time, fn)
                return
            with told(f"/{fn.api_name}", _settings(events[0])) as run:
                await super().process_events(events, batch, begin_time, fn)
                ended = self.event_analytics.get(events[0]._id, {}).get("status")
                run.outcome = {"success": "done", "cancelled": "stopped"}.get(ended, "failed")
        finally:
            for event in events:
                self.event_analytics.pop(event._id, None)

    def compute_analytics_summary(self, records):
        """Nothing: gradio makes a table of all events after each one, for a page that is off."""
        return {}


def _visitor(event: Event) -> str:
    named = event.session_hash != event._id
    return event.session_hash if named else _address(event.request)


def _address(request) -> str:
    return request.client.host if request.client else ""


def _makes_files(fn) -> bool:
    return fn is not None and (fn.api_name == "apply" or fn.concurrency_id in MAKES_FILES)


def _size(paths: list[str]) -> int:
    folder = os.path.realpath(get_upload_folder()) + os.sep
    return sum(pixels(path) for path in {*paths} if _real(path).startswith(folder))


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # as of a NUL
        return ""


def _settings(event: Event) -> dict:
    names, data = inspect.signature(event.fn.fn).parameters, event.data and event.data.data
    return dict(zip(names, data or (), strict=False))
