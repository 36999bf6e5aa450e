"""`deadweight slim` on a small server: what it promises, what it refuses, and what it leaves behind when it is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from busybox_images import busybox_layer
from conftest import ROOT, require_program
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload
from deadweight.slimming.request import Request
from deadweight.slimming.slim import slim
from deadweight.tree.merge import merge
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item

CONFIG = {
    "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/srv"],
    "ExposedPorts": {"8080/tcp": {}},
    "StopSignal": "SIGKILL",
}
PAGE = Request(workloads=(Workload(probes=(parse_probe("http:GET /page"),)),))
MOMENTS = 50


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The reference of an image with a page, and with a package that nothing needs."""
    require_program("strace")
    packages = debian_layer(dpkg_package("tool", "1", {"usr/share/tool/data": b"nobody" * 5000}))
    layers = [[*busybox_layer(), *packages], [Item("srv/page", "f", b"hello\n")]]
    return write_layout(tmp_path_factory.mktemp("slim") / "server", layers, config=CONFIG)


def files(reference: str) -> set[str]:
    with open_image(reference) as image:
        return set(merge(index_image(image)).tree.files)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "deadweight", "slim", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_what_nothing_needs_goes_and_the_rest_answers_as_before(server: str, tmp_path: Path) -> None:
    result = slim(server, f"oci:{tmp_path}/small", PAGE)
    assert result.attempt.level == "files"
    assert result.attempt.proof.results[0].probe == "http:GET /page"
    assert files(f"oci:{tmp_path}/small") == files(server) - {
        "usr/share/tool/data",
        "var/lib/dpkg/info/tool.list",
    }
    assert result.attempt.after.unpacked < result.before.unpacked


@pytest.mark.timeout(300)
def test_the_same_evidence_gives_the_same_bytes_twenty_times(server: str, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.json"
    done = command(
        server, "--to", f"oci:{tmp_path}/first", "--probe", "http:GET /page", "--save-evidence", str(evidence)
    )
    assert done.returncode == 0, done.stderr
    digests = {
        slim(server, f"oci:{tmp_path}/{number}", PAGE, evidence=evidence).digest for number in range(20)
    }
    assert len(digests) == 1
    assert str(digests.pop()) in done.stdout


@pytest.mark.parametrize("level", ["lossless", "packages", "files"])
def test_no_level_makes_it_larger(server: str, tmp_path: Path, level: str) -> None:
    result = slim(server, f"oci:{tmp_path}/small", Request(level=level, workloads=PAGE.workloads))
    before, after = result.before, result.attempt.after
    assert after.unpacked <= before.unpacked
    assert after.wire is not None and before.wire is not None  # noqa: PT018
    assert after.wire <= before.wire


def test_a_result_that_answers_otherwise_is_not_written(server: str, tmp_path: Path) -> None:
    schema = json.loads((ROOT / "docs" / "schema" / "slim-v1.json").read_text())
    done = command(
        server, "--to", f"oci:{tmp_path}/small", "--probe", "http:GET /page", "--drop", "/srv/page",
        "--level", "files", "--json", "-",
    )  # fmt: skip
    assert done.returncode == 1
    assert not (tmp_path / "small").exists()
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(document, schema)
    failed = [probe["probe"] for probe in document["proof"]["probes"] if not probe["passed"]]
    assert failed == ["http:GET /page"]
    assert [one["path"] for one in document["attempts"][0]["missing"]] == ["srv/page"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--to", "oci:/nowhere/at/all"), "does not exist; make the folder first"),
        (("--probe", "htp:GET /"), "did you mean http"),
        (("--keep-package", "nobody"), "is not in the image"),
        (("--keep-base", "9"), "is more than the 2 layers"),
        (("--evidence", "/nowhere"), "write it with --save-evidence"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    server: str, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    to = () if "--to" in arguments else ("--to", f"oci:{tmp_path}/small")
    done = command(server, *to, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "small").exists()


def test_a_base_layer_stays_as_it_is(server: str, tmp_path: Path) -> None:
    request = Request(workloads=PAGE.workloads, keep_base="1")
    slim(server, f"oci:{tmp_path}/small", request)
    with open_image(server) as before, open_image(f"oci:{tmp_path}/small") as after:
        assert after.layers[0].descriptor.digest == before.layers[0].descriptor.digest


@pytest.mark.timeout(400)
def test_killed_at_any_moment_it_leaves_nothing(server: str, tmp_path: Path) -> None:
    target, place = tmp_path / "to" / "small", tmp_path / "place"
    for folder in (target.parent, place):
        folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(place)}
    argv = [sys.executable, "-m", "deadweight", "slim", server, "--to", f"oci:{target}"]
    argv += ["--probe", "http:GET /page"]
    mounts = Path("/proc/self/mountinfo").read_text()
    begin = time.monotonic()
    subprocess.run(argv, check=True, capture_output=True, env=environment)
    whole = time.monotonic() - begin
    for moment in range(MOMENTS):
        subprocess.run(["rm", "-rf", str(target)], check=True)
        process = subprocess.Popen(
            argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        time.sleep(whole * moment / MOMENTS)
        process.send_signal(signal.SIGINT if moment % 5 == 4 else signal.SIGKILL)
        process.wait()
        assert not target.exists() or is_whole(f"oci:{target}")
    deadline = time.monotonic() + 20
    while (left := list(place.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
    assert str(place) not in processes()
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert [path.name for path in target.parent.iterdir()] in ([], ["small"])


def processes() -> str:
    """The command lines of all processes, whole."""
    return subprocess.run(["ps", "axwwo", "args"], check=True, capture_output=True, text=True).stdout


def is_whole(reference: str) -> bool:
    """Whether there is an image all of whose layers have their digests; False where a folder holds none yet."""
    with open_image(reference) as image:
        for layer in image.layers:
            with image.open_layer(layer) as stream:
                digest = hashlib.sha256(stream.read())
            if layer.descriptor.digest != f"sha256:{digest.hexdigest()}":
                return False
    return True
