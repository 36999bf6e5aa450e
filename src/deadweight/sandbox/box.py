"""An image's root file system, unpacked for as long as it is needed, and programs that run in it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from deadweight.copying.root_archive import root_archive
from deadweight.errors import NotFound, Unsupported
from deadweight.image import Image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress, index_image
from deadweight.layer.index import LayerIndex
from deadweight.sandbox.accounts import Accounts, accounts_of
from deadweight.sandbox.bubblewrap import KEPT, LAUNCH, ROOT, bubblewrap, container, launch, unpack
from deadweight.sandbox.command import Command, Limits
from deadweight.sandbox.contents import UnpackedContents
from deadweight.sandbox.joining import CONTAINER, Network, join, open_network
from deadweight.sandbox.log import Log, Sink
from deadweight.sandbox.namespaces import IdMap, enter, find_id_map, order_file
from deadweight.sandbox.starter import Exit, Running
from deadweight.sandbox.unpacking import DEVICES, fill, unpacked_size
from deadweight.sandbox.watch import Watch
from deadweight.scratch import scratch_folder
from deadweight.trace.strace import tracing
from deadweight.tree.merge import merge
from deadweight.tree.node import LinkLoop, Tree

_HOSTS = b"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\tsandbox\n"


class Boxed:
    """A program in a sandbox. It ends with the block that it was started in at the latest."""

    def __init__(
        self, process: subprocess.Popen[bytes], report: int, limits: Limits, log: Log | None = None
    ) -> None:
        self._process = process
        self._report = report
        self._told = b""
        self._log = log
        self._watch = Watch(process, limits, traced=log is not None)
        if log is not None:
            log.start(process.kill)
        self.stdout: IO[bytes] | None = process.stdout
        self.stderr: IO[bytes] | None = process.stderr

    def started(self, seconds: float) -> bool:
        """Whether the program has been started, once that is known; false where it is not within `seconds`."""
        deadline = time.monotonic() + seconds
        while not self._told and (left := deadline - time.monotonic()) > 0:
            if select.select([self._report], [], [], left)[0]:
                piece = os.read(self._report, 4096)
                self._told += piece
                if not piece:
                    break
        return self._told.startswith(b"started")

    def ended(self) -> bool:
        """Whether it has ended, by itself or not."""
        return self._process.poll() is not None

    def first(self) -> int | None:
        """Process 1 of the sandbox, as the host counts; None when it has ended."""
        return self._watch.first()

    def network(self) -> AbstractContextManager[Network]:
        """Its network. Raises `NotFound` where it has ended before."""
        return open_network(self.first())

    def wait(self) -> Exit:
        """How it ended, when it has. Raises `NotFound` where the program could not be started, `Unsupported` where no
        sandbox could be made, and what the sink of its trace did.
        """
        code = self._process.wait()
        stopped = self._watch.finish()
        if self._log is not None:
            stopped = self._log.finish() or stopped
        while piece := os.read(self._report, 4096):
            self._told += piece
        _, failed, problem = self._told.decode("utf-8", "replace").rpartition("failed ")
        if failed:
            raise NotFound("the program", problem)
        if not problem and not stopped and code > 0:
            maker = "bubblewrap" if self._log is None else "bubblewrap under strace"
            problem = f"{maker} could not make it (exit code {code})"
            shown = (
                "its own words are above"
                if self.stderr is None
                else "its own words are shown by: deadweight run"
            )
            raise Unsupported("the sandbox", problem, shown)
        return Exit(128 - code if code < 0 else code, stopped)

    def stop(self, number: int = signal.SIGTERM, grace: float = 10.0) -> bool:
        """Sends the signal to the program, as engines stop a container, and ends everything after `grace` seconds.

        Whether it had ended by then.
        """
        program = self._watch.program()
        if program is None:  # it has not begun, or has ended
            self.kill()
            return True
        with suppress(ProcessLookupError):
            os.kill(program, number)
        deadline = time.monotonic() + grace
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        in_time = self.ended()
        self.kill()
        return in_time

    def kill(self) -> None:
        """Ends everything at once."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Ends it, and lets go of what it holds."""
        self.kill()
        self._watch.finish()
        for stream in (self._process.stdin, self.stdout, self.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if self._log is not None:
            self._log.close()
        os.close(self._report)


class Box:
    """An unpacked root file system. It stays as it is: each run has a layer of its own over it."""

    name = "bubblewrap"

    def __init__(self, folder: Path, id_map: IdMap, tree: Tree, accounts: Accounts) -> None:
        self._folder = folder
        self._id_map = id_map
        self.tree = tree
        self._accounts = accounts
        self.contents = UnpackedContents(folder / "root")

    @contextmanager
    def start(
        self,
        command: Command,
        limits: Limits,
        *,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        trace: Sink | None = None,
    ) -> Iterator[Boxed]:
        """`command`, running over a disposable layer; the streams are as for `subprocess.Popen`.

        `trace` gets what strace writes of it, up to `Limits.trace`, from a thread of its own: `trace.observe` reads that with
        `bubblewrap.ROOT` for the mount. Raises `NotFound` for a user that the image does not have, and `Unsupported`
        where strace is not there.
        """
        order = self._order(command, limits)
        log = Log(trace, limits.trace) if trace is not None else None
        order["private"] = [log.descriptor] if log is not None else []
        report, order["report"] = os.pipe()
        try:
            with order_file(order) as file, LAUNCH.open() as launcher, self._hosts() as hosts:
                scratch = _mount_point()
                given: tuple[int, ...] = (launcher.fileno(), file.fileno())
                resolver = limits.network and self._has_place_for("resolv.conf")
                argv = container(f"{scratch}/root", *given, resolver=resolver, hosts=hosts)
                given += (order["report"], *([hosts] if hosts is not None else []))
                if log is not None:
                    self._id_map.own(log.descriptor)  # strace opens it by name
                    argv = [*tracing(log.descriptor), *argv]
                    given += (log.descriptor,)
                process = enter(
                    argv,
                    self._id_map,
                    scratch=scratch,
                    scratch_bytes=limits.scratch,
                    own_network=not limits.network,
                    pass_fds=given,
                    cwd=self._folder,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                )
        except BaseException:  # Ctrl-C too: there is no `Running` yet that would close it
            os.close(report)
            if log is not None:
                log.close()
            raise
        finally:
            os.close(order["report"])
        running = Boxed(process, report, limits, log)
        try:
            yield running
        finally:
            running.close()

    @contextmanager
    def join(
        self,
        other: Running,
        command: Command,
        limits: Limits,
        *,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        trace: Sink | None = None,
    ) -> Iterator[Boxed]:
        """`command`, running beside the program of `other`: in its namespaces, on what it has written.

        That was started here, and this ends with it at the latest. Network and scratch are the other's; `trace` is as for `start`. Raises `NotFound`
        where that has ended, and for a user that the image does not have.
        """
        order = self._order(command, limits)
        process_one = cast("Boxed", other).first()
        if process_one is None:
            raise NotFound("the program", "has ended")
        log = Log(trace, limits.trace) if trace is not None else None
        order["private"] = [log.descriptor] if log is not None else []
        report, order["report"] = os.pipe()
        try:
            with order_file(order) as file:
                process = join(
                    process_one,
                    CONTAINER,
                    launch(file.fileno()),
                    owner=self._id_map,
                    report=order["report"],
                    before=tracing(log.descriptor) if log is not None else (),
                    pass_fds=[file.fileno(), *order["private"]],
                    env={},
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                )
        except BaseException:
            os.close(report)
            if log is not None:
                log.close()
            raise
        finally:
            os.close(order["report"])
        running = Boxed(process, report, limits, log)
        try:
            yield running
        finally:
            running.close()

    def _order(self, command: Command, limits: Limits) -> dict[str, Any]:
        """What the launcher is told, but for where it reports to."""
        account = self._accounts.find(command.user)
        return {
            "root": ROOT,
            "working_dir": command.working_dir,
            "uid": account.uid,
            "gid": account.gid,
            "groups": list(account.groups),
            "environment": {"HOME": account.home or "/", **command.environment},
            "processes": limits.processes,
            "capabilities": KEPT,
            "argv": list(command.argv),
            "private": [],
        }

    @contextmanager
    def _hosts(self) -> Iterator[int | None]:
        """What /etc/hosts shall say, where the image has a place for it."""
        if not self._has_place_for("hosts"):
            yield None
            return
        with tempfile.TemporaryFile() as temporary:
            temporary.write(_HOSTS)
            temporary.seek(0)
            yield temporary.fileno()

    def _has_place_for(self, name: str) -> bool:
        """Whether a file can be put over ``/etc/NAME``: through links it could be anywhere."""
        try:
            folder, file = self.tree.find("etc"), self.tree.find(f"etc/{name}")
        except LinkLoop:
            return False
        return folder is not None and folder.is_directory and (file is None or file.is_file)


@contextmanager
def open_box(image: Image, *, cache: Cache = NO_CACHE, progress: Progress = SILENT) -> Iterator[Box]:
    """`image` unpacked into a temporary folder, which is removed at the end.

    Raises `Unsupported` where no sandbox can be made here, and `DeadweightError` for an image that cannot be unpacked.
    """
    require_sandbox()  # before an image is read for nothing
    indexes = index_image(image, cache=cache, progress=progress)
    tree = merge(indexes, complete=not any(index.missing for index in indexes)).tree
    with box_of(image, indexes, tree) as box:
        yield box


def require_sandbox() -> None:
    """Raises `Unsupported` where it is plain that no sandbox can be made here."""
    bubblewrap()
    find_id_map()


@contextmanager
def box_of(image: Image, indexes: Sequence[LayerIndex], tree: Tree) -> Iterator[Box]:
    """The same for an image whose layers were indexed and merged."""
    bubblewrap()
    id_map = find_id_map()
    accounts = accounts_of(image, tree)
    with _temporary_folder(id_map, unpacked_size(tree)) as folder:
        tar = enter(
            unpack(["root"]),
            id_map,
            cwd=folder,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=1 << 20,
        )
        fill(tar, root_archive(image, indexes, tree, without=DEVICES), str(folder))
        yield Box(folder, id_map, tree, accounts)


@contextmanager
def _temporary_folder(id_map: IdMap, size: int) -> Iterator[Path]:
    """A folder for `size` bytes with the empty folder ``root``, which is removed even if this process is killed."""
    cleaner: subprocess.Popen[bytes] | None = None
    with scratch_folder(size) as folder:
        try:
            (folder / "root").mkdir()
            for path in (folder, folder / "root"):
                os.chown(path, id_map.root, -1)
            # Only root of the namespace may remove what belongs to its users. It waits for the end of its input: ours.
            clean = ["sh", "-c", 'read _; rm -rf root; cd /; rmdir "$0" 2>/dev/null', str(folder)]
            quiet = subprocess.DEVNULL  # who unpacks says what is wrong
            cleaner = enter(clean, id_map, outlives=True, cwd=folder, stdin=subprocess.PIPE, stderr=quiet)
            yield folder
        finally:
            if cleaner is not None and cleaner.stdin is not None:
                cleaner.stdin.close()
                cleaner.wait()


def _mount_point() -> str:
    """A folder that is there on every host, and that nobody misses in the sandbox. Raises `Unsupported`."""
    for name in ("/mnt", "/media", "/srv", "/opt"):
        if Path(name).is_dir():
            return name
    raise Unsupported("the sandbox", "there is no place to mount it", "make the folder /mnt")
