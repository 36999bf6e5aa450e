"""Enters namespaces of its own and becomes the program that it is told.

Run as ``python enter.py FD``, where FD gives a JSON object: ``ready`` and ``go`` (descriptors: the parent writes the ID maps
when it has read `READY` from the one, and then something to the other), ``scratch`` (where to mount memory of
``scratch_bytes``, and in it ``root``: the current folder's ``root`` with a layer over it; or empty), ``own_network`` (true: it
gets one with nothing but a loopback device), ``outlives`` (false: it is killed when its parent is) and ``argv``.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

# From Linux's <sched.h>, <sys/mount.h>, <sys/prctl.h>, <linux/sockios.h> and <linux/if.h>.
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

READY = b"ready"
REFUSED = 125
"""The exit code where the kernel or its administrator lets us not."""

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None) -> None:
    texts = [text.encode() if text is not None else None for text in (source, target, kind)]
    data = options.encode() if options is not None else None
    _checked(_libc.mount(*texts, ctypes.c_ulong(flags), data), f"mount {target}")


def _lay_over(scratch: str, scratch_bytes: int) -> None:
    """Mounts what can be written over ``root``; what is written lies in memory and is gone with the namespace.

    The current folder may be behind one that only its owner gets through: its path is of no use here.
    """
    _mount("none", scratch, "tmpfs", 0, f"size={scratch_bytes},mode=0755")
    for name in ("upper", "work", "root"):
        Path(scratch, name).mkdir()
    top = os.lstat("root")
    os.chown(f"{scratch}/upper", top.st_uid, top.st_gid)
    Path(scratch, "upper").chmod(top.st_mode & 0o7777)
    layers = f"lowerdir=root,upperdir={scratch}/upper,workdir={scratch}/work,userxattr"
    _mount("none", f"{scratch}/root", "overlay", 0, layers)
    os.chdir("/")


def _make_network() -> None:
    """A network of its own, whose loopback device is up. As engines have it, every user may listen at every port."""
    _checked(_libc.unshare(CLONE_NEWNET), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))
    with suppress(OSError):  # within some containers /proc/sys is read-only: then it stays as it is
        Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")


def main() -> None:
    """Does it; an error is one line on standard error, and the exit code `REFUSED`."""
    with open(int(sys.argv[1])) as stream:  # noqa: PTH123 - a descriptor
        order = json.load(stream)
    try:
        _checked(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
    except OSError as error:
        os.write(order["ready"], str(error.strerror).encode())
        sys.exit(REFUSED)
    try:
        os.write(order["ready"], READY)
        if not os.read(order["go"], 1):
            raise OSError(0, "the maps of user IDs could not be written")
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        if not order["outlives"]:
            _checked(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
        _mount("none", "/", None, MS_REC | MS_PRIVATE, None)
        if order["own_network"]:
            _make_network()
        if order["scratch"]:
            _lay_over(order["scratch"], order["scratch_bytes"])
        for descriptor in (order["ready"], order["go"]):
            os.close(descriptor)
        os.execvp(order["argv"][0], order["argv"])  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"cannot enter: {error.strerror or error}\n")
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
