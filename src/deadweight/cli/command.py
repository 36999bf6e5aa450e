"""What a command of the command line is made of, and the arguments that several share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands import what they need when they run: help and errors come at once
    from deadweight.oci.descriptor import Platform
    from deadweight.sandbox import Choice
    from deadweight.transport.base import Access


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand. `run` returns the exit code."""

    name: str
    summary: str
    description: str
    examples: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    rest: str = ""
    """The argument that gets all that stands after ``--``, where there is one."""


def whole_number(least: int) -> Callable[[str], int]:
    """Reads an argument that is a whole number, `least` or more."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is less than {least}")
        return number

    return read


def add_access(parser: argparse.ArgumentParser) -> None:
    """Options for reaching registries and engines."""
    group = parser.add_argument_group("registries and engines")
    group.add_argument(
        "--authfile", type=Path, metavar="FILE", help="credentials, as docker and podman keep them"
    )
    group.add_argument("--ca-file", type=Path, metavar="FILE", help="trust the certificates in FILE, too")
    group.add_argument(
        "--plain-http", action="store_true", help="no TLS (to loopback it may always be missing)"
    )
    group.add_argument("--insecure-tls", action="store_true", help="do not check certificates")
    group.add_argument("--engine", default="", metavar="ADDRESS", help="the engine's socket, as DOCKER_HOST")


def access_of(options: argparse.Namespace) -> Access:
    """The `Access` that the options of `add_access` say."""
    from deadweight.transport.base import Access

    return Access(
        auth_file=options.authfile,
        plain_http=options.plain_http,
        ca_file=options.ca_file,
        insecure_tls=options.insecure_tls,
        engine=options.engine,
    )


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """The option that says what runs the programs of an image."""
    parser.add_argument(
        "--sandbox",
        choices=("auto", "bubblewrap", "docker", "podman"),
        default="auto",
        help="what runs the image (default: auto, bubblewrap, and where that is refused an engine of this machine)",
    )


def sandbox_of(options: argparse.Namespace) -> Choice:
    """The `Choice` that the options of `add_sandbox` and `add_access` say."""
    from deadweight.sandbox import Choice

    return Choice(options.sandbox, access_of(options))


def parse_platform(text: str) -> Platform:
    """The platform in ``os/arch[/variant]``. Raises `InvalidReference`."""
    from deadweight.oci.descriptor import Platform

    return Platform.parse(text)


def add_platform(parser: argparse.ArgumentParser) -> None:
    """The option that chooses one image of an index."""
    parser.add_argument(
        "--platform",
        type=parse_platform,
        metavar="OS/ARCH",
        help="which image of an index (default: this machine's)",
    )
