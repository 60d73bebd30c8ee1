"""`python -m kernel_demo serve`, or `python app.py`: the page, until it is interrupted."""

import argparse
import os
import sys
from importlib.util import find_spec

PACKAGE = 'MCP needs mcp: pip install "kernel-demo[mcp]"'
PASSWORD = "Expected --mcp or --auth; got both. Assistants have no password: leave one of them out."


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


def run(options: argparse.Namespace) -> int:
    """Build the page and serve it. Returns the exit status: 0, or 2 where it cannot."""
    if options.mcp and (options.auth or find_spec("mcp") is None):
        print(PASSWORD if options.auth else PACKAGE, file=sys.stderr)
        return 2
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when the client of the Hub is imported
    try:
        from kernel_demo.ui import layout
    except ModuleNotFoundError as error:
        if error.name not in ("gradio", "datasets"):
            raise
        print(f'The page needs {error.name}: pip install "kernel-demo[page]"', file=sys.stderr)
        return 2
    layout.launch(
        layout.build(folders=layout.local(options.host, options.share)),
        server_name=options.host,
        server_port=options.port,
        share=options.share,
        auth=options.auth,
        **({"mcp_server": True} if options.mcp else {}),
    )
    return 0


def _user(text: str) -> tuple[str, str]:
    name, _, password = text.partition(":")
    if not (name and password):
        raise argparse.ArgumentTypeError("expected USER:PASSWORD")
    return name, password
