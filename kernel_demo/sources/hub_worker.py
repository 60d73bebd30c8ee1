"""Streams picture files from a dataset on the Hub; run by hub.py as a process of its own.

Why a process: a hanging host keeps the client waiting for minutes, and only a process can be
ended. It runs in an empty folder, without the host's token, and imports nothing of this project.

In: one line of JSON on stdin, {id, split, column, take, deadline}.
Out: frames on stdout, each a line of JSON and as many bytes as its "size" says:
    about    {split, column, part, licence}    what was chosen, and its card's licence
    picture                           the bytes of one file
    failed   {cause, detail}          see hub.py
    end                               all that was asked for, or all there is
"""

import json
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any, Protocol

MAX_FILE = 20 * 2**20  # bytes of one picture
MAX_TOTAL = 64 * 2**20  # bytes of all of them
SMALL_SPLITS = ("validation", "valid", "val", "dev", "test", "train")  # tried in this order


class Send(Protocol):
    """Writes a frame."""

    def __call__(self, kind: str, content: bytes = b"", **fields: str) -> None: ...


class RefusedError(Exception):
    """A reason to stop that hub.py has a sentence for."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(cause)
        self.cause, self.detail = cause, detail


def main() -> None:
    request = json.loads(sys.stdin.readline())
    # Should the parent die, nobody else would end this process.
    clock = threading.Timer(request["deadline"] + 2, os._exit, (1,))
    clock.daemon = True
    clock.start()
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries may print; the pipe is for frames

    def send(kind: str, content: bytes = b"", **fields: str) -> None:
        head = json.dumps({"kind": kind, "size": len(content), **fields})
        pipe.write(head.encode() + b"\n" + content)
        pipe.flush()

    try:
        stream(request, send)
        send("end")
    except RefusedError as refused:
        send("failed", cause=refused.cause, detail=refused.detail)
    except Exception as error:  # noqa: BLE001 - the process boundary: every cause becomes a frame
        send("failed", cause=cause_of(error), detail="")
    os._exit(0)  # a stopped stream would sleep 5 s in its clean-up


def stream(request: dict[str, Any], send: Send) -> None:
    """Sends `about`, then up to `take` pictures."""
    licence = check_repository(request["id"])
    builder, part = open_builder(request["id"])
    splits = list(builder.info.splits or builder.config.data_files or ())
    split = choose(splits, request["split"], SMALL_SPLITS, "split")
    rows = builder.as_streaming_dataset(split=split)
    rows = rows if rows.features else rows._resolve_features()  # what its iterators call too
    import datasets

    columns = [name for name, kind in rows.features.items() if isinstance(kind, datasets.Image)]
    if not columns:
        raise RefusedError("no pictures", ", ".join(list(rows.features)[:12]))
    column = choose(columns, request["column"], (), "column")
    send("about", split=split, column=column, part=part, licence=licence)
    # decode(False), and first: where datasets has set up its own decoding (folders of pictures),
    # cast_column(Image(decode=False)) goes unheeded and Pillow would open whatever comes.
    rows = rows.decode(False).select_columns([column])
    total = 0
    for row in rows.take(request["take"]):
        content = read(row[column] or {}, request["id"])
        if total + len(content) > MAX_TOTAL:
            break
        total += len(content)
        send("picture", content)


def check_repository(dataset_id: str) -> str:
    """The licence that its card names, "" for none.

    One quick request, so that the usual failures are known before anything slow begins.
    """
    from huggingface_hub import HfApi

    info = HfApi(token=False).dataset_info(dataset_id, token=False, timeout=10)
    if info.gated:
        raise RefusedError("gated")
    licence = (info.card_data.get("license") if info.card_data else "") or ""
    return (licence if isinstance(licence, str) else ", ".join(map(str, licence)))[:60]


def open_builder(dataset_id: str) -> tuple[Any, str]:
    """(builder, name of the part chosen where the dataset has several, else "")."""
    import datasets  # about 2 s: after the check, which needs it not

    # By default a broken connection is tried again for 100 s; the visitor waits for 15.
    datasets.config.STREAMING_READ_MAX_RETRIES = 2
    datasets.config.STREAMING_READ_RETRY_INTERVAL = 0.5
    try:
        builder, part = datasets.load_dataset_builder(dataset_id, token=False), ""
    except ValueError as error:
        if "Config name is missing" not in str(error):
            raise
        part = datasets.get_dataset_config_names(dataset_id, token=False)[0]
        builder = datasets.load_dataset_builder(dataset_id, part, token=False)
    return builder, part


def choose(names: Sequence[str], wanted: str, preferred: Sequence[str], what: str) -> str:
    if wanted and wanted not in names:
        raise RefusedError(f"no such {what}", ", ".join(names[:12]))
    return wanted or next((name for name in preferred if name in names), names[0])


def read(value: dict[str, Any], dataset_id: str) -> bytes:
    """The file's bytes; b"" where there are none. A path is followed only into the dataset.

    value: {bytes, path}, as decode(False) gives it: Parquet files hold bytes, folders give paths.
    """
    content, path = value.get("bytes"), value.get("path") or ""
    if content is None and is_inside(path, dataset_id):
        from datasets.download.streaming_download_manager import xopen

        with xopen(path, "rb") as file:
            content = file.read(MAX_FILE + 1)
    return content if content and len(content) <= MAX_FILE else b""


def is_inside(path: str, dataset_id: str) -> bool:
    """A row may name any file or address, this server's own too: only the dataset's count.

    (Files named by the card are checked in the same way by `datasets` itself.)
    """
    path = path.split("::")[-1]  # zip://picture.jpg::hf://... lies in the archive named last
    return path.startswith(f"hf://datasets/{dataset_id}@") and ".." not in path.split("/")


def cause_of(error: Exception) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in names or "is a gated dataset" in str(error):
        return "gated"
    if names & {"RepositoryNotFoundError", "DatasetNotFoundError", "HFValidationError"}:
        return "unknown"
    if names & {"HfHubHTTPError", "HTTPError", "ConnectionError", "TimeoutError", "TransportError"}:
        return "refused"
    return "unreadable"


if __name__ == "__main__":
    del sys.path[0]  # this folder: its modules must not be taken for libraries
    main()
