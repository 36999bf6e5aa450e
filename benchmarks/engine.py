"""A Docker engine of the benchmark's own, in a network of its own: nothing of it is left on the host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RUNTIME = "here"
"""The runtime whose containers have no more capabilities than this machine gives, privileged ones as well."""
_RUNC = Path(__file__).with_name("runc_here.py")
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Engine:
    """A running dockerd; who wants to reach its containers has to be in the network of process `pid`."""

    socket: Path
    pid: int

    @property
    def address(self) -> str:
        """As in DOCKER_HOST."""
        return f"unix://{self.socket}"


@contextmanager
def running_engine() -> Iterator[Engine]:
    """A dockerd, which needs root. Raises SystemExit where it does not start."""
    place = Path(tempfile.mkdtemp(prefix="bench-"))  # a socket's path has at most 107 bytes
    address, config, log = place / "docker.sock", place / "daemon.json", place / "log"
    config.write_text(json.dumps({"runtimes": {RUNTIME: {"path": str(_RUNC)}}}))
    options = [
        *("--config-file", str(config), "--host", f"unix://{address}", "--pidfile", str(place / "pid")),
        *("--data-root", str(place / "data"), "--exec-root", str(place / "exec")),
    ]
    line = 'ip link set lo up && exec dockerd "$@"'
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", line, "sh", *options], stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + _SECONDS
        while not address.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"dockerd does not start: {_last_words(log)}")
            time.sleep(0.1)
        yield Engine(address, process.pid)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(place, ignore_errors=True)


def _last_words(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])


def environment(engine: Engine) -> dict[str, str]:
    """For clients of `engine`."""
    return {"DOCKER_HOST": engine.address, "DOCKER_API_VERSION": "1.41", "PATH": os.environ["PATH"]}
