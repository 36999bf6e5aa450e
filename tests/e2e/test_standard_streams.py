"""Standard streams that are closed, full or read by nobody: no trace, and an exit code that holds."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from archive_samples import ANYWHERE
from deadweight.oci.digest import Digest
from deadweight.transport.names import open_source
from image_samples import write_layout
from layer_stacks import Item
from services.transfer import pulled

LAYERS = [[Item("app", "f", b"1" * 4000), Item("old", "f", b"2" * 3000)], [Item(".wh.old", "f")]]
COMMANDS = {
    "": 0,
    "--version": 0,
    "--help": 0,
    "nonsense": 2,
    "analyze oci:nowhere": 2,
    "analyze oci:image": 0,
    "analyze oci:image --json -": 0,
    "diff oci:image oci:image": 0,
    "check oci:image --dead 3000": 0,
    "check oci:image --dead 0": 1,
    "check oci:image --dead 0 --json -": 1,
    "ls oci:image": 0,
    "cat oci:image /app": 0,
    "tree oci:image": 0,
    "copy oci:image oci:copy": 0,
}
"""With the exit code of each."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_layout(tmp_path / "image", LAYERS)
    return tmp_path


def run(folder: Path, arguments: str, streams: str, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    """`arguments` with `streams` as a shell would have them; output is buffered, as usual, unless `unbuffered` says something."""
    line = f"set -o pipefail; {sys.executable} -m deadweight {arguments} {streams}"
    env = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full", "| true"])
def test_streams_that_lead_nowhere(folder: Path, arguments: str, streams: str) -> None:
    done = run(folder, arguments, streams)
    assert done.returncode == COMMANDS[arguments]
    assert done.stderr.count("\n") <= (done.returncode == 2)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_one_line(folder: Path, arguments: str) -> None:
    done = run(folder, arguments, ">/dev/full")
    assert done.returncode == 2
    if COMMANDS[arguments] == 2:
        assert done.stderr.count("\n") == 1
    else:
        assert done.stderr == "deadweight: error: No space left on device\n"
    assert run(folder, arguments, ">/dev/full", unbuffered="1").stderr == done.stderr
    assert run(folder, arguments, ">/dev/full 2>/dev/full").returncode == 2


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive", "dir"])
def test_nothing_that_is_said_gets_into_a_file(folder: Path, kind: str, streams: str) -> None:
    assert run(folder, f"copy oci:image {kind}:copy", streams).returncode == 0
    with open_source(f"{kind}:{folder / 'copy'}", ANYWHERE) as source:
        assert all(Digest.of(data) == digest for digest, data in pulled(source).items())


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_long_answer_that_is_not_read_is_still_no(folder: Path, unbuffered: str) -> None:
    images = " ".join(["oci:image"] * 300)
    done = run(folder, f"check {images} --dead 0", "| head -1", unbuffered)
    assert (done.returncode, done.stdout, done.stderr) == (1, "oci:image\n", "")


def test_files_are_written_before_a_pipe_that_may_be_closed(folder: Path) -> None:
    arguments = "analyze oci:image --json - --html report.html --markdown report.md"
    assert run(folder, arguments, "| true").returncode == 0
    assert (folder / "report.html").stat().st_size > 0
    assert (folder / "report.md").stat().st_size > 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_report_that_fits_only_in_part_is_an_error(folder: Path, unbuffered: str) -> None:
    # The largest file that the command may make: as a disk that is nearly full, it takes the beginning.
    arguments = "check --dead 3000" + 60 * " oci:image"
    line = f"ulimit -f 1; trap '' XFSZ; exec {sys.executable} -m deadweight {arguments} >report"
    env = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "deadweight: error: File too large\n")
    assert (folder / "report").stat().st_size == 1024


def test_where_no_thread_can_be_started(folder: Path) -> None:
    def leave_no_room() -> None:
        # A thread's stack is as large as that of the process may get: larger than all of its memory.
        resource.setrlimit(resource.RLIMIT_STACK, (64 << 30, resource.getrlimit(resource.RLIMIT_STACK)[1]))
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))

    command = [sys.executable, "-m", "deadweight", "analyze", "oci:image", "--no-cache"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, preexec_fn=leave_no_room
    )
    expected = "deadweight: error: no thread can be started; allow this user more (ulimit -u)\n"
    assert (done.returncode, done.stderr) == (2, expected)
