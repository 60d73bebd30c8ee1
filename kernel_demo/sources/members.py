"""What is in a shard: pictures as bytes, one after the other, and what cannot be one.

A damaged picture is a Fault, and the next one comes; so is the rest of a file that is cut short.
Where the reading itself fails (a network, a disk), OSError: that shard can be read another time.

`datasets` reads tars too, but ends at the first that is cut short, and at a sample that lacks its
partner among the first five (5.2.0); here both are counted and named.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

from kernel_demo.errors import DemoError
from kernel_demo.sources.decoding import MAX_BYTES
from kernel_demo.sources.shards import PICTURES, Fault, Shard

PAIR = ("before", "after")
ROWS = 16  # of a Parquet file at a time
TOO_LARGE = f"is larger than {MAX_BYTES // 2**20} MB"
BLOCK = 512  # bytes: a tar's unit; a block of zeros is its end


@dataclass(frozen=True)
class Sample:
    """A picture, or a pair of them, as files hold them."""

    name: str
    files: tuple[bytes, ...]  # one, or before and after


def members(shard: Shard, wanted: tuple[str, ...]) -> Iterator[Sample | Fault]:
    """All samples of a shard in its own order, and what is wrong with the others.

    wanted: the two fields (of a tar's KEY.before.png, or columns) of a pair; or one, of a single
    picture; or none: whichever picture there is. OSError where the shard cannot be read.
    """
    if shard.kind == "files":
        for name, *paths in shard.parts:
            yield _of_files(name, paths)
        return
    path = shard.parts[0][0]
    with _opened(path) as file:
        if shard.kind == "tar":
            yield from _of_tar(shard.name, file, wanted)
        else:
            yield from _of_parquet(shard.name, file, wanted)


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        if "://" not in path:
            yield stack.enter_context(open(path, "rb"))
        else:
            import fsspec

            yield stack.enter_context(fsspec.open(path, "rb"))


def _of_files(name: str, paths: list[str]) -> Sample | Fault:
    contents: list[bytes] = []
    for path in paths:
        try:
            with _opened(path) as file:
                content = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            return Fault(name, "cannot be opened")
        fault = _unfit(content)
        if fault:
            return Fault(name, fault)
        contents.append(content)
    return Sample(name, tuple(contents))


def _unfit(content: bytes) -> str:
    """Why these bytes are not even looked at; "": they are."""
    if not content:
        return "is empty"
    return TOO_LARGE if len(content) > MAX_BYTES else ""


def _of_tar(name: str, file: IO[bytes], wanted: tuple[str, ...]) -> Iterator[Sample | Fault]:
    """Members that follow each other and share what stands before the first dot are one sample."""
    key, fields = "", dict[str, bytes | str]()
    if not file.read(1):
        yield Fault(name, "is empty")
        return
    file.seek(0)
    try:
        archive = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115 - below
    except (tarfile.TarError, EOFError):
        yield Fault(name, "is no tar")
        return
    with archive:
        try:
            for member in archive:
                if not member.isfile():
                    continue
                folder, _, base = member.name.rpartition("/")
                stem, _, field = base.partition(".")
                own = f"{folder}/{stem}" if folder else stem
                if own != key and fields:
                    yield from _sample(f"{name}/{key}", fields, wanted)
                    fields = {}
                key = own
                if f".{field.rpartition('.')[2]}".lower() in PICTURES:
                    fields[field] = _member(archive, member)
        except (tarfile.TarError, EOFError):
            # The sample that the end fell into is not whole.
            yield Fault(f"{name}/{key}" if key else name, "is where the tar is cut short")
            return
        if fields:
            yield from _sample(f"{name}/{key}", fields, wanted)
        yield from _ending(name, archive)


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | str:
    """A member's bytes, or why it has none to look at."""
    if member.size > MAX_BYTES:
        return TOO_LARGE
    file = archive.extractfile(member)
    content = file.read() if file else b""
    if len(content) < member.size:
        raise tarfile.ReadError("unexpected end of data")
    return content or "is empty"


def _ending(name: str, archive: tarfile.TarFile) -> Iterator[Fault]:
    """tarfile takes anything that is no header for the end; a real end is a block of zeros."""
    file: Any = archive.fileobj
    file.seek(archive.offset)
    block = file.read(BLOCK)
    if len(block) < BLOCK:
        yield Fault(name, "has no end: it may be cut short")
    elif any(block):
        yield Fault(name, f"is damaged from byte {archive.offset} on")


def _sample(
    name: str, fields: dict[str, bytes | str], wanted: tuple[str, ...]
) -> Iterator[Sample | Fault]:
    """What the fields of one key make: nothing, where it has no picture at all."""
    found: list[bytes | str] = []
    for want in wanted or ("",):
        fitting = [field for field in fields if not want or field.rpartition(".")[0] == want
                   or (len(wanted) == 1 and field == want)]  # fmt: skip
        if not fitting:
            yield Fault(name, f"has no “{want}”")
            return
        found.append(fields[fitting[0]])
    yield _whole(name, found)


def _whole(name: str, found: list[bytes | str]) -> Sample | Fault:
    faults = [part for part in found if isinstance(part, str)]
    if faults:
        return Fault(name, faults[0])
    return Sample(name, tuple(part for part in found if isinstance(part, bytes)))


def _of_parquet(name: str, file: IO[bytes], wanted: tuple[str, ...]) -> Iterator[Sample | Fault]:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ModuleNotFoundError:
        raise DemoError(
            "the package datasets for Parquet files",
            "none installed",
            'Install it: pip install "kernel-demo[page]".',
        ) from None
    row = 0
    try:
        table = parquet.ParquetFile(file)
        columns = _columns(table.schema_arrow, wanted)
        if isinstance(columns, str):
            yield Fault(name, columns)
            return
        for batch in table.iter_batches(batch_size=ROWS, columns=columns):
            values = [batch.column(column).to_pylist() for column in columns]
            for cells in zip(*values, strict=True):
                yield _whole(f"{name}/{row}", [_cell(cell) for cell in cells])
                row += 1
    except arrow.ArrowException:
        yield Fault(f"{name}/{row}", "is where the Parquet file is damaged")


def _columns(schema: Any, wanted: tuple[str, ...]) -> list[str] | str:
    """The columns to read, or why there are none."""
    names = list(schema.names)
    if wanted:
        lacking = [want for want in wanted if want not in names]
        told = ", ".join(names[:12])
        return f"has no column “{lacking[0]}”, only {told}" if lacking else list(wanted)
    for field in schema:
        inner = [field.type.field(i).name for i in range(field.type.num_fields)]
        if "bytes" in inner:
            return [field.name]
    binary = [field.name for field in schema if str(field.type) in ("binary", "large_binary")]
    return binary[:1] or f"has no column of pictures, only {', '.join(names[:12])}"


def _cell(cell: Any) -> bytes | str:
    """The bytes in a cell. A path beside them is not followed: it may lead anywhere."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if content is None:
        return "has no picture in it"
    return _unfit(content) or content if isinstance(content, bytes) else "is no picture"
