"""Folders that are needed for a while, and gone afterwards whatever happens to us."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLEANER = 'read _; rm -rf "$0"'
"""It waits for the end of its input, which is ours: even a process that is killed closes its pipes."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder of this user's, which is removed at the end, even if this process is killed before."""
    folder = Path(tempfile.mkdtemp(prefix="deadweight-"))
    cleaner: subprocess.Popen[bytes] | None = None
    try:
        cleaner = subprocess.Popen(
            ["/bin/sh", "-c", _CLEANER, str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us
            cwd="/",
        )
        yield folder
    finally:
        if cleaner is not None and cleaner.stdin is not None:
            cleaner.stdin.close()
            cleaner.wait()
        shutil.rmtree(folder, ignore_errors=True)
