"""Becomes a program in namespaces of another process; of a program among its processes, the parent that ends as it does.

Run as ``python join.py FD``, where FD gives a JSON object: ``process``, ``ways`` (lists of namespaces, as /proc names them:
the first list that may be entered is), ``argv`` and ``report``: a descriptor that gets "failed " and why, or -1. Who enters a
user namespace becomes its root.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1  # from Linux's <sys/prctl.h>

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _enter(process: int, names: list[str]) -> list[str]:
    """Enters those that are not ours already (setns(2)), and returns their names."""
    entered: list[tuple[str, int]] = []
    for name in names:
        descriptor = os.open(f"/proc/{process}/ns/{name}", os.O_RDONLY)
        if not os.path.sameopenfile(descriptor, os.open(f"/proc/self/ns/{name}", os.O_RDONLY)):
            entered.append((name, descriptor))
    for name, descriptor in entered:
        _checked(_libc.setns(descriptor, 0), f"the namespace {name}")
    done = [name for name, _ in entered]
    if "user" in done:
        with suppress(PermissionError):  # an administrator may forbid it; then those that we have stay
            os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    return done


def _enter_somehow(process: int, ways: list[list[str]]) -> list[str]:
    for names in ways[:-1]:
        with suppress(PermissionError):
            return _enter(process, names)
    return _enter(process, ways[-1])


def _die_with_parent() -> None:
    _checked(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def _leave_it_to_a_child() -> None:
    """Returns in a child only; the parent exits as that does, with 128 and the number of a signal that ended it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def main() -> None:
    """Does it; where it cannot, says so to ``report`` or standard error, and ends with 125."""
    with open(int(sys.argv[1])) as stream:  # noqa: PTH123 - a descriptor
        order = json.load(stream)
    try:
        entered = _enter_somehow(order["process"], order["ways"])
        _die_with_parent()
        if "pid" in entered:  # that is for children only
            _leave_it_to_a_child()
            _die_with_parent()
        os.execvp(order["argv"][0], order["argv"])  # noqa: S606
    except OSError as error:
        told = f"failed {error.filename or 'the sandbox'}: {error.strerror}"
        os.write(order["report"] if order["report"] >= 0 else 2, told.encode())
        sys.exit(125)


if __name__ == "__main__":
    main()
