"""Folders that are needed for a while, and gone afterwards whatever happens to us."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deadweight.errors import TransportError

_CLEANER = 'read _; rm -rf "$0"'
"""It waits for the end of its input, which is ours: even a process that is killed closes its pipes."""


_MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder of ours is made there, as in any place for temporary files
"""Where POSIX shared memory lies (shm_overview(7)): files there are written and removed many times faster."""
SHARE = 4
"""Files go there if this many times their size is free, of the place and of memory."""


def place_for(size: int) -> Path:
    """The folder for temporary files of `size` bytes: in memory where there is plenty of it, unless TMPDIR says where."""
    usual = Path(tempfile.gettempdir())
    if "TMPDIR" in os.environ or SHARE * size > min(_free_in(_MEMORY), _free_memory()):
        return usual
    return _MEMORY


def _free_in(folder: Path) -> int:
    """The bytes that this user may write there; 0 where that is not possible."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return 0
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def _free_memory() -> int:
    """What Linux would give to programs without swapping; 0 where it does not say (proc_meminfo(5))."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    found = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return int(next(found, "0")) << 10


@contextmanager
def scratch_folder(size: int = 0) -> Iterator[Path]:
    """An empty folder of this user's for `size` bytes, which is removed at the end, even if this process is killed before.

    Raises `TransportError` where so much is not free.
    """
    place = place_for(size)
    if size > (free := _free_in(place)):
        problem = f"has {free} bytes free, and what is unpacked there takes up to {size}"
        raise TransportError(str(place), problem, "name a folder with more by TMPDIR")
    folder = place / f"deadweight-{os.urandom(8).hex()}"
    # Who removes it is there first: there is no moment at which we could be killed and leave it.
    cleaner = subprocess.Popen(
        ["/bin/sh", "-c", _CLEANER, str(folder)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us
        cwd="/",
    )
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        if cleaner.stdin is not None:
            cleaner.stdin.close()
        cleaner.wait()
        shutil.rmtree(folder, ignore_errors=True)
