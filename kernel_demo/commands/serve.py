"""`python -m kernel_demo serve`, or `python app.py`: the page, until it is interrupted."""

import argparse
import gc
import logging
import os
import re
import sys
import tempfile
from importlib.util import find_spec

from kernel_demo.ui.serving import unused
from kernel_demo.ui.serving.bounds import MB, Bounds

PACKAGE = 'MCP needs mcp: pip install "kernel-demo[mcp]"'
PASSWORD = "Expected --mcp or --auth; got both. Assistants have no password: leave one of them out."
FOLDER = "GRADIO_TEMP_DIR"  # of the visitors' files; read when the page is built
LEVELS = ("debug", "info", "warning", "error")
_UNITS = {"kb": MB // 1000, "mb": MB, "gb": 1000 * MB}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand `serve`."""
    parser.description = "Serve the page."
    parser.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        help="the address to listen on; 0.0.0.0 for every one (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        help="default: %(default)s",
    )
    parser.add_argument("--share", action="store_true", help="make a public link as well")
    parser.add_argument(
        "--offline", action="store_true", help="ask nothing of the Hugging Face Hub"
    )
    parser.add_argument(
        "--auth", type=_user, metavar="USER:PASSWORD", help="ask visitors for these"
    )
    parser.add_argument(
        "--mcp", action="store_true", help="offer learn, apply and recover to AI assistants (MCP)"
    )
    parser.add_argument(
        "--root-path",
        default=os.environ.get("GRADIO_ROOT_PATH", ""),
        metavar="PATH",
        help="where a reverse proxy has the page, as /kernel-demo (default: at its root)",
    )
    parser.add_argument(
        "--log-level",
        choices=LEVELS,
        default="info",
        help="of the log on stderr: info tells one line a run, of its settings, seconds and "
        "outcome; no picture, no address, no file name (default: %(default)s)",
    )
    _add_bounds(parser.add_argument_group("bounds", "Beyond each a visitor is told so."))


def _add_bounds(group: argparse._ArgumentGroup) -> None:
    usual = Bounds()
    for name, default, what in (
        ("--max-upload", usual.upload, "one uploaded file"),
        ("--disk", usual.disk, "all uploads and files made, in $GRADIO_TEMP_DIR: the oldest go"),
        ("--visitor-disk", usual.visitor, "the uploads of one visitor"),
    ):
        told = f"{what} (default: {default // MB}MB)"
        group.add_argument(name, type=_size, default=default, metavar="SIZE", help=told)
    for name, default, what in (
        ("--queue", usual.queue, "runs that wait, of one visitor at most half of them"),
        ("--runs", usual.runs, "runs at once on the device"),
    ):
        told = f"{what} (default: {default})"
        group.add_argument(name, type=_number, default=default, metavar="N", help=told)


def run(options: argparse.Namespace) -> int:
    """Build the page and serve it. Returns the exit status: 0, or 2 where it cannot."""
    if options.mcp and (options.auth or find_spec("mcp") is None):
        print(PASSWORD if options.auth else PACKAGE, file=sys.stderr)
        return 2
    if FOLDER in os.environ:
        return _run(options)
    # Else gradio shares one folder with all its pages on this machine, whose files are not ours.
    with tempfile.TemporaryDirectory(prefix="kernel-demo-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when the client of the Hub is imported
    reached = options.share or bool(options.root_path)
    unused.leave_out(mcp=not options.mcp)
    gc.disable()  # all that is made here is kept: a search for garbage in it costs half a second
    try:
        from kernel_demo.ui import layout

        page = layout.build(folders=layout.local(options.host, reached))
    except ModuleNotFoundError as error:
        if error.name not in ("gradio", "datasets"):
            raise
        print(f'The page needs {error.name}: pip install "kernel-demo[page]"', file=sys.stderr)
        return 2
    finally:
        gc.enable()
    gc.freeze()
    _log(options.log_level)
    layout.launch(
        page,
        Bounds(
            upload=options.max_upload,
            disk=options.disk,
            visitor=options.visitor_disk,
            queue=options.queue,
            runs=options.runs,
        ),
        server_name=options.host,
        server_port=options.port,
        share=options.share,
        auth=options.auth,
        root_path=options.root_path or None,
        **({"mcp_server": True} if options.mcp else {}),
    )
    return 0


def _log(level: str) -> None:
    """Our own log to stderr, from that level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("kernel_demo")
    log.handlers, log.propagate = [handler], False
    log.setLevel(level.upper())


def _size(text: str) -> int:
    """Bytes: 500kb, 60MB, 2gb."""
    said = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]b)", text.strip().lower())
    size = float(said[1]) * _UNITS[said[2]] if said else 0
    if not 1 <= size < 1e15:
        raise argparse.ArgumentTypeError("expected a size such as 500kB, 60MB or 2GB")
    return int(size)


def _number(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 10_000):
        raise argparse.ArgumentTypeError("expected a whole number from 1 to 10000")
    return int(text)


def _user(text: str) -> tuple[str, str]:
    name, _, password = text.partition(":")
    if not (name and password):
        raise argparse.ArgumentTypeError("expected USER:PASSWORD")
    return name, password
