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
from deadweight.transport.engine.api import Answer, Engine, Refused, one_line

INTERVAL = 0.5
"""Seconds between two looks at what a container takes."""
_END = 30.0
"""The most seconds that are waited for the end of what was killed."""
_NOT_STARTED = frozenset({126, 127})
"""Exit codes of a container whose program is not there, or none that may be started."""
_REASON = "unable to start container process: "
"""What runc(8) and crun(1) write before they say why; podman says before other reasons what it was about to do."""
_PREPARING = "for attach: "
_OF_IMAGE = ("exec: ", "unable to find user ", "unable to find group ")
"""How reasons begin that lie with what the image holds."""
_PAUSE = 0.02


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

    def close(self) -> None:
        """There is nothing to let go of."""

    def network(self) -> AbstractContextManager[Network]:
        raise self._error


class Container:
    """A container that was made, by its ID."""

    def __init__(self, engine: Engine, identifier: str, limits: Limits) -> None:
        self._engine = engine
        self._limits = limits
        self.identifier = identifier
        self.is_reached_by_address = not engine.is_podman

    def attach(self, *, hears: bool) -> Answer:
        """What its program will write; with `hears` the socket takes its input. Raises as `start` does."""
        options = f"stream=1&stdin={int(hears)}&stdout=1&stderr=1"
        with self._refusals():
            return self._engine.request(
                "POST", f"/containers/{self.identifier}/attach?{options}", endless=True
            )

    def start(self) -> None:
        """Starts it. Raises `NotFound` for its program or user, `Unsupported` for all else that the engine has against it."""
        with self._refusals():
            self._engine.call("POST", f"/containers/{self.identifier}/start")

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except NotFound as error:  # so Docker says it of programs, too
            raise self._why_not(error.problem) from None
        except Refused as error:
            raise self._why_not(error.message) from None

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

    def _why_not(self, failure: str) -> DeadweightError:
        problem = failure.rpartition(_REASON)[2].rpartition(_PREPARING)[2]
        state = self._state()
        of_image = problem.startswith(_OF_IMAGE)
        if of_image or _number(state, "ExitCode") in _NOT_STARTED:
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

    def __init__(self, engine: Engine, identifier: str, answer: Answer, outputs: Outputs) -> None:
        self._engine = engine
        self._identifier = identifier
        self._answer = answer
        self._outputs = outputs
        self._let_go = threading.Event()
        self._was_over = False

    def exit(self) -> Exit:
        while (known := self._known()).get("Running"):
            if self._let_go.wait(_PAUSE):
                return Exit(128 + signal.SIGKILL)
        code = _number(known, "ExitCode")
        said = self._outputs.begin.decode("utf-8", "replace")
        if code in _NOT_STARTED and _REASON in said:
            raise NotFound("the program", one_line(said.partition(_REASON)[2].partition("\n")[0]))
        return Exit(code)

    def signal(self, number: int) -> None:
        self._let_go.set()
        self._hang_up()

    def taken(self) -> str:
        """None: what it takes counts for the container. What it left behind may hold its streams open, and is not waited for."""
        try:
            is_over = not self._known().get("Running")
        except (NotFound, TransportError):
            return ""
        if is_over and self._was_over:
            self._hang_up()
        self._was_over = is_over
        return ""

    def _known(self) -> dict[str, Any]:
        return self._engine.call("GET", f"/exec/{self._identifier}/json")

    def _hang_up(self) -> None:
        with suppress(OSError):
            self._answer.socket.shutdown(socket.SHUT_RDWR)


def _pause(deadline: float | None) -> float:
    return INTERVAL if deadline is None else max(0.0, min(INTERVAL, deadline - time.monotonic()))


def _mapping(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _number(value: dict[str, Any], name: str) -> int:
    found = value.get(name)
    return found if isinstance(found, int) else 0
