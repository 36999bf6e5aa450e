"""`deadweight slim` as root, as an ordinary user, and where users or namespaces are lacking."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from busybox_images import busybox_layer
from conftest import require, require_program
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item
from services.account import ordinary_user, python_as

CONFIG = {
    "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/srv"],
    "ExposedPorts": {"8080/tcp": {}},
    "StopSignal": "SIGKILL",
    "User": "web",
}
SLIM = """
import json, sys
from pathlib import Path
from deadweight import SlimRequest, slim
source, target, *evidence = sys.argv[1:]
result = slim(source, target, SlimRequest(), evidence=Path(evidence[0]) if evidence else None)
proof = result.attempt.proof
told = {"level": result.attempt.level, "digest": str(result.digest)}
print(json.dumps({**told, "passed": proof.passed, "failed": proof.failed, "why_none": proof.why_none}))
"""
NOT_PROVED = {"level": "packages", "passed": 0, "failed": 0}

pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user gets to, with an image that needs two users, and a place for results."""
    require_program("strace")
    packages = debian_layer(dpkg_package("tool", "1", {"usr/share/tool/data": b"nobody" * 5000}))
    page = Item("srv/page", "f", b"hello\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_layout(folder / "image", [[*busybox_layer(), *packages, page]], config=CONFIG)
        (folder / "results").mkdir()
        (folder / "results").chmod(0o777)
        yield folder


def slimmed_by(user: str, folder: Path, *evidence: str) -> dict[str, Any]:
    target = f"oci:{folder}/results/{user}{len(evidence)}"
    document: dict[str, Any] = json.loads(
        python_as(user, folder, SLIM, f"oci:{folder}/image", target, *evidence)
    )
    return document


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "deadweight", "slim", *arguments]


def test_everybody_gets_the_same_bytes_from_the_same_evidence(folder: Path) -> None:
    require_program("newuidmap")
    evidence = f"{folder}/evidence.json"
    to = ("--to", f"oci:{folder}/results/first")
    argv = command(f"oci:{folder}/image", *to, "--save-evidence", evidence, "--json", "-")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    with ordinary_user() as name:
        found = slimmed_by(name, folder, evidence)
    assert (found["level"], found["digest"]) == (document["level"], document["digest"])
    assert (found["level"], found["passed"], found["failed"]) == ("files", document["proof"]["passed"], 0)


def test_an_ordinary_user_proves_it_too(folder: Path) -> None:
    require_program("newuidmap")
    with ordinary_user() as name:
        found = slimmed_by(name, folder)
    assert (found["level"], found["failed"], found["why_none"]) == ("files", 0, "")
    assert found["passed"] >= 2


def test_a_user_without_subordinate_ids_gets_less_and_no_proof(folder: Path) -> None:
    require_program("newuidmap")
    require(os.getuid() == 0, "root, who alone can become another user,")
    found = slimmed_by("nobody", folder)
    assert {key: found[key] for key in NOT_PROVED} == NOT_PROVED
    assert "/etc/subuid has no range for nobody" in found["why_none"]


def test_nor_does_podman_help_who_has_none(folder: Path) -> None:
    """It starts, and then cannot start the image, which has more users than one. Nothing of it is left running."""
    for program in ("newuidmap", "podman"):
        require_program(program)
    require(os.getuid() == 0, "root, who alone can become another user,")
    for name in ("home", "temporary"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    variables = {"HOME": f"{folder}/home", "TMPDIR": f"{folder}/temporary"}
    code = f"import os; os.environ |= {variables!r}\n{SLIM}"
    found = json.loads(python_as("nobody", folder, code, f"oci:{folder}/image", f"oci:{folder}/results/home"))
    assert {key: found[key] for key in NOT_PROVED} == NOT_PROVED
    assert "/etc/subuid has no range for nobody" in found["why_none"]
    # What podman itself leaves: who holds its namespace open, where a podman of this user would look for it.
    runtime = folder / "temporary" / f"podman-run-{pwd.getpwnam('nobody').pw_uid}"
    assert list((folder / "temporary").iterdir()) == [runtime]
    os.kill(int((runtime / "libpod" / "tmp" / "pause.pid").read_text()), signal.SIGKILL)
    services = ["pgrep", "-f", f"podman system service .*{folder}"]
    assert subprocess.run(services, capture_output=True, text=True, check=False).stdout == ""


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("echo 0 > /proc/sys/user/max_user_namespaces", "user namespaces are refused here"),
        ("true", "Operation not permitted"),  # one user, and setgroups(2) denied: user_namespaces(7)
    ],
)
def test_without_namespaces_that_have_all_they_need_nothing_is_proved(
    folder: Path, limit: str, told: str
) -> None:
    line = f'{limit}; exec "$0" "$@"'
    argv = ["unshare", "--user", "--map-root-user", "sh", "-c", line]
    argv += command(f"oci:{folder}/image", "--to", f"oci:{folder}/results/small", "--json", "-")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert (document["level"], document["proof"]["probes"]) == ("packages", [])
    assert told in document["proof"]["why_none"]
    done = subprocess.run([*argv, "--level", "files"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
