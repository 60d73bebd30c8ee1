"""Several processes of the page behind the proxy of examples/deploy, as its README says it.

with Machines(3, folder) as machines:
    httpx.get(machines.address)
    machines.drain("b")
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "examples" / "deploy" / "haproxy.cfg"
PROXY = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NAMES = "abc"  # of the servers, in the configuration and in the cookie
COOKIE = "server"
START_SECONDS = 400  # three at once, on two cores that others use as well


class Machines:
    """The servers a, b, c or the first of them, and the proxy; they end with the block."""

    def __init__(
        self, count: int, folder: Path, path: str = "", tls: bool = False, **environment: str
    ) -> None:
        """folder: for what they write. path: under which the proxy has the page, as /kernels. tls:
        whether it speaks HTTP/2, with a certificate that nobody signed. environment: of every
        process.
        """
        self.folder, self.environment, self.path, self.tls = folder, environment, path, tls
        self.ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
        self.names = NAMES[:count]
        self.port = free_ports(1)[0]
        self.address = f"http{'s' * tls}://127.0.0.1:{self.port}{path}"
        self.processes: dict[str, subprocess.Popen] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Machines":
        with ExitStack() as stack:
            for name in self.names:
                stack.callback(self._end, name)
                self.start(name)
            for name in self.names:
                self.wait(name)
            stack.callback(self._end, "proxy")
            self._start_proxy()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def start(self, name: str) -> None:
        """Start a server, or another one in its place."""
        command = [sys.executable, "app.py", "--port", str(self.ports[name])]
        self._run(name, command, GRADIO_TEMP_DIR=str(self.folder / "gradio"), HF_HUB_OFFLINE="1",
                  GRADIO_ROOT_PATH=self.path)  # fmt: skip

    def wait(self, name: str) -> None:
        """Return when a server answers."""
        _wait_for(f"http://127.0.0.1:{self.ports[name]}/health", self.processes[name])

    def kill(self, name: str) -> None:
        """End a server as a power failure does."""
        self.processes[name].kill()
        self.processes[name].wait()

    def drain(self, name: str) -> None:
        """Tell a server that it is being replaced."""
        self.processes[name].send_signal(signal.SIGTERM)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def _start_proxy(self) -> None:
        ports = {name.upper(): f"127.0.0.1:{port}" for name, port in self.ports.items()}
        listen = f"127.0.0.1:{free_ports(1)[0] if self.tls else self.port}"
        command = [PROXY, "-db", "-f", str(self._configured())]
        self._run("proxy", command, LISTEN=listen, **ports)
        _wait_for(f"http://{listen}{self.path}/health", self.processes["proxy"])

    def _configured(self) -> Path:
        """The configuration, with those of its lines in force that were asked for."""
        text = CONFIGURATION.read_text("utf-8")
        if self.path:
            text = _in_force(text, "http-request replace-path ^/kernels/", ("/kernels", self.path))
        if self.tls:
            text = _in_force(
                text, "bind :443", (":443", f"127.0.0.1:{self.port}"),
                ("/etc/haproxy/page.pem", str(_certificate(self.folder))),
            )  # fmt: skip
        place = self.folder / "haproxy.cfg"
        place.write_text(text, "utf-8")
        return place

    def _run(self, name: str, command: list, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"} | environment | self.environment,
            )  # fmt: skip

    def _end(self, name: str) -> None:
        if name in self.processes:
            self.processes[name].kill()
            self.processes[name].wait()


def _in_force(text: str, line: str, *replaced: tuple[str, str]) -> str:
    """A configuration whose line that begins so is no comment any more, with other words in it."""
    (found,) = re.findall(rf"^ +# ({re.escape(line)}.*)$", text, re.MULTILINE)
    told = found
    for before, after in replaced:
        told = told.replace(before, after)
    return text.replace(f"# {found}", told)


def _certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file as HAProxy takes them."""
    place = folder / "page.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
            "-days", "1", "-keyout", "-", "-out", "-"]  # fmt: skip
    place.write_bytes(subprocess.run(made, capture_output=True, check=True).stdout)
    return place


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _wait_for(address: str, process: subprocess.Popen) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            opener.open(address, timeout=5).close()
        except (urllib.error.URLError, OSError):  # noqa: PERF203 - it waits anyway
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{address} does not answer")
