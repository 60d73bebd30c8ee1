"""Serve the page: `python app.py --help`."""

import argparse
import os

from kernel_demo.ui import layout


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] + ".")
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
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask visitors for these")
    chosen = parser.parse_args()
    if chosen.auth is not None and not all(chosen.auth.partition(":")[::2]):
        parser.error("--auth: expected USER:PASSWORD")
    return chosen


def main() -> None:
    """Build the page and serve it until interrupted."""
    chosen = arguments()
    if chosen.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    auth = tuple(chosen.auth.split(":", 1)) if chosen.auth else None
    layout.launch(
        layout.build(),
        server_name=chosen.host,
        server_port=chosen.port,
        share=chosen.share,
        auth=auth,
    )


if __name__ == "__main__":
    main()
