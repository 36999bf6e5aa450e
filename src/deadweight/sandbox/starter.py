"""The seam behind which programs of an image are started."""

from __future__ import annotations

import signal
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

from deadweight.sandbox.command import Command, Limits
from deadweight.sandbox.joining import Network


@dataclass(frozen=True, slots=True)
class Exit:
    """How a program ended: its exit code, 128 and the signal's number where one ended it, and why we ended it, if we did."""

    code: int
    stopped: str = ""


class Program(Protocol):
    """A program that was started. It ends with the block that it was started in at the latest."""

    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def ended(self) -> bool:
        """Whether it has ended, by itself or not."""

    def wait(self) -> Exit:
        """How it ended, when it has. Raises `NotFound` where it could not be started, `Unsupported` where no sandbox could
        be made.
        """

    def kill(self) -> None:
        """Ends it at once."""


class Running(Program, Protocol):
    """The program that a sandbox is for."""

    def started(self, seconds: float) -> bool:
        """Whether the program has been started, once that is known; false where it is not within `seconds`."""

    def stop(self, number: int = signal.SIGTERM, grace: float = 10.0) -> bool:
        """Sends the signal to the program, as engines stop a container, and ends everything after `grace` seconds.

        Whether it had ended by then.
        """

    def network(self) -> AbstractContextManager[Network]:
        """Its network. Raises `NotFound` where it has ended before."""


class Starter(Protocol):
    """Starts programs; each ends with its block at the latest."""

    @property
    def name(self) -> str:
        """What it starts them with: ``bubblewrap``, ``docker`` or ``podman``."""

    def start(
        self,
        command: Command,
        limits: Limits,
        *,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> AbstractContextManager[Running]:
        """`command` in a sandbox of its own; the streams are as for `subprocess.Popen`."""

    def join(
        self,
        other: Running,
        command: Command,
        limits: Limits,
        *,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> AbstractContextManager[Program]:
        """`command` beside the program of `other`, which was started here. Raises `NotFound` where that has ended."""
