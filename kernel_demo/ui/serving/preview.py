"""What a link looks like where it is shared: its title, its description and a picture.

Gradio's page tells messengers and search engines of Gradio, with a picture of another host. Here
they are told what the link shares, and the picture is our own: PICTURE, a share card of the page
itself, of a run of its defaults (made by tests/browser/preview.py). The same head has the scripts
that have to come before gradio's: clock.js, clones.js and locales.js.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from gradio.route_utils import get_root_url
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel_demo.ui.html import each, filled
from kernel_demo.ui.serving.rewriting import Rewriting

PICTURE = Path(__file__).with_name("preview.png")
WIDTH, HEIGHT = 1200, 630
PATH = "/preview.png"
SEEN = "A learned kernel beside the true one, and the curves of its loss and its error."
LONGEST = 300  # characters of a description
_FIRST = ("clock.js", "clones.js", "locales.js")
_SCRIPTS = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _FIRST)
_THEIRS = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')
_START = b'<meta charset="utf-8" />'
_SCRIPT = b"<script"  # the first one ends what we look at


class Preview:
    """ASGI middleware; see the module's docstring."""

    def __init__(self, app: ASGIApp, describe: Callable[[Mapping[str, str]], tuple]) -> None:
        """describe: of what a link says, by key: title, description, and what of it is ours."""
        self.app, self.describe = app, describe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", "")) or "/"
        if scope["type"] != "http" or scope["method"] != "GET" or path not in ("/", PATH):
            await self.app(scope, receive, send)
        elif path == PATH:
            kept = {"cache-control": "public, max-age=86400"}
            await Response(PICTURE.read_bytes(), 200, kept, "image/png")(scope, receive, send)
        else:
            change = partial(_tagged, tags=self.tags(Request(scope)))
            await self.app(scope, receive, Rewriting(send, change))

    def tags(self, request: Request) -> bytes:
        """What the page's head is given (HTML)."""
        title, about, ours = self.describe(dict(request.query_params))
        root = get_root_url(request, "/", request.scope.get("root_path"))
        address = f"{root}/" + (f"?{urlencode(ours, safe=',;/')}" if ours else "")
        about = about if len(about) <= LONGEST else about[: LONGEST - 1] + "…"
        said = {
            "og:type": "website", "og:site_name": "Kernel Demo", "og:url": address,
            "og:title": title, "og:description": about, "og:image": root + PATH,
            "og:image:type": "image/png", "og:image:width": WIDTH, "og:image:height": HEIGHT,
            "og:image:alt": SEEN,
        }  # fmt: skip
        named = {
            "description": about, "twitter:card": "summary_large_image", "twitter:title": title,
            "twitter:description": about, "twitter:image": root + PATH, "twitter:image:alt": SEEN,
        }  # fmt: skip
        tags = (
            filled("<title>{}</title>", title),
            each('<meta property="{}" content="{}">', said.items()),
            each('<meta name="{}" content="{}">', named.items()),
            f"<script>{_SCRIPTS}</script>",
        )
        return "".join(tags).encode()


def _tagged(page: bytes, tags: bytes) -> bytes:
    """The page with these tags in place of gradio's."""
    head, script, rest = page.partition(_SCRIPT)
    return _THEIRS.sub(b"", head).replace(_START, _START + tags, 1) + script + rest
