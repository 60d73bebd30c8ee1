"""Gradio's queue, in which visitors take turns and nobody leaves more unread than is kept.

A visitor is a session: a page that is open, or a script's client.
"""

import inspect
from collections.abc import Callable

from gradio.queueing import Event, Queue
from gradio.server_messages import EventMessage, ProcessCompletedMessage

from kernel_demo.ui.disk import NO_ROOM
from kernel_demo.ui.guard import files
from kernel_demo.ui.journal import told
from kernel_demo.ui.line import Served, fairly

SHARE = 2  # one visitor may fill a half of the queue
MAKES_FILES = ("result", "sums")  # of `jobs`: pictures to be shown or saved
UNREAD = 200  # messages: of a long run those of 100 s; who reads so little is gone


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
        fair._served, fair.no_room = Served(), lambda: False
        return fair

    no_room: Callable[[], bool]  # whether nothing that makes a file can begin

    def named(self) -> set[str]:
        """The files that waiting and running events name."""
        running = [event for job in [*self.active_jobs] if job for event in job]
        told = [event.data.data for event in (*self._waiting(), *running) if event.data]
        return {*files(told)}

    def _waiting(self) -> list[Event]:
        queues = [*self.event_queue_per_concurrency_id.values()]
        return [event for each in queues for event in [*each.queue]]

    async def push(self, body, request, username):
        most = max(1, self.max_size // SHARE)
        if sum(event.session_hash == body.session_hash for event in self._waiting()) >= most:
            refusal = (
                f"Expected at most {most} waiting runs of one visitor; got more. Wait a little."
            )
            return False, refusal, "queue_full"
        if self.no_room() and _makes_files(self.blocks.fns.get(body.fn_index)):
            return False, str(NO_ROOM), "queue_full"
        return await super().push(body, request, username)

    def get_events(self):
        for name, each in self.event_queue_per_concurrency_id.items():
            if len(each.queue) > 1:
                order = fairly([(name, event.session_hash) for event in each.queue], self._served)
                each.queue[:] = [each.queue[index] for index in order]
        found = super().get_events()
        if found:
            events, _, name = found
            self._served.note((name, events[0].session_hash))
        return found

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        unread = self.pending_messages_per_session.get(event.session_hash)
        if event.alive and unread is not None and unread.qsize() >= UNREAD:
            while not unread.empty():
                unread.get_nowait()
            super().send_message(event, ProcessCompletedMessage(output={}, success=False))
            event.alive = False  # its run ends with its next update
        super().send_message(event, event_message)

    async def process_events(self, events, batch, begin_time, fn) -> None:
        if fn.api_visibility != "public":
            await super().process_events(events, batch, begin_time, fn)
            return
        with told(f"/{fn.api_name}", _settings(events[0])) as run:
            await super().process_events(events, batch, begin_time, fn)
            known = self.event_analytics.get(events[0]._id) or {}
            run.outcome = {"success": "done", "cancelled": "stopped"}.get(known["status"], "failed")

    def compute_analytics_summary(self, records):
        """Nothing: gradio makes a table of all events after each one, for a page that is off."""
        return {}


def _makes_files(fn) -> bool:
    return fn is not None and (fn.api_name == "apply" or fn.concurrency_id in MAKES_FILES)


def _settings(event: Event) -> dict:
    names, data = inspect.signature(event.fn.fn).parameters, event.data and event.data.data
    return dict(zip(names, data or (), strict=False))
