"""The container, as bubblewrap (bwrap(1)) is told to make it.

Its root is a scaffold: what Python needs to start, read-only, and the image's root in a folder of it. The launcher in it
changes to the image's root and user, which bubblewrap by itself could do for one user only.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from deadweight.errors import Unsupported

LAUNCH = Path(__file__).with_name("inside") / "launch.py"
ROOT = "/image"
"""Where the image's root is in the scaffold."""
_LAUNCHER = "/launch.py"

CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_FSETID": 4,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_MKNOD": 27,
    "CAP_AUDIT_WRITE": 29,
    "CAP_SETFCAP": 31,
}
"""What engines give to containers by default, with the numbers of Linux's <linux/capability.h>; CAP_SYS_CHROOT is for the
launcher, which gives it up.
"""
KEPT = sum(1 << number for name, number in CAPABILITIES.items() if name != "CAP_SYS_CHROOT")
"""The rest of them, as a set of bits."""


def bubblewrap() -> str:
    """The path of the program. Raises `Unsupported`."""
    found = shutil.which("bwrap")
    if found is None:
        raise Unsupported("the sandbox", "bwrap is not there", "install the package bubblewrap")
    return found


def container(root: str, launcher: int, order: int, *, resolver: bool, hosts: int | None) -> list[str]:
    """The command line that runs the descriptor `launcher`'s script with the descriptor `order` over the folder `root`.

    With `resolver`, names are resolved as on the host. `hosts` is a descriptor with what /etc/hosts shall say;
    None leaves it as it is.
    """
    # Its own process 1 stays between: the image's program, were it that, could refuse to die with us.
    argv = [bubblewrap(), "--die-with-parent", "--new-session", "--clearenv"]
    argv += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    argv += ["--hostname", "sandbox"]
    argv += ["--cap-drop", "ALL"]
    for capability in CAPABILITIES:
        argv += ["--cap-add", capability]
    argv += [*_scaffold(_python()), "--ro-bind-data", str(launcher), _LAUNCHER]
    argv += ["--bind", root, ROOT, "--proc", f"{ROOT}/proc", "--dev", f"{ROOT}/dev", "--chdir", "/"]
    if hosts is not None:
        argv += ["--bind-data", str(hosts), f"{ROOT}/etc/hosts"]
    if resolver and Path("/etc/resolv.conf").exists():
        argv += ["--ro-bind", str(Path("/etc/resolv.conf").resolve()), f"{ROOT}/etc/resolv.conf"]
    return [*argv, "--", *launch(order)]


def launch(order: int) -> list[str]:
    """The command line in a container that runs the launcher with the descriptor `order`."""
    return [str(_python()), "-I", "-S", _LAUNCHER, str(order)]


def _python() -> Path:
    """An interpreter that root of the namespace, who is nobody on the host, gets to. Raises `Unsupported`."""
    for path in map(Path, (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")):
        if path.exists() and _is_for_all(path.resolve()):
            return path.resolve()  # not the link to it in a virtual environment
    raise Unsupported("the sandbox", "only its owner gets to Python", "install python3 of the system")


def _is_for_all(path: Path) -> bool:
    return all(one.stat().st_mode & 0o001 for one in (path, *path.parents))


def _scaffold(python: Path) -> Iterator[str]:
    """What the launcher's interpreter needs, at the same places as on the host."""
    bound: list[Path] = []
    # An interpreter lies in PREFIX/bin.
    for folder in ("/usr", "/lib", "/lib32", "/lib64", str(python.parent.parent)):
        path = Path(folder)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), folder)
        elif path.is_dir() and not any(path.is_relative_to(one) for one in bound):
            bound.append(path)
            yield from ("--ro-bind", folder, folder)


def unpack(names: Sequence[str]) -> list[str]:
    """GNU tar's command line: an archive from standard input into the folder `names`, with owners, modes and attributes."""
    kept = [f"--xattrs-include={pattern}" for pattern in ("security.capability", "user.*")]
    options = ["--extract", "--file=-", "--preserve-permissions", "--same-owner", "--numeric-owner"]
    return ["tar", *options, "--xattrs", *kept, "--directory", *names]
