"""A Hugging Face Hub on 127.0.0.1, small but spoken to by the real client (HF_ENDPOINT).

It answers the requests that `datasets` makes while streaming: the card, the listing of a
repository, its files in ranges. What goes wrong is chosen by the repository's name.
"""

import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SHA = "0123456789abcdef0123456789abcdef01234567"
LICENCES = {"demo/good": "cc-by-sa-4.0", "demo/folder": ["mit", "cc0-1.0"]}


def picture(seed: int, size: int = 48, kind: str = "PNG") -> bytes:
    """A file of grey noise around the level 10 * seed, by which a test can tell it again."""
    noise = np.random.default_rng(seed).integers(0, 10, (size, size))
    file = io.BytesIO()
    Image.fromarray((noise + 10 * seed).astype(np.uint8)).save(file, kind)
    return file.getvalue()


def parquet(files: list[bytes], column: str = "image", paths: list[str] | None = None) -> bytes:
    """A Parquet file with one column of pictures, as the Hub's own converter writes it."""
    rows = [
        {"bytes": content, "path": paths[i] if paths else f"{i}.png"}
        for i, content in enumerate(files)
    ]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    features = {"label": {"dtype": "int64", "_type": "Value"}, column: {"_type": "Image"}}
    labels = pa.array(range(len(rows)), pa.int64())
    table = pa.table({"label": labels, column: pa.array(rows, kind)})
    about = json.dumps({"info": {"features": features}})
    table = table.replace_schema_metadata({"huggingface": about})
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def texts() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["no", "picture", "here"]}), file)
    return file.getvalue()


def repositories(secret: str) -> dict[str, dict[str, bytes]]:
    """Files of each repository. secret: a local picture that two of them try to reach."""
    some = [picture(i) for i in range(12)]
    # Three cut short; one without bytes, whose path leads to this machine's disk.
    damaged = [file[: len(file) // 2] if i in (0, 4, 8) else file for i, file in enumerate(some)]
    damaged[11], paths = None, [secret] * 12
    card = "---\nconfigs:\n- config_name: default\n  data_files: '{}'\n---\n"
    entry = "- config_name: {0}\n  data_files: data/{0}.parquet\n"
    two = f"---\nconfigs:\n{entry.format('first')}{entry.format('second')}---\n"
    return {
        "demo/good": {
            "data/train-00000-of-00001.parquet": parquet([picture(20)] * 12),
            "data/validation-00000-of-00001.parquet": parquet(some),
        },
        "demo/damaged": {"data/train-00000-of-00001.parquet": parquet(damaged, "photo", paths)},
        "demo/texts": {"data/train-00000-of-00001.parquet": texts()},
        "demo/two": {
            "README.md": two.encode(),
            "data/first.parquet": parquet(some),
            "data/second.parquet": parquet(some),
        },
        "demo/cut": {
            "data/train-00000-of-00002.parquet": parquet(some[:3]),
            "data/train-00001-of-00002.parquet": parquet(some),
        },
        "demo/folder": {f"{i}.jpg": picture(i, kind="JPEG") for i in range(4)},
        "demo/escape": {"README.md": card.format(secret).encode()},
        "demo/gated": {},
        "demo/busy": {},
        "demo/hang": {},
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        self.server.requests.append((self.command, self.path, self.headers.get("Authorization")))
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        api = parts[0] == "api"
        parts = parts[1:] if api else parts
        if len(parts) < 3 or parts[0] != "datasets":
            return self._fail(404, "EntryNotFound")
        name, rest = "/".join(parts[1:3]), parts[3:]
        files = self.server.repositories.get(name)
        if files is None:
            return self._fail(401, "RepoNotFound")  # as the Hub answers a stranger
        if name == "demo/hang":
            self.server.closing.wait()
            self.close_connection = True
            return None
        if name == "demo/busy":
            return self._fail(503, "")
        if api:
            return self._about(name, files, rest)
        return self._file(name, files, "/".join(rest[2:]))  # resolve/{revision}/...

    def _about(self, name, files, rest):
        if rest[:1] == ["tree"]:
            if name == "demo/gated":
                return self._fail(401, "GatedRepo")
            return self._json(_tree(files, "/".join(rest[2:])))
        siblings = [{"rfilename": path} for path in files]
        gated = "auto" if name == "demo/gated" else False
        about = {"id": name, "sha": SHA, "siblings": siblings, "gated": gated}
        return self._json(about | {"cardData": {"license": LICENCES.get(name)}})

    def _file(self, name, files, path):
        if name == "demo/gated":
            return self._fail(401, "GatedRepo")
        if path not in files:
            return self._fail(404, "EntryNotFound")
        content, status, headers = files[path], 200, {}
        asked = self.headers.get("Range")
        if asked and self.command == "GET":
            first, _, last = asked.removeprefix("bytes=").partition("-")
            end = min(int(last or len(content)), len(content) - 1) + 1
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(content)}"
            content, status = content[int(first) : end], 206
        headers |= {"X-Repo-Commit": SHA, "ETag": f'"{hash(path) & 0xFFFFFFFF:x}"'}
        if name == "demo/cut" and "00001-of" in path and self.command == "GET":
            if self.server.was_cut.is_set():  # the client tries again: its address has expired
                return self._fail(403, "")
            self.server.was_cut.set()
            headers["Content-Length"] = str(2 * len(content))  # so that the last half never comes
            self.close_connection = True
        return self._send(status, content, headers)

    def _json(self, value):
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _fail(self, status, code):
        self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": code})

    def _send(self, status, content, headers):
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def _tree(files, folder):
    """The files and folders directly in a folder, as /api/datasets/{id}/tree lists them."""
    entries = {}
    for path, content in files.items():
        if folder and not path.startswith(folder + "/"):
            continue
        inner = path[len(folder) + 1 :] if folder else path
        top = inner.split("/")[0]
        full = f"{folder}/{top}" if folder else top
        if "/" in inner:
            entries[full] = {"type": "directory", "path": full, "oid": SHA, "size": 0}
        else:
            entries[full] = {"type": "file", "path": full, "oid": SHA, "size": len(content)}
    return list(entries.values())


class FakeHub:
    """`with FakeHub(secret) as hub:` serves until the end of the block at hub.url."""

    def __init__(self, secret: str = "/nowhere/*.png") -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.repositories = repositories(secret)
        self._server.closing = threading.Event()
        self._server.was_cut = threading.Event()
        self._server.requests = []
        self.requests = self._server.requests  # (method, path, Authorization header)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
