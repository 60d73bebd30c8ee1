"""The page's HTML, kept: the same for the same address, and for nobody else."""

import asyncio
import re
from types import SimpleNamespace

import httpx
import pytest
from starlette.responses import HTMLResponse, PlainTextResponse

from kernel_demo.ui.serving import pages
from kernel_demo.ui.serving.pages import Pages

OPEN = SimpleNamespace(auth=None, auth_dependency=None)


class Writer:
    """What writes pages: each tells for whom, and which one it is."""

    def __init__(self, answer=HTMLResponse, **headers):
        self.written, self.answer, self.headers = 0, answer, headers

    async def __call__(self, scope, receive, send):
        self.written += 1
        told = f"{scope['method']} {dict(scope['headers'])} {scope['query_string']} {self.written}"
        await self.answer(told, headers=self.headers)(scope, receive, send)


def ask(app, query="", method="GET", login=OPEN, path="/", scheme="http", root="", **headers):
    """The status, headers and body of one request."""
    sent = []

    async def send(message):
        sent.append(message)

    told = {"host": "a.test"} | {name.replace("_", "-"): it for name, it in headers.items()}
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(),
        "headers": [(name.encode(), it.encode()) for name, it in told.items()],
        "scheme": scheme, "server": ("127.0.0.1", 80), "root_path": root, "app": login,
    }  # fmt: skip
    asyncio.run(app(scope, None, send))
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def test_the_same_is_written_once():
    """Whoever asks, by whichever browser; HEAD tells what GET does, without the body."""
    page = Pages(writer := Writer())
    first = ask(page, cookie="a=1", user_agent="one")
    assert first[2].startswith(b"GET")
    assert ask(page, cookie="b=2", user_agent="two", if_none_match="*") == first
    assert ask(page, method="HEAD") == (*first[:2], b"")
    assert writer.written == 1
    fresh = Pages(Writer())
    assert ask(fresh, method="HEAD", cookie="a=1", user_agent="one") == (*first[:2], b"")
    assert ask(fresh, cookie="a=1", user_agent="one")[2] == first[2]


def test_many_at_once_have_it_written_once():
    """A flood begins with a page that nobody has asked for yet."""
    writer = Writer()

    async def slow(scope, receive, send):
        await asyncio.sleep(0.01)
        await writer(scope, receive, send)

    async def flood(page):
        scope = {"method": "GET", "headers": [], "app": OPEN}
        sent = []

        async def send(message):
            sent.append(message)

        await asyncio.gather(
            *(
                page(scope | {"type": "http", "path": "/", "query_string": b""}, None, send)
                for _ in range(10)
            )
        )
        return sent

    assert len(asyncio.run(flood(Pages(slow)))) == 20
    assert writer.written == 1


@pytest.mark.parametrize(
    "other",
    [
        {"host": "b.test"}, {"x_forwarded_host": "b.test"}, {"x_forwarded_proto": "https"},
        {"x_gradio_server": "http://b.test"}, {"query": "kernel=box"}, {"scheme": "https"},
        {"root": "/b"}, {"accept_encoding": "gzip"}, {"path": "//"},
    ],
)  # fmt: skip
def test_another_address_has_its_own(other):
    """Nothing that a visitor makes up reaches another one."""
    page = Pages(writer := Writer())
    first, second = ask(page), ask(page, **other)
    assert first[2] != second[2]
    assert (ask(page)[2], ask(page, **other)[2]) == (first[2], second[2])
    assert writer.written == 2


@pytest.mark.parametrize(
    ("login", "writer"),
    [
        (SimpleNamespace(auth={"ann": "x"}, auth_dependency=None), Writer()),
        (SimpleNamespace(auth=None, auth_dependency=lambda request: "ann"), Writer()),
        (OPEN, Writer(**{"set-cookie": "a=1"})),
        (OPEN, Writer(answer=PlainTextResponse)),
        (OPEN, Writer(answer=lambda *a, **k: HTMLResponse(*a, status_code=500, **k))),
    ],
)
def test_what_is_somebodys_own_or_no_page_is_not_kept(login, writer):
    """A login, an answer with a cookie, what is no page, and what failed."""
    page = Pages(writer)
    assert ask(page, login=login)[2] != ask(page, login=login)[2]
    assert not page.kept
    assert page.size == 0


def test_made_up_addresses_fill_nothing(monkeypatch):
    """As many as come: no more than so many pages and bytes; those asked for most stay."""
    page = Pages(writer := Writer())
    usual = ask(page)
    for number in range(3 * pages.MOST):
        ask(page, x_forwarded_host=f"{number}.test")
        assert ask(page) == usual
    assert len(page.kept) == pages.MOST
    assert page.size == sum(len(each.body) for each in page.kept.values())
    written = writer.written
    ask(page, x_forwarded_host="x" * pages.LONGEST)
    ask(page, query="x" * pages.LONGEST)
    assert writer.written == written + 2
    assert len(page.kept) == pages.MOST
    monkeypatch.setattr(pages, "LARGEST", len(usual[2]) - 1)
    assert ask(page, query="large") != ask(page, query="large")
    monkeypatch.undo()
    monkeypatch.setattr(pages, "MOST_BYTES", 1000)
    ask(page, x_forwarded_host="last.test")
    assert 0 < page.size <= 1000
    assert page.size == sum(len(each.body) for each in page.kept.values())


def test_the_page_kept_is_the_page_written(address):
    """Host, proxy and link tell what is written; cookies and browsers change nothing of it."""
    base = address.rstrip("/")

    def get(query="", method="GET", **headers):
        return httpx.request(
            method, f"{base}/{query}", headers=headers, trust_env=False, verify=False
        )

    made = {"x-forwarded-host": "made.test", "x-forwarded-proto": "https"}
    for query, headers, told in (
        ("", {}, ""),
        ("", {"host": "elsewhere.test:81"}, "http://elsewhere.test:81"),
        ("", made, "https://made.test"),
        ("?kernel=box", {}, ""),
        ("?kernel=box&utm=1", {"accept-encoding": "identity"}, ""),
    ):
        first, again = (get(query, **headers, cookie=f"a={n}") for n in range(2))
        assert first.text == again.text
        assert first.headers["set-cookie"] != again.headers["set-cookie"]
        head = get(query, method="HEAD", **headers)
        assert head.content == b""
        assert head.headers["content-length"] == first.headers["content-length"]
        root = re.findall(r'data-root="([^"]*)"', first.text)[0]
        assert root == (told or base)
    assert "made.test" not in get().text
    assert "elsewhere.test" not in get().text
    assert "Box blur" in get("?kernel=box").text
    assert "Box blur" not in get().text.partition("</title>")[0]
