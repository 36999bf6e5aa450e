"""The way into a running sandbox: all of it, or its network alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from deadweight.errors import NotFound, TransportError
from deadweight.sandbox.inside.dial import LOOPBACK, MAX_PACKET, connect
from deadweight.sandbox.namespaces import IdMap

JOIN = Path(__file__).with_name("inside") / "join.py"
DIAL = Path(__file__).with_name("inside") / "dial.py"
CONTAINER = (("user", "net", "ipc", "uts", "cgroup", "pid", "mnt"),)
NETWORK = (("net",), ("user", "net"))
"""Root of the host stays that; another user may enter only what belongs to a user namespace of his, as its root."""
_START = 10.0
"""The most seconds that are waited for the process that connects, beyond those for a connection."""


class Group(subprocess.Popen[bytes]):
    """A process that leads a group of its own, and is killed with all of it."""

    def kill(self) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def join(
    process: int,
    ways: Sequence[Sequence[str]],
    argv: Sequence[str],
    *,
    owner: IdMap | None = None,
    report: int = -1,
    before: Sequence[str] = (),
    pass_fds: Sequence[int] = (),
    **streams: Any,
) -> Group:
    """Starts `argv` in the namespaces of `process`, as `inside.join` says; what is `before` it, such as strace, stays outside.

    `streams` go to `subprocess.Popen`; its pipes then belong to root of `owner`.
    """
    order = {"process": process, "ways": ways, "argv": list(argv), "report": report}
    kept = [*pass_fds, *([report] if report >= 0 else [])]
    hear, tell = os.pipe()
    # A broken pipe: it has ended, and whoever waits for it learns of that.
    with suppress(BrokenPipeError), os.fdopen(tell, "w") as teller:
        try:
            started = Group(
                [*before, sys.executable, "-I", "-S", str(JOIN), str(hear)],
                start_new_session=True,
                pass_fds=(hear, *kept),
                **streams,
            )
        finally:
            os.close(hear)
        for stream in (started.stdout, started.stderr):
            if stream is not None and owner is not None:  # so that the program can open them by name, too
                owner.own(stream.fileno())
        json.dump(order, teller)  # only now does it go on
    return started


class Network(Protocol):
    """The network that a sandbox has."""

    @property
    def host(self) -> str:
        """The address at which whoever is in it reaches the program."""

    def connect(self, port: int, seconds: float) -> socket.socket:
        """A connection to `port` at that address.

        Raises OSError where there is none within `seconds`, `NotFound` where the sandbox has ended.
        """

    def start(self, argv: Sequence[str], environment: Mapping[str, str]) -> Group:
        """A program of the host, in that network; its output goes to pipes."""


class HostNetwork:
    """The host's, in which the program is at `addresses`."""

    def __init__(self, addresses: Sequence[str] = LOOPBACK) -> None:
        self._addresses = addresses

    @property
    def host(self) -> str:
        return self._addresses[0]

    def connect(self, port: int, seconds: float) -> socket.socket:
        return connect(port, seconds, self._addresses)

    def start(self, argv: Sequence[str], environment: Mapping[str, str]) -> Group:
        return Group(
            list(argv),
            start_new_session=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


class OwnNetwork:
    """That of the namespaces of `process`; `caller` leads to the program `inside.dial` in it, which is `dialler`."""

    host = LOOPBACK[0]

    def __init__(self, process: int, caller: socket.socket, dialler: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._caller = caller
        self._dialler = dialler

    def connect(self, port: int, seconds: float) -> socket.socket:
        told, descriptors = self._call({"port": port, "seconds": seconds}, 2 * seconds)  # for two addresses
        if not descriptors:
            raise ConnectionError(told.decode("utf-8", "replace"))
        connection = socket.socket(fileno=descriptors[0])
        connection.settimeout(seconds)
        return connection

    def _call(self, order: Mapping[str, object], seconds: float) -> tuple[bytes, list[int]]:
        """What the dialler answers. Raises `NotFound` where the sandbox has ended, `TransportError` where that cannot be entered."""
        self._caller.settimeout(seconds + _START)
        told = b""
        descriptors: list[int] = []
        with suppress(OSError):  # then it is no more, or hangs
            self._caller.send(json.dumps(order).encode())
            told, descriptors, _, _ = socket.recv_fds(self._caller, MAX_PACKET, 1)
        if told:
            return told, descriptors
        if not Path(f"/proc/{self._process}/ns/net").exists():  # of a zombie, too, there is none
            raise NotFound("the program", "has ended")
        self._dialler.kill()
        raise TransportError("the sandbox's network", _last_line(self._dialler.stderr))

    def start(self, argv: Sequence[str], environment: Mapping[str, str]) -> Group:
        return join(
            self._process,
            NETWORK,
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@contextmanager
def open_network(process: int | None) -> Iterator[Network]:
    """The network of `process`. Raises `NotFound` where that has ended."""
    try:
        own = process is None or not Path(f"/proc/{process}/ns/net").samefile("/proc/self/ns/net")
    except FileNotFoundError:
        process = None
    if process is None:
        raise NotFound("the program", "has ended")
    if not own:
        yield HostNetwork()
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            argv = [sys.executable, "-I", "-S", str(DIAL), str(theirs.fileno())]
            dialler = join(process, NETWORK, argv, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
        try:
            yield OwnNetwork(process, ours, dialler)
        finally:
            dialler.kill()
            dialler.wait()
            if dialler.stderr is not None:
                dialler.stderr.close()


def _last_line(stream: IO[bytes] | None) -> str:
    text = stream.read(MAX_PACKET).decode("utf-8", "replace").strip() if stream is not None else ""
    return text.splitlines()[-1] if text else "cannot be reached"
