"""A sandbox whose programs are traced."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from deadweight.sandbox.box import Box
from deadweight.sandbox.bubblewrap import ROOT
from deadweight.sandbox.command import Command, Limits
from deadweight.sandbox.starter import Program, Running
from deadweight.trace.observed import Observed, merge
from deadweight.trace.observer import Observer
from deadweight.trace.strace import Reader
from deadweight.tree.node import Tree


class TracedBox:
    """Starts programs in `box`, and observes what all of them use of the image."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._seen: list[_Seen] = []

    @property
    def name(self) -> str:
        return self._box.name

    def observed(self) -> Observed:
        """What was observed of the programs that have ended until now."""
        return merge(seen.observer.finish() for seen in self._seen)

    @contextmanager
    def start(
        self,
        command: Command,
        limits: Limits,
        *,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> Iterator[Running]:
        """As `Box.start` does it."""
        seen = _Seen(self._box.tree)
        self._seen.append(seen)
        with self._box.start(
            command, limits, stdin=stdin, stdout=stdout, stderr=stderr, trace=seen.take
        ) as running:
            yield running

    @contextmanager
    def join(
        self,
        other: Running,
        command: Command,
        limits: Limits,
        *,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> Iterator[Program]:
        """As `Box.join` does it."""
        seen = _Seen(self._box.tree)
        self._seen.append(seen)
        with self._box.join(other, command, limits, stdout=stdout, stderr=stderr, trace=seen.take) as running:
            yield running


class _Seen:
    """The log of one program, read while it comes."""

    def __init__(self, tree: Tree) -> None:
        self._reader = Reader("the trace")
        self.observer = Observer(tree, ROOT)

    def take(self, piece: bytes) -> None:
        self.observer.take(self._reader.feed(piece))
