"""Removes from an engine what was made there for a sandbox, when whoever made it is done, or is no more.

Run as ``python -m deadweight.sandbox.engine.cleaner ADDRESS TOKEN``; ADDRESS may be ``podman``: then that serves for as long
as it is needed. It says at which address, and waits for a word on its input, or for the end of it.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from deadweight.errors import DeadweightError, TransportError
from deadweight.oci import fields, strict_json
from deadweight.sandbox.engine.finding import LABEL, PODMAN
from deadweight.transport.engine.api import Address, Engine, parse_address

_AGAIN = (1.0, 5.0)
"""Seconds after which it is looked again, where somebody was killed: the engine may have been at it still."""
_START = 30.0
"""The most seconds that are waited for podman."""


def sweep(engine: Engine, token: str) -> None:
    """Removes all that is labelled with `token`. Raises `DeadweightError` where the engine does not answer."""
    query = quote(strict_json.canonical({"label": [f"{LABEL}={token}"]}).decode())
    for kind, path, how in (
        ("/containers", "/containers/json?all=1&", "force=1&v=1"),
        ("/networks", "/networks?", ""),
        ("/images", "/images/json?", "force=1"),
    ):
        for item in engine.items(f"{path}filters={query}"):
            with suppress(DeadweightError):  # it may be going already
                identifier = fields.text(item, "Id", "the engine's answer")
                with engine.request("DELETE", f"{kind}/{identifier}?{how}"):
                    pass


@contextmanager
def podman_service() -> Iterator[Address]:
    """Where podman serves, for this user alone. Raises `TransportError` where it does not."""
    with tempfile.TemporaryDirectory(prefix="deadweight-") as folder, tempfile.TemporaryFile() as log:
        address = Address(f"unix://{folder}/podman.sock", path=f"{folder}/podman.sock")
        command = [PODMAN, "system", "service", "--time", "0", address.text]
        # It leaves the archives that it took in where TMPDIR says.
        variables = {**os.environ, **_runtime_folder(), "TMPDIR": folder}
        service = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=variables,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + _START
            while not Path(address.path).is_socket():
                if service.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    lines = log.read(1 << 16).decode("utf-8", "replace").split("\n")
                    last = next((line for line in reversed(lines) if line.strip()), "it does not answer")
                    raise TransportError("podman", last)
                time.sleep(0.01)
            yield address
        finally:
            service.terminate()
            _end(service)


def _end(service: subprocess.Popen[bytes]) -> None:
    """Waits for `service`, and ends what is left of it: an ordinary user's podman runs once more in a user namespace."""
    # As long as it is not reaped, its group is nobody else's.
    if service.returncode is not None:  # it never served
        return
    os.waitid(os.P_PID, service.pid, os.WEXITED | os.WNOWAIT)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(service.pid, signal.SIGKILL)
    service.wait()


def _runtime_folder() -> dict[str, str]:
    """Where podman keeps what runs, for users who have no folder for that: as it would be with their own TMPDIR, since podman
    remembers it for good.
    """
    user = os.getuid()
    if user == 0 or os.environ.get("XDG_RUNTIME_DIR") or Path(f"/run/user/{user}").is_dir():
        return {}
    folder = Path(tempfile.gettempdir(), f"podman-run-{user}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    state = folder.lstat()
    is_ours = stat.S_ISDIR(state.st_mode) and state.st_uid == user and not state.st_mode & 0o077
    return {"XDG_RUNTIME_DIR": str(folder)} if is_ours else {}


def _serve(address: Address, token: str) -> None:
    """Says that all is ready, waits, and cleans up."""
    print(address.text, flush=True)  # noqa: T201 - for whoever started it
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nobody reads on
    is_done = bool(sys.stdin.buffer.read(1))
    for pause in (0.0, *(() if is_done else _AGAIN)):
        time.sleep(pause)
        sweep(Engine(address), token)


def main() -> int:
    """0 where nothing is left."""
    address, token = sys.argv[1:]
    try:
        if address != PODMAN:
            _serve(parse_address(address, os.environ), token)
        else:
            with podman_service() as service:
                _serve(service, token)
    except DeadweightError as error:
        print(error.problem, flush=True)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
