"""What a run brings over the line, told from what comes after it."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from benchmarks import light

RUN, RESULT, MOST = 20_000, 300_000, 60_000  # bytes
HEADERS = 1000  # bytes, at most
# As the stage: it reads the stream of a run and ends it itself, says that the run is over, and asks
# for the result at once.
PAGE = """<!doctype html><button id="learn">Learn</button>
<div id="live"><div class="kd-live" data-done="false">.</div></div><script>
document.querySelector('#learn').onclick = async () => {
  const ends = new AbortController();
  const reader = (await fetch('/run', { signal: ends.signal })).body.getReader();
  for (let come = 0; come < RUN;) come += (await reader.read()).value.length;
  ends.abort();
  document.querySelector('.kd-live').dataset.done = 'true';
  await (await fetch('/result')).blob();
};
</script>""".replace("RUN", str(RUN))


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        kind, body = {
            "/": ("text/html", PAGE.encode()),
            "/run": ("text/event-stream", b"." * RUN),
            "/result": ("application/json", b"." * RESULT),
        }.get(self.path, ("image/x-icon", b""))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        for start in range(0, len(body), RUN // 10):
            self.wfile.write(body[start : start + RUN // 10])
        if self.path == "/run":
            self.rfile.read(1)  # until the page ends it

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def fake():
    """The address of PAGE."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Rows(list):
    """The bytes that a benchmark reports."""

    def row(self, what, asked, got, *_):
        self.append(int(got.replace(",", "")))


@pytest.fixture
def weighed(chromium, monkeypatch):
    """weighed(address, slower=1) -> bytes of a run of the page there, and of its result.

    slower: times, the browser's processor; Learn is then pressed as soon as it can be.
    """
    monkeypatch.setattr(light, "FOLLOWS", 2000)

    def weigh(address, slower=1):
        context = chromium.new_context(**light.LAPTOP)
        if slower > 1:
            monkeypatch.setattr(light, "SETTLES", 0)
            slow = {"rate": slower}
            context.on("page", lambda page: context.new_cdp_session(page).send(
                "Emulation.setCPUThrottlingRate", slow))  # fmt: skip
        rows = Rows()
        light._stream(rows, context, address)
        return rows

    return weigh


def test_a_run_is_told_from_its_result(weighed, monkeypatch):
    """A result that is there at the run's very end is not the run's; nor is any of the bytes of a
    stream lost that the page ends. The oracle is the server that sends them."""
    monkeypatch.setattr(light, "SETTLES", 500)
    with fake() as address:
        run, result = weighed(address)
    assert RUN <= run <= RUN + HEADERS
    assert RESULT <= result <= RESULT + HEADERS


@pytest.mark.parametrize("slower", [1, 6])
def test_a_run_brings_little(weighed, server, slower):
    """The run of the first visit's example brings at most 60 KB to its end: of pictures and of the
    page nothing comes anew; also in a slow browser whose Learn is pressed as soon as it can be."""
    run, result = weighed(server, slower)
    assert run <= MOST
    assert result > 0


def test_a_message_has_no_other_part_copied(page, server):
    """From the press of Learn to the end of the run gradio copies fewer than 10,000 values: the
    stage's. With all that the parts of its events have, it copied 80,000."""
    page.goto(server)
    expect(page.locator("#learn")).to_be_enabled()
    page.wait_for_timeout(2000)
    page.evaluate("""() => {
      window.copies = 0;
      const { structuredClone: clone } = window;
      window.structuredClone = (...given) => { window.copies += 1; return clone(...given); };
    }""")
    page.locator("#learn").click()
    expect(page.locator('#live [data-done="true"]')).to_be_visible()
    assert page.evaluate("window.copies") < 10_000


def test_the_page_is_made_once(page, server):
    """Gradio reads the list of all parts once to make them, and not once more for the same."""
    page.add_init_script("""
      window.lookedThrough = 0;
      const { reduce } = Array.prototype;
      Array.prototype.reduce = function (...given) {
        const parts = window.gradio_config?.components;
        window.lookedThrough += parts !== undefined && this[0] === parts[0];
        return reduce.apply(this, given);
      };
    """)
    page.goto(server)
    expect(page.locator("#learn")).to_be_enabled()
    page.wait_for_timeout(2000)
    assert page.evaluate("window.lookedThrough") == 1
