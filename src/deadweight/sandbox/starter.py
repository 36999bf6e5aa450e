"""The seam behind which programs of an image are started."""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from typing import IO, Protocol

from deadweight.sandbox.box import Running
from deadweight.sandbox.command import Command, Limits


class Starter(Protocol):
    """Starts programs; each ends with its block at the latest."""

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
    ) -> AbstractContextManager[Running]:
        """`command` beside the program of `other`. Raises `NotFound` where that has ended."""
