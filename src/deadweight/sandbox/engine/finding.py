"""The engine of this machine that runs programs for us."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from deadweight.errors import TransportError, Unsupported
from deadweight.sandbox.inside.dial import LOOPBACK
from deadweight.transport.base import Access
from deadweight.transport.engine.api import Address, Engine, find_engine, parse_address

DOCKER, PODMAN, ANY = "docker", "podman", "any"
"""``docker`` is what DOCKER_HOST or ``--engine`` names, or answers at the usual sockets; ``podman`` is the program."""
LABEL = "deadweight.sandbox"
"""What containers, images and networks of a sandbox are labelled with; its value is the sandbox's token."""


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """An engine, and what all is labelled with that is removed in the end."""

    engine: Engine
    token: str


@contextmanager
def local_engine(kind: str, access: Access) -> Iterator[LocalEngine]:
    """One of the `kind`. What was made there under its token is removed at the end, even if this process is killed.

    Raises `Unsupported` where there is none.
    """
    token = secrets.token_hex(8)
    address = _address(kind, access)
    command = [sys.executable, "-m", "deadweight.sandbox.engine.cleaner", address, token]
    cleaner = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us
        cwd="/",
    )
    assert cleaner.stdin is not None and cleaner.stdout is not None  # noqa: S101, PT018 - pipes, as asked for
    try:
        with cleaner.stdout:
            told = cleaner.stdout.readline(4096).decode("utf-8", "replace").strip()
        if "://" not in told:
            raise Unsupported("the sandbox", f"{address}: {told or 'cannot be started'}")
        yield LocalEngine(Engine(parse_address(told, os.environ)), token)
    finally:
        with suppress(BrokenPipeError), cleaner.stdin:
            cleaner.stdin.write(b".")
        cleaner.wait()


def _address(kind: str, access: Access) -> str:
    """What the cleaner is to use. Raises `Unsupported`."""
    problem = "podman is not there"
    if kind != PODMAN:
        if named := access.engine or os.environ.get("DOCKER_HOST", ""):
            _require_this_machine(parse_address(named, os.environ))
        try:
            return find_engine(access, os.environ).address.text
        except TransportError as error:
            problem = f"{error.subject}: {error.problem}"
    if kind != DOCKER and shutil.which(PODMAN) is not None:
        return PODMAN
    raise Unsupported("the sandbox", problem, "start Docker, or install podman")


def _require_this_machine(address: Address) -> None:
    if address.host and address.host not in (*LOOPBACK, "localhost"):
        problem = "is another machine's: what runs there cannot be asked from here"
        raise Unsupported(address.text, problem, "name an engine of this machine")
