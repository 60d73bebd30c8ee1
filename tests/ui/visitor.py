"""A visitor without a browser: presses buttons of the page, and keeps what it is told to show.

Speaks the protocol of gradio's own script (`dispatch` in templates/frontend/assets/Blocks-*.js):
an event gathers its inputs, is sent to the queue or, without one, to /run, and its updates are
shown; `then` follows a success, `failure` an error or a full queue, and both a cancelled event.
"""

import json
import secrets
import threading
from collections import defaultdict
from functools import cache
from queue import Queue

import httpx
from gradio_client.utils import apply_diff

PATIENCE = 60  # seconds that a server may be silent


@cache
def _config(address: str) -> str:
    """What the page is made of: 1.3 MB, the same for all its visitors."""
    return httpx.get(f"{address}/config", timeout=PATIENCE, trust_env=False).text


class Visitor:
    """One page, opened. `shown[name]` is what a component with that elem_id shows, as a dict."""

    def __init__(self, address: str, about: str = "", source: str | None = None) -> None:
        """about: only what updates the component of that elem_id is followed; empty: everything.
        source: the address of this machine that the visitor comes from."""
        self.http = httpx.Client(
            base_url=f"{address.rstrip('/')}/gradio_api", timeout=PATIENCE,
            headers={"x-gradio-user": "app"}, trust_env=False,
            transport=httpx.HTTPTransport(verify=False, local_address=source),
        )  # fmt: skip
        self.session = secrets.token_hex(6)
        config = json.loads(_config(address.rstrip("/")))
        self.props = {part["id"]: part["props"] for part in config["components"]}
        self.events = {event["id"]: event for event in config["dependencies"]}
        self.shown = {
            props["elem_id"]: props for props in self.props.values() if props.get("elem_id")
        }
        if about:
            self.events = {
                number: event for number, event in self.events.items()
                if event["cancels"] or self.part(about) in event["outputs"]
            }  # fmt: skip
        self.running: dict[int, str] = {}  # event -> the server's id of it
        self.inbox: dict[str, Queue] = defaultdict(Queue)  # the server's id -> its messages
        self.lock, self.listening = threading.Lock(), False
        self.failures: list[int] = []  # events that failed, in order
        self.history: list[tuple[int, dict]] = []  # (component, what was new about it)

    def press(
        self, name: str | int, event: str = "click", after=lambda: None, data: dict | None = None
    ) -> None:
        """Press a button (its elem_id or number) and follow all that it leads to.

        after: called between its events, as when it is heard and has not cancelled yet.
        data: what a script says with an event of its own.
        """
        wanted = self.of(name, event)
        assert wanted, f"nothing happens at {event} of {name}"
        for each in wanted:
            self.dispatch(each, data)
            after()

    def part(self, name: str | int) -> int:
        """The number of the component with that elem_id, or number."""
        return next(key for key, props in self.props.items() if name in (key, props.get("elem_id")))

    def choose(self, name: str, value) -> None:
        """Set an input and do what follows from its change."""
        self.shown[name]["value"] = value
        self.press(name, "change")

    def stale(self, name: str) -> bool:
        """Whether the mark of that elem_id is on what it marks."""
        return self.shown[name]["value"]["stale"]

    def of(self, name: str | int, event: str = "click") -> list[dict]:
        """The events of a button, in order."""
        target = [self.part(name), event]
        return [each for each in self.events.values() if target in each["targets"]]

    def after(self, number: int) -> list[dict]:
        """The events that an event leads to, in order."""
        return [each for each in self.events.values() if each["trigger_after"] == number]

    def dispatch(self, event: dict, data: dict | None = None) -> None:
        """Do what an event does, and what follows it, which is told nothing of its data."""
        for other in event["cancels"]:
            self._cancel(other)
        ended = "success"
        if event["backend_fn"]:
            sent = self._direct if event["queue"] is False else self._queued
            ended = sent(event, self._body(event, data))
        if ended == "failure":
            self.failures.append(event["id"])
        self._follow(event["id"], ended)

    def _follow(self, number: int, ended: str) -> None:
        for event in self.after(number):
            if ended == "cancelled" or event["trigger_only_on_failure"] == (ended == "failure"):
                self.dispatch(event)

    def _cancel(self, number: int) -> None:
        if number in self.running:
            self._post("/cancel", fn_index=number, event_id=self.running.pop(number))
            self._follow(number, "cancelled")

    def _post(self, path: str, **body) -> httpx.Response:
        return self.http.post(path, json={"session_hash": self.session, **body})

    def _body(self, event: dict, said: dict | None) -> dict:
        data = [self.props[part].get("value") for part in event["inputs"]]
        return {"fn_index": event["id"], "data": data, "event_data": said, "trigger_id": None}

    def _direct(self, event: dict, body: dict) -> str:
        answer = self._post("/run/predict", **body)
        if answer.status_code != 200:
            return "failure"
        self._show(event, answer.json()["data"])
        return "success"

    def _queued(self, event: dict, body: dict) -> str:
        answer = self._post("/queue/join", **body)
        if answer.status_code != 200:
            return "failure"
        number = self.running[event["id"]] = answer.json()["event_id"]
        self._listen()
        data = []
        while True:
            message = self.inbox[number].get(timeout=PATIENCE)
            if message["msg"] == "process_generating" and message["success"]:
                new = message["output"]["data"]
                data = [*map(apply_diff, data, new)] if data else new
                self._show(event, data)
                self._tell_changes(message["output"])
            if message["msg"] == "process_completed":
                if self.running.pop(event["id"], None) is None:
                    return "over"  # whoever cancelled it goes on
                self._show(event, (message["output"] or {}).get("data") or data)
                self._tell_changes(message["output"] or {})
                return "success" if message["success"] else "failure"

    def _tell_changes(self, output: dict) -> None:
        """Do what follows when what the server keeps for this visitor has changed."""
        for part in output.get("changed_state_ids") or ():
            for event in self.of(part, "change"):
                self.dispatch(event)

    def _listen(self) -> None:
        """Read the one stream of all events of this page, while there are any."""
        with self.lock:
            if not self.listening:
                self.listening = True
                threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            with self.http.stream(
                "GET", "/queue/data", params={"session_hash": self.session}
            ) as it:
                for line in it.iter_lines():
                    message = json.loads(line[5:]) if line.startswith("data:") else {}
                    self.inbox[message.get("event_id")].put(message)
            with self.lock:
                if not self.running:
                    self.listening = False
                    return

    def _show(self, event: dict, data: list) -> None:
        for part, value in zip(event["outputs"], data, strict=False):
            update = isinstance(value, dict) and value.get("__type__") == "update"
            new = (
                {k: v for k, v in value.items() if k != "__type__"} if update else {"value": value}
            )
            self.props[part].update(new)
            self.history.append((part, new))
