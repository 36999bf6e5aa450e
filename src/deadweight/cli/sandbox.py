"""``deadweight run``: a program of an image in the sandbox."""

from __future__ import annotations

import argparse

from deadweight.cli.command import Command, add_access, add_platform, add_sandbox, whole_number


def seconds(text: str) -> float:
    """Reads an argument that is a time of more than no seconds."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number


def variable(text: str) -> tuple[str, str]:
    """Reads ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return name, value


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE")
    parser.add_argument(
        "--entrypoint", metavar="PROGRAM", help="instead of the image's entrypoint; '' for none"
    )
    parser.add_argument(
        "-u", "--user", metavar="NAME[:GROUP]", help="run as this user (default: the image's)"
    )
    parser.add_argument("-w", "--workdir", metavar="DIR", help="start in DIR (default: the image's)")
    parser.add_argument(
        "-e", "--env", action="append", default=[], type=variable, metavar="NAME=VALUE", help="set a variable"
    )
    group = parser.add_argument_group("limits")
    group.add_argument(
        "--net", action="store_true", help="give it the host's network (default: only loopback)"
    )
    group.add_argument("--timeout", type=seconds, metavar="SECONDS", help="end it then (default: never)")
    group.add_argument(
        "--memory", default="2GiB", metavar="SIZE", help="of all its processes (default: 2GiB)"
    )
    group.add_argument(
        "--scratch", default="1GiB", metavar="SIZE", help="what it may write, in memory (default: 1GiB)"
    )
    group.add_argument(
        "--processes", type=whole_number(1), default=1024, metavar="N", help="at once (default: 1024)"
    )
    add_platform(parser)
    add_sandbox(parser)
    add_access(parser)


def _run(options: argparse.Namespace) -> int:
    from deadweight.cli.running import run

    return run(options)


RUN = Command(
    "run",
    "run a program of an image in a sandbox",
    "Runs the image's program in a sandbox, or after -- another one behind its entrypoint: with its user, environment\n"
    "and working directory; no network but loopback; what it writes is gone at the end. Needs bubblewrap, but neither\n"
    "root nor a daemon. The exit code is that of the program.",
    "examples:\n  deadweight run oci:app -- --help\n  deadweight run oci:app --entrypoint '' -- sh -c 'id; ls /'",
    _add_arguments,
    _run,
    rest="argv",
)
