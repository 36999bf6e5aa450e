"""The seam of self-made probes: what they ask, of whom, and what comes back."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Protocol

from deadweight.oci.config import Execution
from deadweight.probe.observation import ExitAnswer, Failure
from deadweight.probe.program import answer_inside
from deadweight.sandbox import Command, Limits, Starter
from deadweight.sandbox.command import DEFAULT_PATH
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Known
from deadweight.tree.node import LinkLoop, Node, Tree

MAX_SECONDS = 60.0
"""The most that one program of a self-made probe may take; it has no network."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that `subject` of an image asks for and does not find."""

    subject: str
    """A path, or the name of a package."""
    what: str
    because: str = field(default="", compare=False)
    """What was said of it; an original may say it in other words."""


@dataclass(frozen=True, slots=True)
class Questioned:
    """An image that is asked: the original, or the result."""

    box: Starter
    tree: Tree
    execution: Execution

    def node(self, path: str) -> Node | None:
        """What `path` leads to, links followed; None for nothing."""
        try:
            return self.tree.resolve(path)
        except LinkLoop:
            return None

    def command(self, *argv: str) -> Command:
        """The program `argv` as root, with the variables of the config, in the root directory."""
        return Command(argv, {"PATH": DEFAULT_PATH, **self.execution.environment()})

    def own_command(self, *argv: str) -> Command:
        """The same as whom and where the config says."""
        place, user = self.execution.working_dir or "/", self.execution.user
        return replace(self.command(*argv), working_dir=place, user=user)

    def run(self, command: Command, given: str = "") -> str | Failure:
        """What `command` prints when it reads `given`, or why there is no answer."""
        answer = self.answer(command, given)
        if isinstance(answer, Failure) or answer.code == 0:
            return answer if isinstance(answer, Failure) else _text(answer.stdout)
        last = _text(answer.stderr).strip().rpartition("\n")[2]
        return Failure(f"{command.argv[0]} ended with exit code {answer.code}: {last}")

    def answer(self, command: Command, given: str = "") -> ExitAnswer | Failure:
        """The same, whatever its exit code is."""
        with tempfile.TemporaryFile() as stdin:
            stdin.write(given.encode("utf-8", "surrogateescape"))
            stdin.seek(0)
            with self.box.start(
                command,
                Limits(seconds=MAX_SECONDS),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as running:
                answer = answer_inside(running)
        if isinstance(answer, ExitAnswer):
            return Failure(f"{command.argv[0]} wrote too much") if answer.truncated else answer
        return answer if isinstance(answer, Failure) else Failure("it is not answered by a program")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


class SelfMadeProbe(Protocol):
    """One question to an image, about all that is in it and may lack something."""

    @property
    def name(self) -> str:
        """As it is listed: ``KIND:``, and behind it what it is about if there are several."""

    def ask(self, image: Questioned) -> frozenset[Lack] | Failure:
        """What things of `image` lack. Of a result this is about what it still has: what was left out lacks nothing."""


class Maker(Protocol):
    """Makes the self-made probes of one kind for an image."""

    def __call__(self, known: Known, recorded: Recorded) -> Iterable[SelfMadeProbe]:
        """None where there is nothing to ask. The contents of the image can be read only until it returns."""


def script(name: str) -> str:
    """The text of a script of ``inside/``."""
    return resources.files("deadweight.slimming.self_made").joinpath("inside", name).read_text("utf-8")
