"""What each answer tells the browser: from where a page of ours may load, and who may frame it.

Gradio's own scripts are inline in part, and make functions of the scripts of components: 'unsafe-'
inline and eval cannot be left out. Everything else comes from this host, or was made in the page.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A Space is shown inside Hugging Face's page; a share link is a host of its own, in no frame.
FRAMED_BY = "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        f"frame-ancestors {FRAMED_BY}",
    )
)
# What is told of every answer, and of one that a browser may show as a document: 0.5 KB each.
HEADERS = {"x-content-type-options": "nosniff"}
OF_DOCUMENTS = {
    "content-security-policy": POLICY,
    "referrer-policy": "strict-origin-when-cross-origin",
}
# No scripts run in these, however they are opened; SVG is none of them.
NO_DOCUMENTS = (
    "text/javascript", "application/javascript", "text/css", "font/", "image/png", "image/jpeg",
    "image/webp", "application/json", "text/event-stream",
)  # fmt: skip


class Headers:
    """ASGI middleware; see the module's docstring. It holds nothing back: streams stay streams."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                kind = headers.get("content-type", "")
                document = not kind.startswith(NO_DOCUMENTS)
                for name, value in (HEADERS | (OF_DOCUMENTS if document else {})).items():
                    headers.setdefault(name, value)  # gradio has stricter ones for visitors' files
            await send(message)

        await self.app(scope, receive, told)
