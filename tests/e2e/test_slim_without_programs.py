"""Slimming where a program is missing that the sandbox, or its trace, needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from busybox_images import busybox_layer
from conftest import require_program
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item

CONFIG = {
    "Entrypoint": ["/bin/busybox"],
    "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/srv"],
    "ExposedPorts": {"8080/tcp": {}},
    "StopSignal": "SIGKILL",
}
Deadweight = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def server(tmp_path: Path) -> str:
    extra = dpkg_package("extra", "1", {"usr/share/extra/data": b"either" * 5000})
    layers = [[*busybox_layer(), *debian_layer(extra)], [Item("srv/page", "f", b"hello\n")]]
    return write_layout(tmp_path / "server", layers, config=CONFIG)


@pytest.fixture
def without(tmp_path: Path) -> Iterator[Deadweight]:
    """Runs a command line where there is all of this machine's programs but one, and no engine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # root of a namespace is nobody here
        for place in ("/usr/sbin", "/usr/bin"):
            for program in Path(place).iterdir():
                (folder / program.name).unlink(missing_ok=True)
                (folder / program.name).symlink_to(program)
        (folder / "podman").unlink(missing_ok=True)
        yield partial(run_without, folder, tmp_path)


def run_without(programs: Path, folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    require_program(name)
    (programs / name).unlink()
    environment = {**os.environ, "PATH": str(programs), "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    argv = [sys.executable, "-m", "deadweight", *arguments]
    return subprocess.run(argv, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_without_strace_only_packages_go_and_the_result_is_proved(
    server: str, without: Deadweight, tmp_path: Path
) -> None:
    done = without("strace", "slim", server, "--to", "oci:small", "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "level packages, proved by " in done.stdout
    told = "level packages is the deepest: the image cannot be traced: strace is not there; install the package strace"
    assert f"note: {told}" in " ".join(done.stdout.split())
    document = json.loads((tmp_path / "out.json").read_text())
    assert (document["level"], document["proof"]["sandbox"]) == ("packages", "bubblewrap")
    assert told in document["notes"]
    assert [package["name"] for package in document["packages_removed"]] == ["extra"]


def test_without_strace_a_result_that_fails_is_not_written(
    server: str, without: Deadweight, tmp_path: Path
) -> None:
    drop = ("--drop", "/srv/page", "--probe", "http:GET /page")
    done = without("strace", "slim", server, "--to", "oci:small", *drop)
    assert (done.returncode, done.stderr) == (1, "")
    assert "not all was seen that the failed result looks for: the trace: strace is not there" in " ".join(
        done.stdout.split()
    )
    assert not (tmp_path / "small").exists()


def test_without_bubblewrap_only_packages_go_and_nothing_is_proved(
    server: str, without: Deadweight, tmp_path: Path
) -> None:
    done = without("bwrap", "slim", server, "--to", "oci:small")
    assert (done.returncode, done.stderr) == (0, "")
    told = " ".join(done.stdout.split())
    assert (
        "level packages, not proved: the sandbox: bwrap is not there; install the package bubblewrap;" in told
    )
    assert (tmp_path / "small").exists()


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (
            "strace",
            "cannot be traced: strace is not there; install the package strace; take --level packages, or",
        ),
        (
            "bwrap",
            "cannot be run: the sandbox: bwrap is not there; install the package bubblewrap; start Docker",
        ),
    ],
)
@pytest.mark.parametrize("command", ["slim", "why"])
def test_files_need_both(
    server: str, without: Deadweight, tmp_path: Path, program: str, told: str, command: str
) -> None:
    asked = ("--to", "oci:small") if command == "slim" else ("/srv/page",)
    # The probe would fail, and that be told, if the image was run.
    done = without(program, command, server, *asked, "--level", "files", "--probe", "exec:/nowhere")
    if command == "why":
        told = told.replace("; start Docker", "")  # it asks no engine
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr
    assert not (tmp_path / "small").exists()


def test_evidence_from_elsewhere_needs_no_strace(server: str, without: Deadweight, tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-m",
        "deadweight",
        "slim",
        server,
        "--to",
        "oci:first",
        "--save-evidence",
        "seen.json",
    ]
    subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True)
    done = without(
        "strace", "slim", server, "--to", "oci:small", "--evidence", "seen.json", "--level", "files"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "level files, proved by " in done.stdout


def test_why_says_what_keeps_it_from_level_files(server: str, without: Deadweight) -> None:
    done = without("strace", "why", server, "/srv/page")
    assert (done.returncode, done.stderr) == (0, "")
    assert "level packages (run)" in done.stdout
    assert "cannot be traced: strace is not there; install the package strace" in done.stdout.replace(
        "\n", " "
    )


@pytest.mark.parametrize("kind", ["docker", "podman", "bubblewrap"])
def test_a_sandbox_that_is_asked_for_by_name_is_had_or_missed(
    server: str, without: Deadweight, tmp_path: Path, kind: str
) -> None:
    done = without("bwrap", "slim", server, "--to", "oci:small", "--sandbox", kind)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    told = {
        "docker": "the sandbox: unix:///nowhere/docker.sock: no engine answers there; start Docker",
        "podman": "the sandbox: podman is not there; ",
        "bubblewrap": "the sandbox: bwrap is not there; install the package bubblewrap",
    }
    assert told[kind] in done.stderr
    assert not (tmp_path / "small").exists()
