"""What an operator bounds: `kernel-demo serve --help` says the same, and gives other values."""

from dataclasses import dataclass

MB = 10**6  # bytes


@dataclass(frozen=True)
class Bounds:
    """The bounds of one server; sizes in bytes."""

    upload: int = 60 * MB  # one file
    disk: int = 2000 * MB  # all uploads and all files that were made
    visitor: int = 300 * MB  # the uploads of one visitor
    queue: int = 16  # who waits; one more is told that the page is busy
    runs: int = 2  # at once on the device
