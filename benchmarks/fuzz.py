"""Bodies made at random for every endpoint and every event of the page, for ten minutes.

Looked for: an answer of 500 or above that is none of ours (503: busy; 507: full), words of a
traceback or of the server's folders in an answer, a server that is silent, runs that go on when
nobody waits for them, and growth of memory. That is told from rest to rest: a server that is at
work has up to 190 MB more, and two looks at one differ by as much, either way.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks import faults
from kernel_demo.ui.serving import visits

TITLE = "Bodies made at random, to every endpoint and event"
NEEDS = ("gradio", "hypothesis", "psutil", "httpx")
LONG = True

API = "/gradio_api"
SECONDS = 600.0
EXAMPLES = 40  # between two looks at the clock
PATIENCE = 60.0  # seconds that an answer may take on a busy machine
FOLLOWED = 1.0  # seconds in which the messages of an event are read before it is left
# Seconds after the last run in which the page packs who left, and gives memory back, twice.
REST = visits.REST + 2 * visits.EVERY
OURS = (503, 507)
STREAMS = (f"{API}/queue/data", f"{API}/call/", f"{API}/heartbeat/")
# Where gradio keeps a file that it hands over, as those of an example: it tells that.
PLACES = re.compile(r'"(path|url)": ?"[^"]*/gradio/[0-9a-f]{64}/[^"/]+"')
LEAKS = ("Traceback", 'File "', "site-packages", "/gradio/", "kernel_demo/")
POSTS = (
    "run/predict", "run/learn", "api/apply", "call/learn", "call/apply", "call/recover",
    "call/v2/learn", "call/v2/apply", "call/nothing", "queue/join", "cancel", "reset", "upload",
    "component_server", "stream/x", "stream/x/close", "process_recording", "vibe-edit",
)  # fmt: skip
GETS = (
    "info", "openapi.json", "app_id", "user", "token", "queue/status", "startup-events",
    "theme.css", "call/learn/{}", "queue/data?session_hash={}", "upload_progress?upload_id={}",
    "heartbeat/{}", "file={}", "proxy={}", "file/{}", "custom_component/{}/a/b/c",
    "stream/{}/1/2/playlist.m3u8", "deep_link?session_hash={}", "runs", "vibe-code",
)  # fmt: skip
ROOTS = ("/{}", "/?{}", "/static/{}", "/assets/{}", "/svelte/{}", "/config", "/monitoring",
         "/monitoring/{}", "/manifest.json", "/pwa_icon/{}", "/robots.txt", "/health")  # fmt: skip
TYPES = ("application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x",
         "application/x-www-form-urlencoded", "")  # fmt: skip

TEXT = st.text(max_size=30) | st.sampled_from(
    ("", "../../etc/passwd", "/etc/passwd", "\0", "1e999", "NaN", "sobel_x", "[[1,2],[3]]", "%00",
     "http://127.0.0.1:9/", "data:image/png;base64,AAAA", "${x}", "<script>", "٣", "9" * 30)
)  # fmt: skip
NUMBERS = st.integers() | st.integers(-2, 40) | st.floats(allow_nan=False, allow_infinity=False)
FILE = st.fixed_dictionaries(
    {"path": TEXT}, optional={"meta": st.just({"_type": "gradio.FileData"}), "orig_name": TEXT,
                              "url": TEXT, "size": NUMBERS, "is_stream": st.booleans()},
)  # fmt: skip
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | FILE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


@dataclass
class Findings:
    """What was found, one example each."""

    asked: int = 0
    wrong: dict[tuple, str] = field(default_factory=dict)  # (path, what) -> the body

    def note(self, path: str, what: str, said: object) -> None:
        """Keep the first example."""
        self.wrong.setdefault((path, what), repr(said)[:600])


def run(report) -> None:
    """Ten minutes, in two halves; before and after each the server comes to rest."""
    with faults.Server() as server:
        fuzz(server.address, SECONDS / 10, 0)  # what is loaded once, is
        found, most = Findings(), []
        least = [at_rest(server, found)]
        for half in (1, 2):
            with server.peak() as peak:
                fuzz(server.address, SECONDS / 2, half, found)
            most.append(peak())
            least.append(at_rest(server, found))
        grown = [after - before for before, after in pairwise(least)]
        report.row("requests", got=str(found.asked))
        report.row("answers that are wrong", asked="0", got=str(len(found.wrong)),
                   met=not found.wrong)  # fmt: skip
        report.row("MB that memory grew by in each half, from rest to rest", asked="second <= 50",
                   got=f"{grown[0]:.0f} and {grown[1]:.0f}", met=grown[1] <= 50)  # fmt: skip
        report.row("MB beyond that of rest, at most, meanwhile",
                   got=f"{most[0]:.0f} and {most[1]:.0f}")  # fmt: skip
        report.row("the page answers after all of it", asked="yes", got="yes", met=server.lives())
        for (path, what), said in found.wrong.items():
            report.note(f"{path}: {what}: {said}")


def at_rest(server: faults.Server, found: Findings) -> float:
    """MB that the server has when all that was asked for has ended.

    The least of the last seconds of REST without a run: what is free lies there until it is given
    back. A run that nobody waits for, and that goes on for PATIENCE, is a finding.
    """
    looks: list[tuple[float, float]] = []  # (when, MB), since the last run
    end = time.monotonic() + PATIENCE + REST
    while not looks or looks[-1][0] - looks[0][0] < REST:
        told = server.get("/health").json()
        if told["running"] or told["waiting"]:
            looks.clear()
            if time.monotonic() > end:
                found.note("/health", "runs go on after all were left", told)
                return server.seen.memory_info().rss / 1e6
        else:
            looks.append((time.monotonic(), server.seen.memory_info().rss / 1e6))
        time.sleep(1)
    return min(mb for when, mb in looks if looks[-1][0] - when < visits.EVERY)


def fuzz(
    address: str, seconds: float, start: int, found: Findings | None = None, least: int = 0
) -> Findings:
    """Ask at random for so many seconds, `least` times at least; the same `start` asks the same."""
    found, end = found or Findings(), time.monotonic() + seconds

    def over() -> bool:
        return time.monotonic() >= end and found.asked >= least

    with httpx.Client(base_url=address.rstrip("/"), timeout=PATIENCE, trust_env=False) as client:
        config = client.get("/config").json()
        requests = _requests(config)
        for number in range(10**6):
            if over():
                return found

            @seed(start * 10**6 + number)
            @settings(
                max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(requests)
            def ask(request: tuple) -> None:
                if not over():
                    found.asked += 1
                    _ask(client, found, *request)

            ask()
    return found


def _requests(config: dict) -> st.SearchStrategy:
    """(method, path, what to send) of requests of all kinds; most are of the page's own events."""
    parts = {part["id"]: part["props"].get("value") for part in config["components"]}
    events = [each for each in config["dependencies"] if each["backend_fn"]]
    paths = st.sampled_from(POSTS).map(lambda path: f"{API}/{path}")
    gets = st.sampled_from([f"{API}/{path}" for path in GETS] + [*ROOTS])
    return st.one_of(
        *[st.sampled_from(events).flatmap(lambda event: _event(event, parts))] * 3,
        st.tuples(st.just("POST"), paths, VALUE.map(lambda value: {"json": value})),
        st.tuples(st.just("POST"), paths, _body().map(lambda body: {"json": body})),
        st.tuples(st.just("POST"), paths, st.tuples(st.binary(max_size=200), st.sampled_from(TYPES))
                  .map(lambda sent: {"content": sent[0], "headers": {"content-type": sent[1]}})),
        st.tuples(st.just("GET"), st.tuples(gets, TEXT).map(_filled), st.just({})),
    )  # fmt: skip


def _body() -> st.SearchStrategy:
    """Of the right keys, in part."""
    return st.fixed_dictionaries({}, optional={
        "data": st.lists(VALUE, max_size=9) | VALUE, "session_hash": TEXT | VALUE,
        "fn_index": NUMBERS | VALUE, "event_id": TEXT | VALUE, "event_data": VALUE,
        "trigger_id": NUMBERS | VALUE, "simple_format": VALUE, "batched": VALUE,
        "component_id": NUMBERS | VALUE, "fn_name": TEXT | VALUE,
    })  # fmt: skip


def _event(event: dict, parts: dict) -> st.SearchStrategy:
    """An event of the page as the page asks for it, but for some of what it sends."""
    values = [
        VALUE if parts.get(number) is None else st.just(parts[number]) | VALUE
        for number in event["inputs"]
    ]
    direct = event["queue"] is False
    body = st.fixed_dictionaries({
        "data": st.tuples(*values).map(list) | st.lists(VALUE, max_size=3),
        "fn_index": st.just(event["id"]),
        "session_hash": st.integers(0, 20).map("fuzz{}".format),
        "event_data": st.none() | VALUE,
        "trigger_id": st.none(),
    })  # fmt: skip
    path = f"{API}/run/predict" if direct else f"{API}/queue/join"
    return st.tuples(st.just("POST"), st.just(path), body.map(lambda body: {"json": body}))


def _filled(asked: tuple[str, str]) -> str:
    path, text = asked
    return path.format("".join(f"%{byte:02X}" for byte in text.encode("utf-8", "replace")))


def _ask(client: httpx.Client, found: Findings, method: str, path: str, sent: dict) -> None:
    where = path.partition("%")[0]
    if "json" in sent:
        sent = {"content": json.dumps(sent["json"]).encode("utf-8", "replace"),
                "headers": {"content-type": "application/json"}}  # fmt: skip
    sent = {**sent, "headers": {"x-gradio-user": "app", **sent.get("headers", {})}}
    try:
        answer, text = _answer(client, method, path, sent)
    except httpx.InvalidURL:
        return
    except httpx.RemoteProtocolError as error:
        if not where.startswith(STREAMS):  # gradio breaks off the stream of a session it knows not
            found.note(where, type(error).__name__, sent)
        return
    except httpx.HTTPError as error:
        found.note(where, type(error).__name__, sent)
        return
    if answer.status_code >= 500 and answer.status_code not in OURS:
        found.note(where, f"{answer.status_code} {text[:80]}", sent)
    _look(found, where, text, sent)
    if path.endswith("queue/join") and answer.status_code == 200:
        _follow(client, found, json.loads(sent["content"]), json.loads(text)["event_id"])


def _answer(client: httpx.Client, method: str, path: str, sent: dict) -> tuple:
    """The answer and its text; anew where a connection that was kept has been closed meanwhile."""

    def once() -> tuple:
        with client.stream(method, path, **sent) as answer:
            return answer, "".join(_beginning(answer))

    try:
        return once()
    except (httpx.ReadError, httpx.WriteError):
        return once()


def _follow(client: httpx.Client, found: Findings, body: dict, event: str) -> None:
    """Read what an event says, then leave it."""
    session = body.get("session_hash")
    with contextlib.suppress(httpx.HTTPError):
        with client.stream(
            "GET", f"{API}/queue/data", params={"session_hash": session}, timeout=FOLLOWED
        ) as answer:
            text = "".join(_beginning(answer))
        _look(found, f"event {body['fn_index']}", text, body)
    left = {"session_hash": session, "fn_index": body["fn_index"], "event_id": event}
    with contextlib.suppress(httpx.HTTPError):
        client.post(f"{API}/cancel", json=left)


def _beginning(answer: httpx.Response) -> Iterator[str]:
    """The text that comes in some seconds, at most a megabyte; a stream may never end."""
    end, left = time.monotonic() + FOLLOWED, 10**6
    stream = "event-stream" in answer.headers.get("content-type", "")
    with contextlib.suppress(httpx.ReadTimeout, UnicodeDecodeError):
        for piece in answer.iter_text():
            yield piece
            left -= len(piece)
            over = stream and ("heartbeat" in str(answer.url) or "process_completed" in piece)
            if left < 0 or time.monotonic() > end or over:
                return


def _look(found: Findings, where: str, text: str, sent: object) -> None:
    if "<html" in text[:2000].lower() or where.endswith((".json", "info", "/config")):
        return  # the page's own texts: code that it offers
    text = PLACES.sub("", text)
    for leak in LEAKS:
        if leak in text and leak not in repr(sent):
            at = text.index(leak)
            found.note(where, f"tells {text[max(0, at - 60) : at + 100]!r}", sent)
