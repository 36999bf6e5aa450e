#!/usr/bin/env python3
"""runc, for containers that want all capabilities where not all are to be had: they get those that there are.

It is started as runc(8) is, by an engine; a container is made by ``create``, and a process in one by ``exec``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

# fmt: off
_NAMES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)
# fmt: on
"""In the order of their bits (capability.h)."""


def available() -> frozenset[str]:
    """The capabilities that a process may have here (proc(5), /proc/self/status, CapBnd)."""
    status = Path("/proc/self/status").read_text()
    bits = int(next(line for line in status.splitlines() if line.startswith("CapBnd:")).split()[1], 16)
    return frozenset(f"CAP_{name}" for number, name in enumerate(_NAMES) if bits >> number & 1)


def lessen(path: Path, within: tuple[str, ...]) -> None:
    """Takes from the process that is described in the file `path` what is not available."""
    document = json.loads(path.read_text())
    process = document
    for name in within:
        process = process[name]
    there = available()
    wanted = process.get("capabilities") or {}
    process["capabilities"] = {kind: [one for one in those if one in there] for kind, those in wanted.items()}
    path.write_text(json.dumps(document))


def main(arguments: list[str]) -> None:
    if "create" in arguments and "--bundle" in arguments:
        lessen(Path(arguments[arguments.index("--bundle") + 1]) / "config.json", ("process",))
    if "exec" in arguments and "--process" in arguments:
        lessen(Path(arguments[arguments.index("--process") + 1]), ())
    os.execvp("runc", ["runc", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
