"""A program in a container of an engine, and a command beside it."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import IO, Any, Protocol

from deadweight.errors import DeadweightError, NotFound, TransportError, Unsupported
from deadweight.sandbox.command import Limits
from deadweight.sandbox.engine.streams import Outputs
from deadweight.sandbox.joining import HostNetwork, Network, open_network
from deadweight.sandbox.starter import Exit
from deadweight.transport.engine.api import Answer, Engine, one_line

INTERVAL = 0.5
"""Seconds between two looks at what a container takes."""
_END = 30.0
"""The most seconds that are waited for the end of what was killed."""
_NOT_STARTED = frozenset({126, 127})
"""Exit codes of a container whose program is not there, or none that may be started."""


class Asked(Protocol):
    """What differs between a container and a command in one."""

    def exit(self) -> Exit:
        """How it ended; waits for that. Raises `DeadweightError`."""

    def signal(self, number: int) -> None:
        """Sends it. What has ended does not get it."""

    def taken(self) -> str:
        """Which limit is passed by now; empty where none is."""


class Program:
    """A program whose streams `answer` carries. It ends with the block that it was started in at the latest."""

    def __init__(self, asked: Asked, answer: Answer, outputs: Outputs, limits: Limits) -> None:
        self._asked = asked
        self._answer = answer
        self._outputs = outputs
        self._limits = limits
        self._stopped = ""
        self._exit = Exit(0)
        self._error: DeadweightError | None = None
        self._over = threading.Event()
        self.stdout: IO[bytes] | None = outputs.stdout
        self.stderr: IO[bytes] | None = outputs.stderr
        self._threads = [
            threading.Thread(target=self._follow, name="container", daemon=True),
            threading.Thread(target=self._watch, name="watch", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def ended(self) -> bool:
        """Whether it has ended, by itself or not."""
        return self._over.is_set()

    def wait(self) -> Exit:
        """How it ended, when it has. Raises `NotFound` where it could not be started, `Unsupported` where no container
        could be, and `TransportError` where the engine does not answer any more.
        """
        self._over.wait()
        if self._error is not None:
            raise self._error
        return replace(self._exit, stopped=self._stopped or self._exit.stopped)

    def kill(self) -> None:
        """Ends it at once."""
        self._asked.signal(signal.SIGKILL)
        self._over.wait(_END)

    def close(self) -> None:
        """Ends it, and lets go of what it holds."""
        if not self.ended():
            self._asked.signal(signal.SIGKILL)
        self._outputs.close()
        if not self._over.wait(_END):  # the engine hangs
            with suppress(OSError):
                self._answer.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_END)

    def _follow(self) -> None:
        try:
            with self._answer:
                self._outputs.take(self._answer)
                self._exit = self._asked.exit()
        except DeadweightError as error:
            self._error = error
        finally:
            self._outputs.end()
            self._over.set()

    def _watch(self) -> None:
        deadline = time.monotonic() + self._limits.seconds if self._limits.seconds is not None else None
        while not self._over.wait(_pause(deadline)):
            if deadline is not None and time.monotonic() >= deadline:
                self._stopped = f"it took more than {self._limits.seconds:g} seconds"
            else:
                self._stopped = self._asked.taken()
            if self._stopped:
                self._asked.signal(signal.SIGKILL)
                return


class Contained(Program):
    """The program of a container."""

    def __init__(self, container: Container, answer: Answer, outputs: Outputs, limits: Limits) -> None:
        self.container = container
        super().__init__(container, answer, outputs, limits)

    def started(self, seconds: float) -> bool:
        """Yes: an engine says of a container that it has been started when it has."""
        return True

    def stop(self, number: int = signal.SIGTERM, grace: float = 10.0) -> bool:
        """Sends the signal, and ends everything after `grace` seconds. Whether it had ended by then."""
        self.container.signal(number)
        in_time = self._over.wait(grace)
        self.kill()
        return in_time

    @contextmanager
    def network(self) -> Iterator[Network]:
        """Its network. Raises `NotFound` where it has ended before."""
        if self.ended():
            raise NotFound("the program", "has ended")
        if self._limits.network:
            yield HostNetwork()
        elif self.container.is_reached_by_address:
            yield HostNetwork((self.container.address(),))
        else:
            with open_network(self.container.first()) as network:
                yield network


class NotStarted:
    """What stands for a container that could not be started; whoever waits for it learns why."""

    def __init__(self, error: DeadweightError) -> None:
        self._error = error
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None

    def started(self, seconds: float) -> bool:
        return False

    def ended(self) -> bool:
        return True

    def wait(self) -> Exit:
        raise self._error

    def stop(self, number: int = signal.SIGTERM, grace: float = 10.0) -> bool:
        return True

    def kill(self) -> None:
        """There is nothing to end."""

    def network(self) -> AbstractContextManager[Network]:
        raise self._error


class Container:
    """A container that was made, by its ID."""

    def __init__(self, engine: Engine, identifier: str, limits: Limits) -> None:
        self._engine = engine
        self._limits = limits
        self.identifier = identifier
        self.is_reached_by_address = not engine.is_podman

    def start(self) -> str:
        """Starts it; what the engine has against it, empty where it was started."""
        try:
            self._engine.call("POST", f"/containers/{self.identifier}/start")
        except (NotFound, TransportError) as error:
            return error.problem
        return ""

    def exit(self) -> Exit:
        with self._engine.request("POST", f"/containers/{self.identifier}/wait", endless=True) as answer:
            answer.read(1 << 16)
        state = self._state()
        return Exit(_number(state, "ExitCode"), self._hunger(state))

    def signal(self, number: int) -> None:
        with suppress(NotFound, TransportError):
            self._engine.call("POST", f"/containers/{self.identifier}/kill?signal={number}")

    def taken(self) -> str:
        try:
            known = self._engine.call("GET", f"/containers/{self.identifier}/json?size=1")
        except (NotFound, TransportError):
            return ""  # who follows it learns of that
        state, written = _mapping(known, "State"), known.get("SizeRw")
        if isinstance(written, int) and written > self._limits.scratch:
            return f"it wrote {written} bytes; {self._limits.scratch} are allowed"
        return self._hunger(state)

    def _hunger(self, state: dict[str, Any]) -> str:
        """The kernel ends one process of a container that takes too much; not always the first."""
        return f"it took more than {self._limits.memory} bytes of memory" if state.get("OOMKilled") else ""

    def why_not(self, failure: str) -> DeadweightError:
        """The error for a container that could not be started."""
        problem = one_line(failure.rpartition("unable to start container process: ")[2])
        state = self._state()
        no_user = "unable to find user" in problem or "unable to find group" in problem
        if _number(state, "ExitCode") in _NOT_STARTED or no_user or "executable file" in problem:
            return NotFound("the program", problem)
        return Unsupported("the sandbox", problem)

    def first(self) -> int | None:
        """Process 1, as the host counts; None when it has ended."""
        return _number(self._state(), "Pid") or None

    def address(self) -> str:
        """Where the host reaches its ports. Raises `NotFound` where it has ended."""
        known = self._engine.call("GET", f"/containers/{self.identifier}/json")
        networks = _mapping(_mapping(known, "NetworkSettings"), "Networks")
        found = (one.get("IPAddress") for one in networks.values() if isinstance(one, dict))
        address = next((one for one in found if isinstance(one, str) and one), None)
        if address is None:
            raise NotFound("the program", "has ended")
        return address

    def remove(self) -> None:
        with suppress(NotFound, TransportError):  # the cleaner tries again
            self._engine.call("DELETE", f"/containers/{self.identifier}?force=1&v=1")

    def _state(self) -> dict[str, Any]:
        return _mapping(self._engine.call("GET", f"/containers/{self.identifier}/json"), "State")


class Beside:
    """A command in a container. An engine ends it with the container only: here nobody hears it any more."""

    def __init__(self, engine: Engine, identifier: str, answer: Answer) -> None:
        self._engine = engine
        self._identifier = identifier
        self._answer = answer

    def exit(self) -> Exit:
        known = self._engine.call("GET", f"/exec/{self._identifier}/json")
        return Exit(128 + signal.SIGKILL if known.get("Running") else _number(known, "ExitCode"))

    def signal(self, number: int) -> None:
        with suppress(OSError):
            self._answer.socket.shutdown(socket.SHUT_RDWR)

    def taken(self) -> str:
        return ""  # what it takes counts for the container


def _pause(deadline: float | None) -> float:
    return INTERVAL if deadline is None else max(0.0, min(INTERVAL, deadline - time.monotonic()))


def _mapping(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _number(value: dict[str, Any], name: str) -> int:
    found = value.get(name)
    return found if isinstance(found, int) else 0
