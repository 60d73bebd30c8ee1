"""What visitors see of a server that others misuse: idle, slow, deaf, greedy and flooding clients.

Everything goes to 127.0.0.1, from processes of this one, and ends by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import httpx
import numpy as np
import psutil

TITLE = "Faults: what others see of idle, slow, deaf, greedy and flooding clients"
NEEDS = ("gradio", "psutil", "httpx")
LONG = True

ROOT = Path(__file__).parents[1]
API = "/gradio_api"
RUNS = 5  # of which the median counts
PATIENCE = 120.0  # seconds
IDLE, SLOW, DEAF = 200, 60, 8  # clients of each kind
RATES = (5, 10, 20, 50, 100, 200, 400)  # requests a second
FLOOD_SECONDS = 8.0
SOBEL = ["sobel_x", 3, 0, "kfac", 200, "bundled", 8, ""]


def run(report) -> None:
    """Each fault on a server that lives through all of them; then disk and memory on their own."""
    report.note(
        f"Load average at the beginning {os.getloadavg()[0]:.1f}, of {os.cpu_count()} cores."
    )
    with Server() as server:
        usual = _usual(server)
        report.row("seconds of a run, usual (median)", got=f"{usual:.2f}")
        for what, fault in (
            (f"{IDLE} idle connections", _idle),
            (f"{SLOW} bodies and uploads sent a byte a second", _slow),
            (f"{DEAF} clients that never read their stream", _deaf),
        ):
            with fault(server):
                _hold(report, server, usual, what)
        for what, path in (("the page, /", "/"), ("the cheapest path, /health", "/health")):
            _flood(report, server, usual, what, path)
        _fair(report, server)
        report.row("the page answers after all of it", asked="yes", got="yes", met=server.lives())
    _disk(report)
    _memory(report)


# ---- What a client does


class Server:
    """The page in a process of its own."""

    def __init__(self, *options: str, folder: str = "") -> None:
        self.options, self.folder = options, folder

    def __enter__(self) -> Server:
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.own = tempfile.TemporaryDirectory()
        environment = os.environ | {
            "GRADIO_TEMP_DIR": self.folder or f"{self.own.name}/gradio", "HF_HUB_OFFLINE": "1"
        }  # fmt: skip
        self.log = Path(self.own.name) / "log.txt"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port), *self.options],
                cwd=ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 2 * PATIENCE
        while not self.lives():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the page did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.1)
        config = self.get("/config").json()
        self.events = {
            each["api_name"]: each["id"] for each in config["dependencies"] if each["api_name"]
        }
        self.seen = psutil.Process(self.process.pid)
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.own.cleanup()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, timeout=PATIENCE, trust_env=False)

    def post(self, path: str, **options) -> httpx.Response:
        return httpx.post(self.address + path, timeout=PATIENCE, trust_env=False, **options)

    def lives(self) -> bool:
        try:
            return self.get("/health").status_code == 200
        except httpx.HTTPError:
            return False

    def upload(self, content: bytes, name: str = "a.png", **options) -> httpx.Response:
        return self.post(f"{API}/upload", files={"files": (name, content)}, **options)

    def join(self, session: str, api: str, data: list) -> httpx.Response:
        body = {"fn_index": self.events[api], "data": data, "session_hash": session}
        return self.post(f"{API}/queue/join", json=body)

    def call(self, api: str, data: list) -> tuple[float, bool]:
        """Seconds until it has ended, and whether well."""
        session, began = secrets.token_hex(6), time.monotonic()
        if self.join(session, api, data).status_code != 200:
            return time.monotonic() - began, False
        where = f"{self.address}{API}/queue/data?session_hash={session}"
        with httpx.stream("GET", where, timeout=PATIENCE, trust_env=False) as stream:
            for line in stream.iter_lines():
                said = json.loads(line[5:]) if line.startswith("data:") else {}
                if said.get("msg") == "process_completed":
                    return time.monotonic() - began, said["success"]
        return time.monotonic() - began, False

    def learn(self) -> float:
        seconds, well = self.call("learn", SOBEL)
        return seconds if well else float("inf")

    @contextlib.contextmanager
    def peak(self) -> Iterator[Callable[[], float]]:
        """The most memory (MB) while the block runs, over that before."""
        before, most, ended = self.seen.memory_info().rss, [0], threading.Event()

        def watch() -> None:
            while not ended.wait(0.02):
                most[0] = max(most[0], self.seen.memory_info().rss)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield lambda: (most[0] - before) / 1e6
        finally:
            ended.set()
            watching.join()


def _usual(server: Server) -> float:
    for _ in range(2):
        server.learn()
    return statistics.median(server.learn() for _ in range(RUNS))


def _hold(report, server: Server, usual: float, what: str) -> None:
    seconds = statistics.median(server.learn() for _ in range(RUNS))
    report.row(
        f"seconds of a run beside {what}", asked="<= twice the usual", met=seconds <= 2 * usual,
        got=f"{seconds:.2f} ({seconds / usual:.1f} times), load {os.getloadavg()[0]:.0f}",
    )  # fmt: skip


# ---- Idle, slow, deaf


def _connected(server: Server, count: int) -> contextlib.ExitStack:
    stack = contextlib.ExitStack()
    stack.sockets = [
        stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        for _ in range(count)
    ]
    return stack


@contextlib.contextmanager
def _idle(server: Server) -> Iterator[None]:
    with _connected(server, IDLE):
        yield


@contextlib.contextmanager
def _slow(server: Server) -> Iterator[None]:
    kinds = (
        (f"{API}/queue/join", "application/json"),
        (f"{API}/upload", "multipart/form-data; boundary=x"),
    )
    ended = threading.Event()
    with (stack := _connected(server, SLOW)):
        for number, each in enumerate(stack.sockets):
            path, kind = kinds[number % 2]
            each.sendall(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
                "Content-Length: 100000\r\n\r\n".encode()
            )

        def send() -> None:
            while not ended.wait(1.0):
                for each in stack.sockets:
                    with contextlib.suppress(OSError):
                        each.send(b"-")

        sending = threading.Thread(target=send)
        sending.start()
        try:
            yield
        finally:
            ended.set()
            sending.join()


@contextlib.contextmanager
def _deaf(server: Server) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(DEAF):
            session = secrets.token_hex(6)
            server.join(session, "learn", SOBEL)
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", server.port))
            path = f"{API}/queue/data?session_hash={session}"
            deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        yield


# ---- A flood


def _flood(report, server: Server, usual: float, what: str, path: str) -> None:
    """The highest of RATES at which a run takes at most twice the usual, each for some seconds."""
    holds, told = 0, ""
    for rate in RATES:
        with _flooding(server, path, rate) as answered:
            seconds = server.learn()
        told = f"at {rate} a second a run took {seconds / usual:.1f} times the usual"
        if seconds > 2 * usual or answered() < 0.8 * rate:
            told += f", and {answered():.0f} were answered"
            break
        holds = rate
    report.row(f"flood of {what}: the highest rate beside which that holds",
               got=f"{holds} a second ({told})")  # fmt: skip


@contextlib.contextmanager
def _flooding(server: Server, path: str, rate: int) -> Iterator[Callable[[], float]]:
    """yields how many a second were answered. It ends after FLOOD_SECONDS, whatever happens."""
    ended, answers, began = time.monotonic() + FLOOD_SECONDS, [], time.monotonic()
    stop = threading.Event()
    workers = min(16, rate)

    def ask() -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        due = time.monotonic()
        while not stop.is_set() and time.monotonic() < ended:
            due += workers / rate
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", server.port), timeout=10) as each:
                    each.sendall(request)
                    while each.recv(1 << 20):
                        pass
                answers.append(time.monotonic())
            stop.wait(max(0.0, due - time.monotonic()))

    threads = [threading.Thread(target=ask) for _ in range(workers)]
    for each in threads:
        each.start()
    time.sleep(0.5)
    try:
        yield lambda: len(answers) / max(1e-3, answers[-1] - began) if answers else 0.0
    finally:
        stop.set()
        for each in threads:
            each.join()


# ---- Turns, disk, memory


def _fair(report, server: Server) -> None:
    """One visitor asks for ten runs, then another for one."""
    many, ended = secrets.token_hex(6), []
    for _ in range(10):
        server.join(many, "learn", SOBEL)

    def follow() -> None:
        where = f"{server.address}{API}/queue/data?session_hash={many}"
        with httpx.stream("GET", where, timeout=PATIENCE, trust_env=False) as stream:
            for line in stream.iter_lines():
                ended.extend([time.monotonic()] * ('"process_completed"' in line))

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow)
        server.learn()
        other = time.monotonic()
        following.result()
    before = sum(at < other for at in ended)
    report.row("runs of another visitor's ten that end before one's first", asked="<= 4",
               got=str(before), met=before <= 4)  # fmt: skip


def _disk(report) -> None:
    """Uploads beyond a bound of 20 MB, and on a disk of 8 MB that is full."""
    bounds = ("--disk", "20mb", "--visitor-disk", "15mb")
    with tempfile.TemporaryDirectory() as folder, Server(*bounds, folder=folder) as server:
        answers = [server.upload(os.urandom(1_500_000)) for _ in range(12)]
        others = [
            server.upload(os.urandom(1_500_000), cookies={"kernel-demo-visitor": f"{n:032x}"})
            for n in range(8)
        ]
        lies = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        refused = [each.status_code for each in (*answers, *others) if each.status_code != 200]
        report.row(
                "MB on the disk after 30 MB of uploads, bound 20 MB", asked="<= 20",
                got=f"{lies / 1e6:.1f}; {len(refused)} refused", met=lies <= 20e6,
            )  # fmt: skip
        report.note(f"One visitor above his share is told: “{answers[-1].text}”")
        report.note(f"Where all is in use: “{others[-1].text}”")
        report.row("a run then", asked="ends well", got=f"{server.learn():.1f} s",
                       met=server.learn() < PATIENCE)  # fmt: skip
    _full_disk(report)


def _full_disk(report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]
        if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
            report.note("A full disk was not tried: no disk could be mounted here.")
            return
        try:
            with Server(folder=folder) as server:
                path = server.upload(_png(300, 300)).json()[0]
                filler = Path(folder) / "filler"
                with filler.open("wb") as file, contextlib.suppress(OSError):
                    while True:
                        file.write(os.urandom(65536))
                        file.flush()
                told = server.upload(_png(400, 400))
                kernel, sent = [[0, 0, 0], [0, 1, 0], [0, 0, 0]], {"path": path}
                sent["meta"] = {"_type": "gradio.FileData"}
                _, made = server.call("apply", [sent, kernel, "reflect", 0, 0, 0])
                seconds = server.learn()
                filler.unlink()
                again = server.upload(_png(400, 400)).status_code
                report.row(
                    "a full disk: an upload; a file to be made; a run; an upload with room again",
                    asked="507, told, ends well, 200",
                    got=f"{told.status_code}, {'made' if made else 'told'}, {seconds:.1f} s, "
                    f"{again}",
                    met=(told.status_code, made, again) == (507, False, 200) and seconds < PATIENCE,
                )  # fmt: skip
                report.note(f"It is told: “{told.text}”")
        finally:
            subprocess.run(["umount", "-l", folder], check=False)


def _memory(report) -> None:
    """Visitors with large pictures at once: the most memory that the server takes."""
    sides, visitors = (5000, 8000), 6
    png, same = _png(*sides, smooth=True), [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    with Server() as server:
        server.learn()

        def visit(number: int) -> bool:
            path = server.upload(png, f"{number}.png").json()[0]
            sent = {"path": path, "meta": {"_type": "gradio.FileData"}}
            return server.call("apply", [sent, same, "reflect", 0, 0, 0])[1]

        with server.peak() as grown, ThreadPoolExecutor(visitors) as pool:
            served = sum(pool.map(visit, range(visitors)))
        report.row(
            f"MB beyond the usual while {visitors} visitors filter 40 Mpx in colour at once",
            got=f"{grown():.0f}; {served} served",
        )


def _png(height: int, width: int, smooth: bool = False) -> bytes:
    noise = np.random.default_rng(0)
    size = (height // 50, width // 50) if smooth else (height, width)
    pixels = noise.integers(0, 256, (*size, 3)).astype(np.uint8)
    if smooth:
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_NEAREST)
    return cv2.imencode(".png", pixels)[1].tobytes()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
