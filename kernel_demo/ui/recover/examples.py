"""Pairs made by real tools, with the command that made each: examples/recover/."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "recover"
COMMANDS = FOLDER / "COMMANDS.md"


@dataclass(frozen=True)
class Example:
    """One pair."""

    name: str  # "Pillow: emboss"
    command: str
    before: Path
    after: Path

    def files(self) -> tuple[list[str], list[str]]:
        """Both files in gradio's own cache, from where it may show them: values of gr.File."""
        return tuple(
            [save_bytes_to_cache(path.read_bytes(), path.name, cache_dir=get_upload_folder())]
            for path in (self.before, self.after)
        )


@cache
def examples() -> tuple[Example, ...]:
    """Those that COMMANDS.md lists as `| before | after | name | command |` and that are there."""
    if not COMMANDS.is_file():
        return ()
    found = []
    for line in COMMANDS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split(" | ")]
        if len(cells) != 4:
            continue
        before, after = FOLDER / cells[0], FOLDER / cells[1]
        if before.is_file() and after.is_file():
            found.append(Example(cells[2], cells[3], before, after))
    return tuple(found)
