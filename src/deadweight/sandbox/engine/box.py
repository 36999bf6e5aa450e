"""An image in an engine for as long as it is needed, and containers of it."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any, cast
from urllib.parse import urlencode

from deadweight.copying.root_archive import root_archive
from deadweight.errors import InvalidDocument, NotFound, TransportError, Unsupported
from deadweight.image import Image
from deadweight.layer.index import LayerIndex
from deadweight.oci import fields, strict_json
from deadweight.sandbox.command import Command, Limits
from deadweight.sandbox.engine.finding import LABEL, LocalEngine
from deadweight.sandbox.engine.program import Beside, Contained, Container, NotStarted, Program
from deadweight.sandbox.engine.streams import Outputs, Stream, feed
from deadweight.sandbox.starter import Running
from deadweight.sandbox.unpacking import DEVICES
from deadweight.transport.engine.api import Engine, one_line
from deadweight.tree.node import Tree

_PIECE = 1 << 20
_MOST_PROGRESS = 16 << 20
_USERS_PROCESSES = 16384
"""As many as the users of a container may have on the whole host, where podman would allow more than we may."""


class EngineBox:
    """An image in an engine, merged into one layer. It stays as it is: each container has a layer of its own over it."""

    def __init__(self, local: LocalEngine, image: str, network: str) -> None:
        self._local = local
        self._engine = local.engine
        self._image = image
        self._network = network

    @property
    def name(self) -> str:
        """``docker`` or ``podman``."""
        return "podman" if self._engine.is_podman else "docker"

    @contextmanager
    def start(
        self,
        command: Command,
        limits: Limits,
        *,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: Stream = None,
        stderr: Stream = None,
    ) -> Iterator[Running]:
        """`command` in a container of its own; the streams are as for `subprocess.Popen`, but standard input is no pipe."""
        source = 0 if stdin is None else stdin
        hears = source != subprocess.DEVNULL
        made = self._engine.call("POST", "/containers/create", self._order(command, limits, hears=hears))
        container = Container(self._engine, fields.text(made, "Id", "a container"), limits)
        try:
            running = _started(container, Outputs(stdout, stderr), limits, source if hears else None)
            try:
                yield running
            finally:
                running.close()
        finally:
            container.remove()

    @contextmanager
    def join(
        self,
        other: Running,
        command: Command,
        limits: Limits,
        *,
        stdout: Stream = None,
        stderr: Stream = None,
    ) -> Iterator[Program]:
        """`command` in the container of `other`, which was started here. Raises `NotFound` where that has ended."""
        if other.ended():
            raise NotFound("the program", "has ended")
        container = cast("Contained", other).container
        order = {**_program(command), "AttachStdout": True, "AttachStderr": True}
        try:
            made = self._engine.call("POST", f"/containers/{container.identifier}/exec", order)
            identifier = fields.text(made, "Id", "a command")
            path, how = f"/exec/{identifier}/start", b'{"Detach": false, "Tty": false}'
            answer = self._engine.request("POST", path, how, endless=True)
        except (NotFound, TransportError) as error:
            problem = "has ended" if other.ended() else error.problem
            raise NotFound("the program", problem) from None
        outputs = Outputs(stdout, stderr)
        program = Program(Beside(self._engine, identifier, answer, outputs), answer, outputs, limits)
        try:
            yield program
        finally:
            program.close()

    def _order(self, command: Command, limits: Limits, *, hears: bool) -> dict[str, Any]:
        """The container that is to be made (Docker Engine API, "Create a container")."""
        host: dict[str, Any] = {
            "NetworkMode": "host" if limits.network else self._network,
            "Memory": limits.memory,
            "MemorySwap": limits.memory,
            "PidsLimit": limits.processes,
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "none"},  # it would fill the disk
        }
        if self._engine.is_podman:
            host["Ulimits"] = list(_ulimits())
        return {
            **_program(command),
            "Image": self._image,
            "Labels": {LABEL: self._local.token},
            "OpenStdin": hears,
            "StdinOnce": hears,
            "AttachStdin": hears,
            "AttachStdout": True,
            "AttachStderr": True,
            "HostConfig": host,
            **({} if limits.network else {"Hostname": "sandbox"}),
        }


def _started(
    container: Container, outputs: Outputs, limits: Limits, source: int | IO[bytes] | None
) -> Contained | NotStarted:
    """The program of `container`, with its input from `source`, if any."""
    with ExitStack() as stack:
        try:
            answer = stack.enter_context(container.attach(hears=source is not None))
            container.start()
        except (NotFound, Unsupported) as error:
            outputs.end()
            outputs.close()
            return NotStarted(error)
        stack.pop_all()
    if source is not None:
        feed(source, answer.socket)
    return Contained(container, answer, outputs, limits)


def _program(command: Command) -> dict[str, Any]:
    return {
        "Cmd": list(command.argv),
        "Env": [f"{name}={value}" for name, value in command.environment.items()],
        "WorkingDir": command.working_dir,
        "User": command.user,
    }


def _ulimits() -> Iterator[dict[str, object]]:
    """Podman raises them as far as it goes, which not everybody may."""
    for name, kind, most in (
        ("nofile", resource.RLIMIT_NOFILE, 1 << 20),
        ("nproc", resource.RLIMIT_NPROC, _USERS_PROCESSES),
    ):
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(hard, most)
        yield {"Name": name, "Soft": value, "Hard": value}


@contextmanager
def engine_box_of(
    local: LocalEngine, image: Image, indexes: Sequence[LayerIndex], tree: Tree
) -> Iterator[EngineBox]:
    """`image`, whose layers were indexed and merged, in the engine `local`, which removes it in the end.

    Raises `DeadweightError` for an image that cannot be read, and `TransportError` where the engine does not take it.
    """
    archive = root_archive(image, indexes, tree, without=DEVICES)
    identifier = _load(local.engine, _pieces(archive), local.token)
    yield EngineBox(local, identifier, _network(local))


def _network(local: LocalEngine) -> str:
    """The network for programs that have no other: from one of Docker's the host is all that can be reached; podman's is none."""
    if local.engine.is_podman:
        return "none"
    name = f"deadweight-{local.token}"
    order = {"Name": name, "Internal": True, "CheckDuplicate": True, "Labels": {LABEL: local.token}}
    local.engine.call("POST", "/networks/create", order)
    return name


def _load(engine: Engine, archive: Iterator[bytes], token: str) -> str:
    """The ID of an image with the root file system `archive`, and nothing else: an engine would heed what its config says."""
    query = urlencode({"fromSrc": "-", "changes": f"LABEL {LABEL}={token}"})
    with engine.request("POST", f"/images/create?{query}", archive) as answer:
        progress = answer.read(_MOST_PROGRESS)
    identifier = ""
    for line in progress.splitlines():
        try:
            told = strict_json.loads(line, "")
        except InvalidDocument:
            continue
        if problem := fields.text(told, "error", ""):
            raise TransportError(
                engine.address.text, f"the engine does not take the image: {one_line(problem)}"
            )
        identifier = fields.text(told, "status", "") or identifier
    if not identifier:
        raise TransportError(engine.address.text, "the engine does not say that it took the image")
    return identifier.strip()


def _pieces(archive: Iterator[bytes | memoryview]) -> Iterator[bytes]:
    """The same in fewer pieces."""
    held = bytearray()
    for piece in archive:
        held += piece
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    yield bytes(held)
