"""Ctrl-C while a registry sends nothing more: the command ends at once, long before the registry's time is up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event

import pytest

from services.certificates import Authority
from services.hostile_registry import HostileRegistry, hostile_registry, silence, stall
from services.images import sample_image, write_layout
from services.web import Request, respond

pytestmark = pytest.mark.registry

IMAGE = sample_image([{"noise": random.Random(1).randbytes(4 << 20)}])
LAYER = IMAGE.layers[0]
WATCHDOG = 30
"""Seconds: half of those that a registry has for its next bytes."""


@contextmanager
def stalling(after: int, authority: Authority | None = None) -> Iterator[tuple[HostileRegistry, Event]]:
    """A registry that sends `after` bytes of the layer."""
    stalled = Event()
    with hostile_registry(IMAGE, authority.server_context() if authority else None) as registry:
        registry.tricks[LAYER.digest] = stall(LAYER.data[:after], len(LAYER.data), stalled)
        yield registry, stalled


def interrupted(stalled: Event, folder: Path, *arguments: str) -> None:
    """Runs the command until the registry has stalled, and interrupts it."""
    temporary = folder / "temporary"
    temporary.mkdir()
    places = {"TMPDIR": str(temporary), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "deadweight", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | places
    )
    try:
        assert stalled.wait(WATCHDOG)
        time.sleep(
            0.5
        )  # until it has taken what there is: without that the test is easier, not harder, to pass
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=WATCHDOG) == ("", "deadweight: interrupted\n")
        assert process.returncode == 130
    finally:
        process.kill()
        process.wait()
    assert not list(temporary.iterdir())


AFTER = [0, 1000, 3 << 20]
"""Before anything is known of the layer, before it has been scanned, and in the middle."""


@pytest.mark.parametrize("after", AFTER)
def test_analyze(tmp_path: Path, after: int) -> None:
    with stalling(after) as (registry, stalled):
        interrupted(stalled, tmp_path, "analyze", f"docker:{registry.location}")


def test_analyze_over_tls(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "ca")
    with stalling(AFTER[-1], authority) as (registry, stalled):
        trust = ["--ca-file", str(authority.certificate)]
        interrupted(stalled, tmp_path, "analyze", f"docker:{registry.location}", *trust)


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize(
    ("kind", "compression"),
    [
        ("oci", "keep"),
        ("oci", "gzip:1"),
        ("oci", "zstd:1"),
        ("oci-archive", "zstd:1"),
        ("docker-archive", "keep"),
        ("dir", "keep"),
    ],
)
def test_copy(tmp_path: Path, kind: str, compression: str, after: int) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with stalling(after) as (registry, stalled):
        target = f"{kind}:{folder / 'new'}"
        source = f"docker:{registry.location}"
        interrupted(stalled, tmp_path, "copy", source, target, "--compression", compression)
    assert not list(folder.iterdir())


def test_copy_to_a_registry_that_takes_nothing(tmp_path: Path) -> None:
    stalled = Event()

    def begin(request: Request, handler: BaseHTTPRequestHandler) -> None:
        respond(handler, 202, b"", {"Location": "/v2/name/blobs/uploads/1"})

    def take(request: Request, handler: BaseHTTPRequestHandler) -> None:
        stalled.set()
        silence(request, handler)

    source = write_layout(tmp_path / "source", IMAGE)
    with hostile_registry(sample_image()) as registry:
        registry.tricks = {"/blobs/uploads/": begin, "/blobs/uploads/1": take}
        interrupted(stalled, tmp_path, "copy", f"oci:{source}", f"docker:{registry.location}")
