"""Becomes the image's program: changes to the image's root, to its user, and to its environment.

Run as ``python launch.py FD``, where FD gives a JSON object: ``root``, ``working_dir``, ``uid``, ``gid``, ``groups``,
``environment``, ``processes``, ``capabilities`` (a set of bits: those that it may have, and no others), ``argv``, ``private``
(descriptors that the program must not have) and ``report``: another one, which gets "started ", or "failed " and why.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress

# From Linux's <sys/prctl.h> and <linux/capability.h>.
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CAPABILITY_VERSION_3 = 0x20080522
CAP_LAST = 63

_libc = ctypes.CDLL(None, use_errno=True)


def _give_up_all_but(capabilities: int) -> None:
    """Without CAP_SYS_CHROOT nobody gets out of the new root again; nor is any other to be had that is not there now."""
    sets = (ctypes.c_uint32 * 6)()  # twice effective, permitted, inheritable: 32 capabilities each
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if _libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget failed")
    for low in (0, 1):
        sets[low] &= capabilities & 0xFFFFFFFF
        sets[low + 3] &= capabilities >> 32
    held = sets[1] | sets[4] << 32
    for number in range(CAP_LAST + 1):
        if not held >> number & 1:
            _libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # fails past the last that this kernel knows
    sets[2] = sets[5] = 0
    if _libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset failed")


def _program(name: str, path: str) -> str:
    """The file that `name` stands for, as execvp(3) has it."""
    if "/" in name:
        return name
    for folder in path.split(":"):
        found = os.path.join(folder or ".", name)  # noqa: PTH118 - the image's Python may be another
        if os.access(found, os.X_OK) and not os.path.isdir(found):  # noqa: PTH112
            return found
    raise FileNotFoundError(2, "is not there", name)


def main() -> None:
    """Does it; where it cannot, says so to ``failed`` and ends with 127 as shells do."""
    with open(int(sys.argv[1])) as stream:  # noqa: PTH123 - a descriptor
        order = json.load(stream)
    environment = order["environment"]
    try:
        os.chroot(order["root"])
        os.chdir(order["working_dir"])
        _give_up_all_but(order["capabilities"])
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NPROC, (order["processes"], order["processes"]))
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
            signal.signal(number, signal.SIG_DFL)
        for descriptor in (1, 2):
            with suppress(OSError):  # no pipe of ours: then opening /dev/stdout may fail
                os.fchown(descriptor, order["uid"], -1)
        os.setgroups(order["groups"])
        os.setresgid(order["gid"], order["gid"], order["gid"])
        os.setresuid(order["uid"], order["uid"], order["uid"])
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # which another user would have undone
        for descriptor in (order["report"], *order["private"]):
            os.set_inheritable(descriptor, False)
        program = _program(order["argv"][0], environment.get("PATH", os.defpath))
        os.write(order["report"], b"started ")
        os.execve(program, order["argv"], environment)  # noqa: S606
    except OSError as error:
        where = error.filename or order["argv"][0]
        os.write(order["report"], f"failed {where}: {error.strerror}".encode())
        sys.exit(127)


if __name__ == "__main__":
    main()
