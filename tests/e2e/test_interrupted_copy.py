"""`deadweight copy`, killed or interrupted at 50 moments: the destination is the old image or the new one, never half."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_samples import ANYWHERE, no_leftovers
from deadweight.copying import copy_image
from deadweight.errors import NotFound
from deadweight.image import read_image, select
from deadweight.layer.compress import Compression
from deadweight.transport.files import pieces
from deadweight.transport.names import open_source
from services.images import sample_image, write_layout

MOMENTS = 50

# The command itself, with its start-up behind it when the clock starts.
COMMAND = """
import sys
import deadweight.copying, deadweight.layer.gzip_blocks, deadweight.transport.docker_archive
import deadweight.transport.oci_archive, deadweight.transport.oci_layout
import deadweight.cli.run
from deadweight.__main__ import main
print("ready", flush=True)
main()
"""


def text(seed: int, size: int) -> bytes:
    words = [random.Random(number).randbytes(6) for number in range(3000)]
    return b" ".join(random.Random(seed).choices(words, k=size // 7))


def started(source: str, target: str) -> subprocess.Popen[str]:
    """The command at work, at its beginning."""
    compression = "keep" if target.startswith("docker-archive:") else "gzip:9"
    command = [sys.executable, "-c", COMMAND, "copy", source, target, "--compression", compression]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def config_at(target: str) -> str:
    """The digest of the image's config, after all of its layers were checked; empty where there is no image."""
    try:
        with open_source(target, ANYWHERE) as source:
            image = read_image(source, select(source, None))
            for layer in image.layers:
                with image.open_layer(layer) as stream:
                    digest = hashlib.sha256(b"".join(pieces(stream)))
                assert layer.descriptor.digest == f"sha256:{digest.hexdigest()}"
            return str(image.config_document.descriptor.digest)
    except NotFound:
        return ""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive"])
def test_the_old_or_the_new(tmp_path: Path, kind: str) -> None:
    images = [sample_image(({"a": text(n, 2_000_000)}, {"b": text(n + 9, 4_000_000)})) for n in (1, 2)]
    sources = [f"oci:{write_layout(tmp_path / f'source{n}', image)}" for n, image in enumerate(images)]
    folder = tmp_path / "folder"
    folder.mkdir()
    target = f"{kind}:{folder / 'target'}:name"

    process = started(sources[0], target.replace("/folder/", "/"))
    start = time.monotonic()
    process.communicate()
    assert process.returncode == 0
    duration = time.monotonic() - start

    before = ""
    states = []
    for number in range(MOMENTS):
        turn = number % 2
        stop = signal.SIGINT if number % 4 < 2 else signal.SIGKILL
        process = started(sources[turn], target)
        time.sleep(duration * number / MOMENTS)
        process.send_signal(stop)
        _, errors = process.communicate()
        after = config_at(target)
        assert after in (before, images[turn].config.digest)
        if process.returncode == 130:
            assert stop == signal.SIGINT
            assert errors == "deadweight: interrupted\n"
        elif process.returncode == 0:
            assert after == images[turn].config.digest
        else:
            # SIGINT kills where the command does not heed it yet.
            assert process.returncode == -stop
        states.append(process.returncode)
        before = after

    assert {130, -signal.SIGKILL} <= set(states)
    copy_image(sources[0], target, compression=None if kind == "docker-archive" else Compression("gzip", 1))
    assert config_at(target) == images[0].config.digest
    assert no_leftovers(folder)
