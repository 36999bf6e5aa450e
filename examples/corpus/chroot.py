"""A plain starter: a chroot with namespaces of its own. It keeps mistakes in, not malice; it needs root."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from examples.corpus.starter import Ran

PREPARE = """
set -e
scratch=$1 root=$2
shift 2
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs "$scratch"
cd "$scratch"
mkdir upper work merged
mount -t overlay -o "lowerdir=$root,upperdir=$scratch/upper,workdir=$scratch/work" overlay merged
cd merged
mkdir -p proc dev etc
mount -t proc proc proc
test ! -d tmp || mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mkdir dev/shm
mount -t tmpfs -o mode=1777 tmpfs dev/shm
hostname container
echo container > etc/hostname
printf '127.0.0.1\\tlocalhost\\n127.0.0.1\\tcontainer\\n' > etc/hosts
: > etc/resolv.conf
cd /
exec "$@"
"""
"""What a container runtime lays over an image: an overlay to write to, /proc, /dev, and three files in /etc."""

CAPABILITIES = (
    "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,"
    "+sys_chroot,+mknod,+audit_write,+setfcap"
)
"""Those that container engines give by default."""
NAMESPACES = ("--mount", "--pid", "--net", "--uts", "--ipc")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Confined:
    """A started application: `process` is unshare's, whose only child is the application."""

    process: subprocess.Popen[bytes]
    enter: tuple[str, ...]
    environment: dict[str, str]
    log: Path

    def inside(self, command: Sequence[str], patience: float) -> Ran:
        line = ["/usr/bin/nsenter", f"--target={self._child()}", *NAMESPACES, *self.enter, *command]
        return run(line, "", patience, self.environment)

    def beside(self, command: Sequence[str], given: str, patience: float) -> Ran:
        return run(
            ["/usr/bin/nsenter", f"--target={self._child()}", "--net", *command], given, patience, None
        )

    def signal(self, name: str) -> None:
        number = signal.Signals[f"SIG{name.removeprefix('SIG')}"]
        os.kill(self._child(), number)

    def ended(self, patience: float) -> int | None:
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None

    def said(self) -> str:
        return self.log.read_text(errors="backslashreplace")

    def _child(self) -> int:
        """The application's process id, as this machine counts. Raises ProcessLookupError once it has ended."""
        for child in children(self.process):
            return child
        raise ProcessLookupError("the application has ended")


@dataclass(frozen=True, slots=True)
class Chroot:
    """Starts applications in a chroot."""

    @contextmanager
    def start(self, root: Path, config: dict[str, Any]) -> Iterator[Confined]:
        uid, gid = account(root, config.get("User", ""))
        environment = {
            "PATH": PATH,
            "HOME": "/",
            **dict(variable.split("=", 1) for variable in config.get("Env", ())),
        }
        command = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
        with tempfile.TemporaryDirectory(prefix="corpus-") as name:
            folder = Path(name)
            scratch, log = folder / "scratch", folder / "log"
            scratch.mkdir()
            enter = (
                *("/usr/bin/setpriv", f"--bounding-set={CAPABILITIES}", "--inh-caps=-all"),
                *("/usr/bin/unshare", f"--root={scratch}/merged", f"--wd={config.get('WorkingDir') or '/'}"),
                *(f"--setgid={gid}", f"--setuid={uid}", "--"),
            )
            line = [
                *("/usr/bin/unshare", *NAMESPACES, "--fork", "--kill-child"),
                *("/bin/sh", "-c", PREPARE, "prepare", str(scratch), str(root.absolute())),
                *enter,
                *command,
            ]
            with log.open("wb") as output:
                process = launch(line, output, environment)
            try:
                yield Confined(process, enter, environment, log)
            finally:
                end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a started application, with all that it started: the kernel ends what is left of a PID namespace."""
    for child in children(process):  # --kill-child alone does not reach one that has changed its user
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    process.kill()
    process.wait()


def children(process: subprocess.Popen[bytes]) -> list[int]:
    if process.poll() is not None:
        return []
    return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def launch(line: list[str], output: IO[bytes], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
    )


def run(line: list[str], given: str, patience: float, environment: dict[str, str] | None) -> Ran:
    """Runs a program to its end; both of its outputs are returned as one."""
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as process:
        try:
            output, _ = process.communicate(given.encode(), patience)
        except subprocess.TimeoutExpired:
            process.kill()
            return Ran(None, f"no end after {patience} seconds")
    return Ran(process.returncode, output.decode(errors="backslashreplace"))


def account(root: Path, user: str) -> tuple[int, int]:
    """The user and group id that a config's user stands for, as the image's own files say."""
    name, _, group = user.partition(":")
    uid, gid = 0, 0
    if name.isdigit():
        uid = int(name)
    for fields in entries(root / "etc/passwd"):
        if (name or "root") in (fields[0], fields[2]):
            uid, gid = int(fields[2]), int(fields[3])
            break
    else:
        if name and not name.isdigit():
            raise SystemExit(f"the image has no user {name!r}")
    if group.isdigit():
        return uid, int(group)
    return uid, next((int(fields[2]) for fields in entries(root / "etc/group") if fields[0] == group), gid)


def entries(path: Path) -> list[list[str]]:
    return [line.split(":") for line in path.read_text().splitlines()] if path.is_file() else []
