"""The way into user namespaces: who is root there, and which users the others are."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from deadweight.errors import Unsupported
from deadweight.sandbox.inside.enter import READY

ENTER = Path(__file__).with_name("inside") / "enter.py"
FIRST_ID, IDS = 524288, 65536
"""The users of a namespace that root makes: the first that systemd (uid-gid.md) leaves to containers."""
_WAY_OUT = "allow this user to make user namespaces, or run where that is allowed"


class IdMap(Protocol):
    """Which users of the host those of a namespace are."""

    @property
    def root(self) -> int:
        """The user of the host who is root in the namespace."""

    def write(self, pid: int) -> None:
        """Gives the new namespace of the process `pid` its users and groups. Raises `Unsupported`."""

    def own(self, descriptor: int) -> None:
        """What the descriptor is of gets root of the namespace for its owner."""


@dataclass(frozen=True, slots=True)
class OfRoot:
    """Root may map whom it likes: `count` users from `root` on."""

    root: int = FIRST_ID
    count: int = IDS

    def write(self, pid: int) -> None:
        for kind in ("uid_map", "gid_map"):
            try:
                Path(f"/proc/{pid}/{kind}").write_text(f"0 {self.root} {self.count}\n")
            except OSError as error:
                raise Unsupported("the sandbox", f"{kind}: {error.strerror}", _WAY_OUT) from None

    def own(self, descriptor: int) -> None:
        os.fchown(descriptor, self.root, self.root)


@dataclass(frozen=True, slots=True)
class Subordinate:
    """An ordinary user is root, and has further users by subuid(5)."""

    root: int
    uids: tuple[int, int]
    """The first and how many."""
    gids: tuple[int, int]

    def write(self, pid: int) -> None:
        for program, own, (first, count) in (
            ("newuidmap", os.getuid(), self.uids),
            ("newgidmap", os.getgid(), self.gids),
        ):
            numbers = (pid, 0, own, 1, 1, first, count)
            done = subprocess.run([program, *map(str, numbers)], capture_output=True, text=True, check=False)
            if done.returncode:
                raise Unsupported("the sandbox", done.stderr.strip() or f"{program} failed", _WAY_OUT)

    def own(self, descriptor: int) -> None:
        """It is so already: root there is who we are."""


def find_id_map() -> IdMap:
    """The map that this user may write. Raises `Unsupported` where there is none."""
    if os.getuid() == 0:
        return _of_root(Path("/proc/self/uid_map").read_text())
    for program in ("newuidmap", "newgidmap"):
        if shutil.which(program) is None:
            raise Unsupported("the sandbox", f"{program} is not there", "install uidmap, or run as root")
    return Subordinate(os.getuid(), _range(Path("/etc/subuid")), _range(Path("/etc/subgid")))


def _of_root(own_map: str) -> OfRoot:
    """Users whom nobody else is; root of a container that has no more than its own gets those (user_namespaces(7))."""
    ranges = [tuple(map(int, line.split())) for line in own_map.splitlines()]
    if any(first <= FIRST_ID and first + count >= FIRST_ID + IDS for first, _, count in ranges):
        return OfRoot()
    return OfRoot(0, min(IDS, max((count for first, _, count in ranges if first == 0), default=1)))


def _range(table: Path) -> tuple[int, int]:
    """The largest range of this user in `table` (subuid(5))."""
    names = {str(os.getuid()), pwd.getpwuid(os.getuid()).pw_name}
    found: list[tuple[int, int]] = []
    lines = table.read_text().splitlines() if table.exists() else []
    for line in lines:
        name, _, numbers = line.partition(":")
        first, _, count = numbers.partition(":")
        if name in names and first.isdigit() and count.isdigit():
            found.append((int(first), int(count)))
    if not found:
        name = pwd.getpwuid(os.getuid()).pw_name
        remedy = f"as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}"
        raise Unsupported("the sandbox", f"{table} has no range for {name}", remedy)
    return max(found, key=lambda one: one[1])


def enter(
    argv: Sequence[str],
    id_map: IdMap,
    *,
    scratch: str = "",
    scratch_bytes: int = 0,
    own_network: bool = False,
    outlives: bool = False,
    pass_fds: Sequence[int] = (),
    **streams: Any,
) -> subprocess.Popen[bytes]:
    """Starts `argv` as root of a new user and mount namespace; `scratch` and `own_network` are as `inside.enter` says.

    It is killed when we are, unless it `outlives` us. `streams` go to `subprocess.Popen`. Raises `Unsupported` where the kernel or its administrator refuses.
    """
    ready, tell_ready = os.pipe()
    go, tell_go = os.pipe()
    order: Mapping[str, object] = {
        "ready": tell_ready,
        "go": go,
        "scratch": scratch,
        "scratch_bytes": scratch_bytes,
        "own_network": own_network,
        "outlives": outlives,
        "argv": list(argv),
    }
    try:
        with order_file(order) as file:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(ENTER), str(file.fileno())],
                start_new_session=True,  # Ctrl-C is for us, who then end it in order
                pass_fds=(file.fileno(), tell_ready, go, *pass_fds),
                **streams,
            )
        os.close(tell_ready)
        tell_ready = -1
        try:
            told = os.read(ready, 4096)
            if told != READY:
                problem = f"user namespaces are refused here ({told.decode('utf-8', 'replace')})"
                raise Unsupported("the sandbox", problem, _WAY_OUT)
            id_map.write(process.pid)
            for stream in (process.stdout, process.stderr):
                if stream is not None:  # so that the program can open them by name, too
                    id_map.own(stream.fileno())
            os.write(tell_go, b".")
        except BaseException:  # Ctrl-C too: nobody else knows of the process yet
            process.kill()
            process.wait()
            raise
        return process
    finally:
        for descriptor in (ready, tell_ready, go, tell_go):
            if descriptor >= 0:
                os.close(descriptor)


def order_file(order: Mapping[str, object]) -> IO[str]:
    """A nameless file with `order` as JSON, to be read from its start."""
    descriptor = os.memfd_create("order")
    file = os.fdopen(descriptor, "w+")
    json.dump(order, file)
    file.flush()
    file.seek(0)
    return file
