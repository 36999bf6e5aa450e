"""Starts a container, waits until it is ready, and asks it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deadweight.errors import NotFound, NotReady, UsageError
from deadweight.oci.config import Execution
from deadweight.probe.compare import in_words
from deadweight.probe.container import Container, Start, argv_of, started
from deadweight.probe.observation import ExitAnswer, Failure, HttpAnswer, Observation, TcpAnswer
from deadweight.probe.program import answer_inside
from deadweight.probe.recording import START, STOP, Answer, Recording
from deadweight.probe.spec import Exec, Tcp
from deadweight.probe.workload import DEFAULT_READY, Ports, Ready, Workload
from deadweight.sandbox import Command, Limits, Starter, command_of

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two looks whether a container is ready; each pause is half as long again as the one before."""
READY_SECONDS = 5.0
"""The most seconds for one such look."""
SETTLED = 2.0
"""Seconds after which a container that listens at one of its ports is not waited for to listen at the others."""


def record(
    box: Starter,
    execution: Execution,
    workload: Workload,
    *,
    folder: Path = Path(),
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
) -> Recording:
    """What a container of `box`, whose image has the config `execution`, answers to `workload`.

    It is asked that and no more; `complete` adds what nobody asks for. Scripts are relative to `folder`. `limits` hold for each program; their seconds and network are the workload's. A program
    that ends by itself with 0 while nothing but seconds is waited for is a job, as if the workload said so.

    Raises `NotReady` where it ends or hangs before it can be asked, `UsageError` for a probe or a signal that makes no sense.
    """
    limits = replace(limits, seconds=workload.timeout, network=workload.network)
    command = command_of(execution, workload.command, environment=workload.env)
    if not workload.ends:
        stop = stop_signal(execution)
        try:
            with started(box, Start(command, limits, workload.port, folder)) as container:
                if _is_ready(container, workload):
                    return _asked(container, workload, stop)
        except NotFound as error:
            raise NotReady(error.subject, error.problem) from None
    return _job(box, workload, command, limits)


def _is_ready(container: Container, workload: Workload) -> bool:
    """Whether it can be asked; false for a job, which has ended. Raises `NotReady`."""
    ready = workload.ready if workload.ready is not None else DEFAULT_READY
    is_ready = _waited(container, ready)
    if not container.ended():
        if is_ready:
            return True
        problem = f"was not ready within {workload.timeout:g} seconds{_waited_for(ready)}"
        remedy = "say what tells that it is (ready), or give it more time (timeout)"
        raise NotReady("the program", problem + _said(container), remedy)
    end = container.answer()
    port_or_script = any(not isinstance(one, Exec) for one in (*workload.probes, *workload.setup))
    if isinstance(ready, float) and not port_or_script and answered(end):
        return False
    remedy = "if that is what it is for, set ends = true" if isinstance(ready, float) else ""
    raise NotReady("the program", f"ended before it was ready: {in_words(end)}{_said(container)}", remedy)


def _waited(container: Container, ready: Ready) -> bool:
    """Whether it was ready before its time was over and before it had ended."""
    look = _look(container, ready)
    pause = FIRST_PAUSE
    while not container.ended() and container.left():
        if look():
            return True
        time.sleep(min(pause, container.left()))
        pause = min(1.5 * pause, LONGEST_PAUSE)
    return False


def _look(container: Container, ready: Ready) -> Callable[[], bool]:
    """Says whether it is ready by now."""
    begin = time.monotonic()
    match ready:
        case Ports():
            return _Listening(container, ready.numbers)
        case Tcp():  # whoever speaks first need not be listened to
            return lambda: container.accepts(ready.port)
        case float() | int():
            return lambda: time.monotonic() - begin >= ready
        case probe:
            return lambda: answered(container.ask(probe, READY_SECONDS))


class _Listening:
    """Whether all ports are listened at, or one has been for a while: not every image listens where it says so."""

    def __init__(self, container: Container, ports: tuple[int, ...]) -> None:
        self._container = container
        self._missing = set(ports)
        self._ports = len(ports)
        self._since: float | None = None

    def __call__(self) -> bool:
        self._missing = {port for port in self._missing if not self._container.accepts(port)}
        if self._since is None and len(self._missing) < self._ports:
            self._since = time.monotonic()
        return not self._missing or (self._since is not None and time.monotonic() - self._since > SETTLED)


def _waited_for(ready: Ready) -> str:
    return "" if isinstance(ready, float) else f" ({ready})"


def _said(container: Container) -> str:
    said = container.said()
    return f"; it said: {said}" if said else "; it said nothing"


def _asked(container: Container, workload: Workload, stop: int) -> Recording:
    """The answers of a container that is ready, which is then stopped."""
    for probe in workload.setup:
        if not answered(answer := container.ask(probe)):
            raise NotReady(f"setup {probe}", f"went wrong: {in_words(answer)}{_said(container)}")
    answers = [
        *(Answer(str(probe), container.ask(probe)) for probe in workload.probes),
        *(Answer(str(probe), container.ask(probe), asked=False) for probe in workload.unasked),
    ]
    answers.append(Answer(f"{STOP}{signal_name(stop)}", container.stop(stop), asked=False))
    return Recording(workload.name, tuple(answers))


def _job(box: Starter, workload: Workload, command: Command, limits: Limits) -> Recording:
    """The answers of a job: of its own program, and of each probe's in its place."""
    for probe in (*workload.setup, *workload.probes):
        if not isinstance(probe, Exec) or probe in workload.setup:
            problem = "cannot be asked of a job, which ends by itself"
            raise UsageError(str(probe), problem, "ask it exec:CMD, without setup")
    deadline = time.monotonic() + workload.timeout
    programs = [(START, command)]
    programs += [
        (str(probe), replace(command, argv=argv_of(probe)))
        for probe in workload.probes
        if isinstance(probe, Exec)
    ]
    answers = [Answer(name, _run(box, program, limits, deadline)) for name, program in programs]
    return Recording(workload.name, tuple(answers), ends=True)


def _run(box: Starter, command: Command, limits: Limits, deadline: float) -> Observation:
    left = max(0.1, round(deadline - time.monotonic(), 1))
    limits = replace(limits, seconds=left)
    with box.start(command, limits, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        return answer_inside(running)


def stop_signal(execution: Execution) -> int:
    """The number of the signal that asks a container to end (StopSignal; SIGTERM by default).

    Raises `UsageError` for one that is not known.
    """
    text = execution.stop_signal.upper().removeprefix("SIG") or "TERM"
    if text.isdecimal() and 0 < int(text) <= signal.SIGRTMAX:
        return int(text)
    real_time = re.fullmatch(r"RTMIN(?:\+([0-9]{1,2}))?", text)
    if real_time and signal.SIGRTMIN + int(real_time[1] or 0) <= signal.SIGRTMAX:
        return signal.SIGRTMIN + int(real_time[1] or 0)
    try:
        return signal.Signals[f"SIG{text}"]
    except KeyError:
        problem = f"has the unknown StopSignal {execution.stop_signal[:20]!r}"
        raise UsageError("the image", problem, "build it with one such as SIGTERM") from None


def signal_name(number: int) -> str:
    """``TERM`` for 15; where there is no name, the number."""
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)


def answered(observation: Observation) -> bool:
    """Whether it is the answer of a program that is well."""
    match observation:
        case ExitAnswer():
            return observation.code == 0
        case HttpAnswer():
            return observation.status < 500
        case TcpAnswer():
            return observation.accepted
        case Failure():
            return False
