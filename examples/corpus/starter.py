"""What starts an application: the seam behind which the way of starting can change."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that has ended; `exit` is None where it had to be ended, negative where a signal ended it."""

    exit: int | None
    output: str


class Running(Protocol):
    """A started application. It is gone when its context ends, and so is all that it wrote."""

    def inside(self, command: Sequence[str], patience: float) -> Ran:
        """Runs `command` in the container, as the config's user, for at most `patience` seconds."""

    def beside(self, command: Sequence[str], given: str, patience: float) -> Ran:
        """Runs a program of this machine in the container's network, with `given` as its input."""

    def signal(self, name: str) -> None:
        """Sends the application a signal, such as TERM."""

    def ended(self, patience: float) -> int | None:
        """The application's exit code, once it has ended; None where it still runs after `patience` seconds."""

    def said(self) -> str:
        """What the application has written to its output so far."""


class Starter(Protocol):
    def start(self, root: Path, config: dict[str, Any]) -> AbstractContextManager[Running]:
        """Starts what `config`, an OCI image's, says, on the file system in `root`, which stays as it is."""
