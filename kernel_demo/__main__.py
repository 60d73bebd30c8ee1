"""The command line: `kernel-demo recover|fit|apply|serve ...`, or `python -m kernel_demo ...`."""

import argparse
import sys

from kernel_demo.commands import apply, fit, recover, serve


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand. Returns its exit status: 0, or 2 for what the user can put right."""
    parser = argparse.ArgumentParser(
        prog="kernel-demo", description="What the page can, in a terminal; and the page itself."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, does in (
        ("recover", recover, "find the filter between two pictures"),
        ("fit", fit, "learn a kernel from a whole dataset"),
        ("apply", apply, "filter a picture of any size"),
        ("serve", serve, "serve the page"),
    ):
        subparser = commands.add_parser(name, help=does)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
