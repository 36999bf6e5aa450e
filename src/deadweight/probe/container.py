"""A container that runs, and can be asked."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deadweight.errors import NotFound, UsageError
from deadweight.probe.capture import Capture
from deadweight.probe.excerpt import shown
from deadweight.probe.http import ask_http
from deadweight.probe.observation import ExitAnswer, Failure, Observation, TcpAnswer
from deadweight.probe.program import answer_captured, answer_inside, answer_of_host
from deadweight.probe.spec import Exec, Http, Probe, Script, Tcp
from deadweight.probe.tcp import greeting
from deadweight.sandbox import Command, Limits, Network, Running, Starter

GRACE = 10.0
"""Seconds that a container has to end when it is asked to, as engines have it."""
SHELL = ("/bin/sh", "-c")
_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Start:
    """How a container is started and asked.

    `port` is for requests that name none; scripts are looked for in `folder`; `limits` hold for every program, but for
    their seconds: those are for all of it.
    """

    command: Command
    limits: Limits
    port: int | None = None
    folder: Path = Path()


class Container:
    """A started program, its output captured. Whoever has it asks it one question at a time."""

    def __init__(
        self, box: Starter, start: Start, running: Running, deadline: float, stack: ExitStack
    ) -> None:
        self._box = box
        self._start = start
        self._running = running
        self._deadline = deadline
        self._stack = stack
        self._network: Network | None = None
        self._stdout, self._stderr = Capture(running.stdout), Capture(running.stderr)

    def left(self) -> float:
        """The seconds that are left of its time, at least none."""
        return max(0.0, round(self._deadline - time.monotonic(), 1))

    def ended(self) -> bool:
        """Whether its program has ended."""
        return self._running.ended()

    def ask(self, probe: Probe, most: float = math.inf) -> Observation:
        """What is answered to `probe` in the time that is left, and within `most` seconds.

        Raises `UsageError` where it makes no sense here.
        """
        seconds = min(most, self.left())
        if not seconds:
            return Failure("no time was left for it", int(time.time()))
        try:
            match probe:
                case Http():
                    return self._http(probe, seconds)
                case Tcp():
                    return self._tcp(probe, seconds)
                case Exec():
                    return self._exec(probe, seconds)
                case Script():
                    return self._script(probe, seconds)
        except NotFound as error:  # it has ended, or never had this user
            return Failure(f"{error.subject}: {error.problem}", int(time.time()))

    def accepts(self, port: int) -> bool:
        """Whether somebody listens there."""
        try:
            self._connect(port, max(self.left(), 0.1)).close()
        except (OSError, NotFound):
            return False
        return True

    def answer(self) -> Observation:
        """What its program printed and how it ended, when it has."""
        return answer_captured(self._running, self._stdout, self._stderr)

    def stop(self, number: int) -> Observation:
        """How it ends when it gets the signal `number`; a `Failure` where it has to be killed."""
        in_time = self._running.stop(number, GRACE)
        if not in_time:
            return Failure(f"it did not end within {GRACE:g} seconds", int(time.time()))
        end = self._running.wait()
        return ExitAnswer(end.code, b"", b"", at=int(time.time()))

    def said(self) -> str:
        """The last lines that it wrote, safe to show; empty where there are none."""
        self._stderr.finish()
        for last in (self._stderr.last, self._stdout.last):
            lines = last.decode("utf-8", "backslashreplace").split("\n")
            if text := [shown(line) for line in lines if line.strip()]:
                return " | ".join(text[-_LAST_LINES:])
        return ""

    def _reached(self) -> Network:
        """Its network, entered when it is first needed. Raises `NotFound` where it has ended before."""
        if self._network is None:
            self._network = self._stack.enter_context(self._running.network())
        return self._network

    def _connect(self, port: int, seconds: float) -> socket.socket:
        return self._reached().connect(port, seconds)

    def _http(self, probe: Http, seconds: float) -> Observation:
        port = self._port(probe)
        try:
            connection = self._connect(port, seconds)
        except OSError as error:
            return Failure(f"port {port}: {_reason(error)}", int(time.time()))
        return ask_http(connection, probe, seconds)

    def _port(self, probe: Http) -> int:
        port = self._start.port if probe.port is None else probe.port
        if port is None:
            raise UsageError(
                str(probe), "names no port, and the image exposes none", "write one, as in http:8080:GET /"
            )
        return port

    def _tcp(self, probe: Tcp, seconds: float) -> Observation:
        try:
            connection = self._connect(probe.port, seconds)
        except OSError:
            return TcpAnswer(accepted=False, at=int(time.time()))
        return greeting(connection, seconds)

    def _exec(self, probe: Exec, seconds: float) -> Observation:
        command = replace(self._start.command, argv=argv_of(probe))
        limits = replace(self._start.limits, seconds=seconds)
        pipe = subprocess.PIPE
        with self._box.join(self._running, command, limits, stdout=pipe, stderr=pipe) as inner:
            return answer_inside(inner)

    def _script(self, probe: Script, seconds: float) -> Observation:
        path = probe.program(self._start.folder)
        network = self._reached()
        process = network.start([path], {**os.environ, **self._address(network.host)})
        return answer_of_host(process, seconds)

    def _address(self, host: str) -> Mapping[str, str]:
        """What a script finds in its environment."""
        address = {"DEADWEIGHT_HOST": host}
        if (port := self._start.port) is not None:
            address |= {"DEADWEIGHT_PORT": str(port), "DEADWEIGHT_URL": f"http://{host}:{port}"}
        return address


def argv_of(probe: Exec) -> tuple[str, ...]:
    """The arguments of the command that `probe` is."""
    return (*SHELL, probe.shell) if probe.shell else probe.argv


@contextmanager
def started(box: Starter, start: Start) -> Iterator[Container]:
    """A container that has been started; it ends with the block. Raises `NotFound` where it cannot be."""
    seconds = start.limits.seconds or 0.0
    deadline = time.monotonic() + seconds
    # Ours is the watch that matters; the sandbox's is for the case that we are held up.
    limits = replace(start.limits, seconds=seconds + 3 * GRACE)
    with box.start(start.command, limits, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        if not running.started(seconds):
            running.kill()
            running.wait()
            raise NotFound("the program", f"was not started within {seconds:g} seconds")
        with ExitStack() as stack:
            yield Container(box, start, running, deadline, stack)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or "no connection").lower()
