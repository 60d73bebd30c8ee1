"""A page on its way to the browser, changed."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Send


class Rewriting:
    """Sends a page on, once it is whole, as `change` makes it; anything else as it is."""

    def __init__(self, send: Send, change: Callable[[bytes], bytes]) -> None:
        self.send, self.change = send, change
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self.start = message
        elif message["type"] == "http.response.body" and self.start is not None:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                body = self.change(self.body)
                MutableHeaders(scope=self.start)["content-length"] = str(len(body))
                await self.send(self.start)
                await self.send({"type": "http.response.body", "body": body})
        else:
            await self.send(message)


def _is_page(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return "html" in headers.get("content-type", "") and "content-encoding" not in headers
