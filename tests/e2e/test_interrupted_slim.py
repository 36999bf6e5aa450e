"""`deadweight slim`, killed at 50 moments and interrupted at 10: the old image or a whole new one, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from busybox_images import page_server
from conftest import require_program
from deadweight import analyze
from deadweight.copying import copy_image
from deadweight.image import open_image
from image_samples import write_layout
from layer_stacks import Item
from left_behind import MARK, host, left_since, processes

KILLED, INTERRUPTED = 50, 10
WORKERS = 2
"""How many run at once: much of the time is spent waiting for the server, and for another second."""
KINDS = ("oci", "oci-archive", "docker-archive")

# The command itself, with Python's own start-up behind it when the clock starts.
COMMAND = """
import deadweight.cli.run
from deadweight.__main__ import main
print("ready", flush=True)
main()
"""


@dataclass(frozen=True)
class Slimming:
    """The command on its way from `source`; what it needs for a while goes to `temporary`."""

    source: str
    temporary: Path
    mark: str

    def start(self, target: str) -> subprocess.Popen[str]:
        """The command at work, at its beginning."""
        argv = [sys.executable, "-c", COMMAND, "slim", self.source, "--to", target]
        process = subprocess.Popen(
            [*argv, "--probe", "http:GET /page"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary), MARK: self.mark},
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def whole(self, target: str) -> float:
        """The seconds that it takes."""
        process = self.start(target)
        begin = time.monotonic()
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        return time.monotonic() - begin


@dataclass(frozen=True)
class Moment:
    """When it is ended, by what, and what it writes to."""

    seconds: float
    number: signal.Signals
    target: str
    occupied: bool
    """Whether an image is there already."""


def moments(folder: Path, whole: float) -> list[Moment]:
    found = []
    for count, number in ((KILLED, signal.SIGKILL), (INTERRUPTED, signal.SIGINT)):
        for turn in range(count):
            place = folder / f"{number.name}-{turn}"
            place.mkdir()
            target = f"{KINDS[turn % len(KINDS)]}:{place / 'image'}:name"
            found.append(Moment(whole * turn / count, number, target, occupied=turn % 2 == 0))
    return found


def image_at(target: str) -> str:
    """The digest of the config of the image, all of which was read and verified; empty where nothing is."""
    if not Path(target.split(":")[1]).exists():
        return ""
    with open_image(target) as image:
        analyze(image)
        return str(image.config_document.descriptor.digest)


def ended(slimming: Slimming, old: str, moment: Moment) -> tuple[Moment, int, str, str]:
    """The exit code, what it said, and what is at the destination then."""
    if moment.occupied:
        copy_image(old, moment.target, compression=None)
    process = slimming.start(moment.target)
    time.sleep(moment.seconds)
    process.send_signal(moment.number)
    _, errors = process.communicate()
    return moment, process.returncode, errors, image_at(moment.target)


@pytest.mark.timeout(300)
def test_the_old_or_the_new_and_nothing_else(tmp_path: Path) -> None:
    require_program("strace")
    tmp_path.chmod(0o755)
    mark = f"interrupted-{os.getpid()}"
    temporary, targets = tmp_path / "temporary", tmp_path / "targets"
    for folder in (temporary, targets):
        folder.mkdir()
    before = host(temporary)
    slimming = Slimming(page_server(tmp_path / "server", env=[f"{MARK}={mark}"]), temporary, mark)
    old = write_layout(tmp_path / "old", [[Item("old", "f", b"as it was")]], compress=False)
    old_digest = image_at(old)

    with ThreadPoolExecutor(WORKERS) as pool:
        first = [f"{kind}:{tmp_path / kind}:name" for kind in KINDS]
        whole = max(pool.map(slimming.whole, first))
        (new,) = {image_at(target) for target in first}
        results = list(pool.map(lambda moment: ended(slimming, old, moment), moments(targets, whole)))

    for moment, code, errors, found in results:
        expected = old_digest if moment.occupied else ""
        if code == 0:
            expected = new
        elif moment.number == signal.SIGINT and code == 130:
            assert errors == "deadweight: interrupted\n"
        else:
            # SIGINT ends Python where the command does not heed it yet.
            assert code == -moment.number, errors
        assert found in (expected, new), moment
    codes = {(moment.number, code) for moment, code, _, _ in results}
    assert {(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)} <= codes
    assert left_since(before, mark, temporary) == []
    assert list(temporary.iterdir()) == []


def test_killed_while_the_server_runs(tmp_path: Path) -> None:
    """What would be left is there, and found, before it is killed."""
    require_program("strace")
    tmp_path.chmod(0o755)
    mark = f"killed-{os.getpid()}"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    before = host(temporary)
    slimming = Slimming(page_server(tmp_path / "server", env=[f"{MARK}={mark}"]), temporary, mark)
    process = slimming.start(f"oci:{tmp_path / 'target'}")
    while not any(line.startswith("httpd ") for line in processes(mark)):
        assert process.poll() is None
        time.sleep(0.01)
    assert list(temporary.glob("deadweight-*"))
    process.kill()
    process.communicate()
    assert left_since(before, mark, temporary) == []
    assert not (tmp_path / "target").exists()
