"""How far uploads have come: of those that somebody follows, and of the latest MOST.

Gradio (6.31) keeps for good the number of each upload that was asked for in vain, or that nobody
asked for; whoever sends it makes the number up, and it may be as long as an address.
"""

from gradio import routes
from gradio.route_utils import FileUploadProgress

MOST = 500  # uploads; of each some kilobytes, and its number


class Progress(FileUploadProgress):
    """In gradio's place of it."""

    def track(self, upload_id: str) -> None:
        """An upload has begun."""
        super().track(upload_id)
        while len(self._statuses) > MOST:
            self.stop_tracking(next(iter(self._statuses)))

    async def is_tracked(self, upload_id: str) -> bool:
        """Wait until it has begun; whoever waits is cancelled after some seconds."""
        try:
            return await super().is_tracked(upload_id)
        finally:
            if upload_id not in self._statuses:
                self._signals.pop(upload_id, None)

    def stop_tracking(self, upload_id: str) -> None:
        """Whoever followed it has seen its end, or is gone."""
        super().stop_tracking(upload_id)
        self._signals.pop(upload_id, None)


def bound() -> None:
    """To be called before the page is served."""
    routes.file_upload_statuses = Progress()
