"""The argument parser, put together from the commands."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from deadweight._version import __version__
from deadweight.cli import analyze, check, copy, diff, look, probe, removed, restore, sandbox, slim, why
from deadweight.cli.command import Command
from deadweight.report.units import printable

COMMANDS: tuple[Command, ...] = (
    analyze.COMMAND,
    slim.COMMAND,
    why.COMMAND,
    removed.COMMAND,
    restore.COMMAND,
    diff.COMMAND,
    check.COMMAND,
    look.LS,
    look.CAT,
    look.TREE,
    copy.COMMAND,
    sandbox.RUN,
    probe.PROBE,
    probe.COMPARE,
)
"""In the order of the help."""

_IMAGES = """\
An IMAGE is a file or directory, recognised by its content, a name that the local engine or a registry knows, or one of
  docker-archive:FILE[:NAME]   oci:DIR[:NAME]   oci-archive:FILE[:NAME]   dir:DIR
  docker://HOST/NAME[:TAG]     docker-daemon:NAME[:TAG]      rootfs:DIR-OR-TAR

exit codes: 0 done, 1 the answer is no (over budget, other answers), 2 could not do it; of run, the program's
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
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
    )
    for command in COMMANDS:
        commands.add_parser(
            command.name,
            command=command,
            help=command.summary,
            description=command.description,
            epilog=command.examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest right command or option."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        # A command is to say itself what it does not know: argparse leaves that to the parser above.
        namespace, unknown = super().parse_known_args(args, namespace)
        unknown = self._taken(namespace, unknown)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return namespace, unknown

    def _taken(self, namespace: argparse.Namespace, unknown: list[str]) -> list[str]:
        """What is left of `unknown`: argparse takes all of a list from one place, and people write options between."""
        lists = [one for one in self._actions if not one.option_strings and one.nargs in ("*", "+")]
        if not lists or any(argument.startswith("-") for argument in unknown):
            return unknown
        name = lists[-1].dest
        setattr(namespace, name, [*(getattr(namespace, name) or ()), *unknown])
        return []

    def error(self, message: str) -> NoReturn:
        if message.startswith("argument COMMAND: invalid choice"):
            message = _unknown_command(message)
        remedy = "" if message.endswith("?") else f"; try {self.prog} --help"
        self.exit(2, f"{self.prog}: error: {printable(message)}{remedy}\n")

    def _unknown(self, argument: str) -> str:
        if not argument.startswith("-"):
            return f"there is no use for {argument!r}"
        name = argument.partition("=")[0]
        options = [option for action in self._actions for option in action.option_strings]
        return f"there is no option {name}" + _nearest(name, options)


class CommandParser(_Parser):
    """The parser of one command. It gets its arguments when it is used: of all commands, one is."""

    def __init__(self, *, command: Command, **settings: Any) -> None:
        super().__init__(**settings)
        self._command: Command | None = command
        self._rest = command.rest

    def complete(self) -> None:
        """Adds the arguments, if they are not there yet."""
        command, self._command = self._command, None
        if command is not None:
            command.add_arguments(self)
            self.add_argument("--debug", action="store_true", help="show the trace of an error")
            self.set_defaults(run=command.run)
            if command.rest:
                self.usage = f"{self.format_usage().removeprefix('usage: ').rstrip()} [-- CMD ...]".replace(
                    "%", "%%"
                )

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        self.complete()
        rest: list[str] = []
        if self._rest and "--" in args:
            end = args.index("--")
            args, rest = args[:end], args[end + 1 :]
        namespace, unknown = super().parse_known_args(args, namespace)  # type: ignore[no-untyped-call]
        if self._rest:
            setattr(namespace, self._rest, rest)
        return namespace, unknown


def _unknown_command(message: str) -> str:
    given = message.partition("invalid choice: ")[2].partition(" ")[0].strip("'\"")
    names = [command.name for command in COMMANDS]
    return f"there is no command {given!r}" + (_nearest(given, names) or f"; choose from {', '.join(names)}")


def _nearest(given: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(given, known, 1)
    return f"; did you mean {near[0]}?" if near else ""
