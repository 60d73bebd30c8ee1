"""Serve the page: `python app.py --help`."""

import argparse
import sys

from kernel_demo.commands import serve


def main() -> int:
    """Serve it as the command line says."""
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return serve.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
