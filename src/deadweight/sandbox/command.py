"""What runs in a sandbox, as whom, and within which limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deadweight.errors import UsageError
from deadweight.oci.config import Execution

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What engines take where the config has no PATH (Docker's `system.DefaultPathEnv`)."""


MAX_TRACE = 1 << 30
"""The most bytes that strace may write of a run, if nobody says else."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take. `memory`, `scratch` and `trace` are bytes; what is written lies in memory, too."""

    seconds: float | None = None
    memory: int = 2 << 30
    processes: int = 1024
    scratch: int = 1 << 30
    trace: int = MAX_TRACE
    network: bool = False
    """Whether it has the host's network; else it has its own, with nothing in it but the loopback device."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments. `user` is as in a config: ``NAME[:GROUP]`` or numbers; empty for root."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_dir: str = "/"
    user: str = ""


def command_of(
    execution: Execution,
    argv: Sequence[str] = (),
    *,
    environment: Mapping[str, str] | None = None,
    entrypoint: Sequence[str] | None = None,
) -> Command:
    """What a container of the image runs: `argv` instead of its Cmd, behind its entrypoint or `entrypoint`.

    Raises `UsageError` where neither the config nor the arguments name a program.
    """
    before = tuple(execution.entrypoint if entrypoint is None else entrypoint)
    # Who names another entrypoint does not mean the arguments of the old one.
    after = tuple(argv) if argv or entrypoint is not None else execution.cmd
    if not (*before, *after):
        raise UsageError("the image", "names no program to run", "say which: deadweight run IMAGE -- PROGRAM")
    variables = {"PATH": DEFAULT_PATH, **execution.environment(), **(environment or {})}
    return Command((*before, *after), variables, execution.working_dir or "/", execution.user)
