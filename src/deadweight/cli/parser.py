"""The argument parser, put together from the commands."""

from __future__ import annotations

import argparse
from typing import NoReturn

from deadweight._version import __version__
from deadweight.cli import analyze, check, copy, diff, look
from deadweight.cli.command import Command

COMMANDS: tuple[Command, ...] = (
    analyze.COMMAND,
    diff.COMMAND,
    check.COMMAND,
    look.LS,
    look.CAT,
    look.TREE,
    copy.COMMAND,
)
"""In the order of the help."""

_IMAGES = """\
An IMAGE is a file or directory, recognised by its content, a name that the local engine or a registry knows, or one of
  docker-archive:FILE[:NAME]   oci:DIR[:NAME]   oci-archive:FILE[:NAME]   dir:DIR
  docker://HOST/NAME[:TAG]     docker-daemon:NAME[:TAG]      rootfs:DIR-OR-TAR

exit codes: 0 done, 1 the answer is no (over budget), 2 could not do it
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; the result has `run` and `debug`."""
    parser = _Parser(
        prog="deadweight",
        description="Finds the dead weight in container images: every byte once, no daemon needed.",
        epilog=_IMAGES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"deadweight {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=command.examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        sub.add_argument("--debug", action="store_true", help="show the trace of an error")
        sub.set_defaults(run=command.run)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest right command."""

    def error(self, message: str) -> NoReturn:
        if "invalid choice" in message:
            message = _nearest_command(message)
        self.exit(2, f"{self.prog}: error: {message}; try {self.prog} --help\n")


def _nearest_command(message: str) -> str:
    from difflib import get_close_matches

    given = message.partition("invalid choice: ")[2].partition(" ")[0].strip("'\"")
    names = [command.name for command in COMMANDS]
    near = get_close_matches(given, names, 1)
    if near:
        return f"there is no command {given!r}; did you mean {near[0]!r}?"
    return f"there is no command {given!r}; choose from {', '.join(names)}"
