"""What options of `deadweight slim` say, and how its command line behaves."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from busybox_images import busybox_layer
from conftest import ROOT, require_program
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.tree.merge import merge
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item
from services.registry import basic_registry, plain_registry

PAGE = ("--probe", "http:GET /page")
CONFIG = {
    "Entrypoint": ["/bin/busybox"],
    "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/srv"],
    "ExposedPorts": {"8080/tcp": {}},
    "StopSignal": "SIGKILL",
}


def base_layer() -> list[Item]:
    """Packages: a shell, and two that nothing needs."""
    tool, extra, (stanza, listed) = (
        dpkg_package("tool", "1", {"usr/share/tool/data": b"nobody" * 5000, "usr/share/tool/more": b"else"}),
        dpkg_package("extra", "1", {"usr/share/extra/data": b"either" * 5000}),
        dpkg_package("dash", "1", {"bin/dash": b""}),
    )
    (program,) = (item.content for item in busybox_layer() if item.path == "bin/busybox")
    shell = [
        Item("bin/dash", "f", program, mode=0o755),
        *(item for item in listed if item.path != "bin/dash"),
    ]
    others = [item for item in busybox_layer() if item.path != "bin/sh"]
    return [*others, Item("bin/sh", "l", link="dash"), *debian_layer(tool, extra, (stanza, shell))]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_layout(tmp_path_factory.mktemp("options") / "base", [base_layer()])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server on that base."""
    require_program("strace")
    layers = [base_layer(), [Item("srv/page", "f", b"hello\n")]]
    return write_layout(tmp_path_factory.mktemp("options") / "server", layers, config=CONFIG)


def slim_command(server: str, target: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "deadweight", "slim", server, "--to", f"oci:{target}", *PAGE, *arguments]


def slim(server: str, target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = slim_command(server, target, *arguments)
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def paths(target: Path) -> set[str]:
    with open_image(f"oci:{target}") as image:
        return {node.path for node in merge(index_image(image)).tree.leaves}


def packages_of(document: Mapping[str, Any]) -> list[str]:
    return [package["name"] for package in document["packages_removed"]]


def test_the_document_goes_alone_to_standard_output(server: str, tmp_path: Path) -> None:
    schema = json.loads((ROOT / "docs" / "schema" / "slim-v1.json").read_text())
    done = slim(server, tmp_path / "small", "--json", "-")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    jsonschema.validate(document, schema)
    assert packages_of(document) == ["extra", "tool"]
    assert document["proof"] == {
        "passed": 2,
        "failed": 0,
        "why_none": None,
        "sandbox": "bubblewrap",
        "probes": [
            {"probe": "http:GET /page", "passed": True, "differences": []},
            {"probe": "stop:KILL", "passed": True, "differences": []},
        ],
    }


def test_what_does_not_vary_gives_the_same_bytes_without_evidence(server: str, tmp_path: Path) -> None:
    digests = set()
    for number in range(2):
        done = slim(server, tmp_path / f"small{number}", "--json", "-")
        digests.add(json.loads(done.stdout)["digest"])
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("options", "kept", "gone"),
    [
        ((), {"bin/dash", "bin/sh"}, {"usr/share/tool/data", "usr/share/extra/data"}),
        (("--keep", "/usr/share/tool/d*"), {"bin/sh", "usr/share/tool/data"}, {"usr/share/extra/data"}),
        (("--keep-package", "extra"), {"usr/share/extra/data"}, {"usr/share/tool/data"}),
        (("--keep-package", "deb:extra"), {"usr/share/extra/data"}, {"usr/share/tool/data"}),
        (("--drop-shell",), {"bin/busybox", "bin/httpd"}, {"bin/sh", "bin/dash"}),
        (("--drop", "/bin/d*"), {"bin/busybox"}, {"bin/dash", "bin/date", "bin/dd"}),
        (("--keep", "/usr/*", "--drop", "*/extra/*"), {"usr/share/tool/more"}, {"usr/share/extra/data"}),
    ],
)
def test_what_stays(
    server: str, tmp_path: Path, options: tuple[str, ...], kept: set[str], gone: set[str]
) -> None:
    done = slim(server, tmp_path / "small", *options)
    assert (done.returncode, done.stderr) == (0, "")
    there = paths(tmp_path / "small")
    assert kept <= there
    assert not gone & there


def test_what_a_list_of_paths_says_was_used(server: str, tmp_path: Path) -> None:
    used = tmp_path / "used"
    used.write_text("/usr/share/extra/data\n/never/there\n")
    done = slim(server, tmp_path / "small", "--trace", str(used))
    assert (done.returncode, done.stderr) == (0, "")
    assert "usr/share/extra/data" in paths(tmp_path / "small")
    assert "usr/share/tool/data" not in paths(tmp_path / "small")


def test_the_base_by_its_image(server: str, base: str, tmp_path: Path) -> None:
    done = slim(server, tmp_path / "small", "--keep-base", base)
    assert (done.returncode, done.stderr) == (0, "")
    with open_image(f"oci:{tmp_path}/small") as after, open_image(base) as before:
        assert [layer.descriptor for layer in after.layers[:1]] == [
            layer.descriptor for layer in before.layers
        ]
    assert "usr/share/tool/data" in paths(tmp_path / "small")


def refused(done: subprocess.CompletedProcess[str], target: Path, told: str) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("deadweight: error: ")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert not target.exists()


def test_an_image_that_is_no_base(server: str, tmp_path: Path) -> None:
    other = write_layout(tmp_path / "other", [[Item("other", "f", b"x")]])
    done = slim(server, tmp_path / "small", "--keep-base", other)
    refused(done, tmp_path / "small", f"--keep-base {other}: is no base of {server}")


@pytest.mark.parametrize("option", ["", "--keep-base", "--trace", "--evidence", "--config"])
def test_a_file_or_an_image_that_is_not_there(server: str, tmp_path: Path, option: str) -> None:
    missing = f"{tmp_path}/missing"
    image = f"oci:{missing}" if option == "" else server
    given = () if option == "" else (option, f"oci:{missing}" if option == "--keep-base" else missing)
    refused(slim(image, tmp_path / "small", *given), tmp_path / "small", missing)


def test_a_destination_that_cannot_be_one(server: str, tmp_path: Path) -> None:
    refused(slim(server, tmp_path / "none" / "small"), tmp_path / "none", "make the folder first")
    (tmp_path / "file").write_text("mine")
    done = slim(server, tmp_path / "file")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert (tmp_path / "file").read_text() == "mine"
    done = slim(server, Path(server.removeprefix("oci:")))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_evidence_of_other_questions(server: str, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.json"
    done = slim(server, tmp_path / "first", "--save-evidence", str(evidence))
    assert done.returncode == 0, done.stderr
    done = slim(server, tmp_path / "small", "--evidence", str(evidence), "--probe", "http:GET /other")
    refused(done, tmp_path / "small", "holds no answer to 'http:GET /other'; record it again")
    settings = tmp_path / "deadweight.toml"
    settings.write_text('[[slim.workload]]\nname = "other"\nprobes = ["http:GET /page"]\n')
    done = slim(server, tmp_path / "small", "--evidence", str(evidence), "--config", str(settings))
    refused(done, tmp_path / "small", "holds the workload 'default', which is not asked for")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"schema_version": 99}',
        '{"schema_version": 1, "image": 7, "workloads": [], "observed": {}}',
        '{"schema_version": 1, "image": "", "workloads": [{"name": "default"}], "observed": {}}',
    ],
)
def test_evidence_that_is_none(server: str, tmp_path: Path, text: str) -> None:
    evidence = tmp_path / "evidence.json"
    evidence.write_text(text)
    refused(slim(server, tmp_path / "small", "--evidence", str(evidence)), tmp_path / "small", str(evidence))


def test_typing_errors(server: str, tmp_path: Path) -> None:
    for options, told in (
        (("--probe", "http:GTE /"), "did you mean GET"),
        (("--probe", "http:page"), "http:"),
        (("--levle", "files"), "did you mean --level?"),
        (("--compression", "gzpi"), "gzpi"),
        (("--threads", "-1"), "-1"),
        (("--platform", "linux"), "linux"),
    ):
        done = slim(server, tmp_path / "small", *options)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert told in done.stderr
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize(
    ("streams", "dropped"),
    [
        ("| head -n 1", ""),
        (">&-", ""),
        ("<&- >&- 2>&-", ""),
        ("| head -n 1", "--drop /srv/page"),
        ("| true", "--drop /srv/page"),
        (">&- 2>&-", "--drop /srv/page"),
    ],
)
def test_nobody_listens(server: str, tmp_path: Path, streams: str, dropped: str) -> None:
    """The exit code says it, and what was written is whole."""
    target = tmp_path / "small"
    line = f"{sys.executable} -m deadweight slim {server} --to oci:{target} {' '.join(map(repr, PAGE))} --level files"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line} {dropped} {streams}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1 if dropped else 0, "")
    assert target.exists() is not bool(dropped)
    if not dropped:
        assert "srv/page" in paths(target)


def test_a_narrow_terminal(server: str, tmp_path: Path) -> None:
    """No line is too long but the first, to be copied; words of reports and names are cut, and numbers never."""
    command = slim_command(server, tmp_path / "small", "--drop", "/srv/page", "--level", "files")
    code, (first, *lines) = on_a_terminal(command, 40)
    assert code == 1
    assert first == f"{server} -> oci:{tmp_path}/small"
    assert max(map(len, lines)) <= 40
    text = " ".join(" ".join(lines).split())
    for told in (
        "nothing was written: 1 of 2 probes failed at level files",
        "unpacked 4.0 MB 4.0 MB 1.0x",
        "files http:GET /page FAILED",
        "files stop:KILL passed",
        "missing at level files",
    ):
        assert told in text


@pytest.mark.parametrize("columns", [20, 1])
def test_a_terminal_that_is_too_narrow(server: str, tmp_path: Path, columns: int) -> None:
    code, lines = on_a_terminal(slim_command(server, tmp_path / "small"), columns)
    assert code == 0
    assert lines[0] == f"{server} -> oci:{tmp_path}/small"
    assert "srv/page" in paths(tmp_path / "small")


def on_a_terminal(argv: Sequence[str], columns: int) -> tuple[int, list[str]]:
    """The exit code, and the lines that a terminal of so many columns gets, without colours."""
    ours, its = pty.openpty()
    variables = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen(argv, stdout=its, stderr=subprocess.PIPE, env=variables) as process:
        os.close(its)
        pieces = []
        with suppress(OSError):  # EIO: the other side is closed
            while piece := os.read(ours, 1 << 16):
                pieces.append(piece)
        os.close(ours)
    text = re.sub(r"\x1b\[[0-9;]*m", "", b"".join(pieces).decode())
    return process.returncode, [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("option", "images"),
    [
        *((option, 1) for option in ("--html", "--save-evidence", "--evidence")),
        *product(("--json", "--markdown", "--trace"), (1, 2)),
    ],
)
def test_files_are_missed_before_an_image_is_opened(tmp_path: Path, option: str, images: int) -> None:
    """The image, which is not there either, would be told of else."""
    targets = [f"--to=oci:{tmp_path}/small{number}" for number in range(images)]
    missing = f"{tmp_path}/none/file"
    argv = [sys.executable, "-m", "deadweight", "slim", *["oci:/nowhere"] * images, *targets, option, missing]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    refused(done, tmp_path / "small", f"{missing}: ")
    assert "No such file or directory" in done.stderr


def test_files_that_are_folders_or_not_for_us(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for option, path, told in (
        ("--trace", "folder", "Is a directory"),
        ("--evidence", "folder", "Is a directory"),
        ("--json", "folder", "cannot be written: Is a directory"),
        ("--html", "file/page.html", "cannot be written: Not a directory"),
    ):
        argv = [sys.executable, "-m", "deadweight", "slim", "oci:/nowhere", "--to", "oci:small", option, path]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        refused(done, tmp_path / "small", told)


def test_a_trace_that_is_none_is_told_before_the_image_runs(server: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text("/bin/busybox\nno path\n")
    # Its probe would not be answered, which were told else.
    done = slim(server, tmp_path / "small", "--trace", str(trace), "--probe", "exec:/nowhere")
    refused(done, tmp_path / "small", f"{trace}, line 2: is no absolute path")


@pytest.mark.parametrize("count", [1, 2])
def test_a_registry_that_is_off_is_missed_before_the_image_runs(server: str, count: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    targets = [f"--to=docker://localhost:{port}/small{number}" for number in range(count)]
    # The probe would not be answered, which were told else.
    argv = [
        sys.executable,
        "-m",
        "deadweight",
        "slim",
        *[server] * count,
        *targets,
        "--probe",
        "exec:/nowhere",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"localhost:{port}: cannot be reached: connection refused" in done.stderr


@pytest.mark.parametrize("command", ["slim", "probe", "compare", "why"])
def test_a_script_is_missed_before_an_image_is_opened(tmp_path: Path, command: str) -> None:
    more = {"slim": ["--to", "oci:small"], "probe": [], "compare": ["oci:/nowhere"], "why": ["/path"]}
    argv = [
        sys.executable,
        "-m",
        "deadweight",
        command,
        "oci:/nowhere",
        *more[command],
        "--probe",
        "script:none",
    ]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    refused(done, tmp_path / "small", f"script:none: there is no {tmp_path}/none")


def test_an_image_to_compare_with_is_missed_before_the_original_runs(server: str, tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-m",
        "deadweight",
        "compare",
        server,
        f"oci:{tmp_path}/none",
        "--probe",
        "exec:/no",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    refused(done, tmp_path / "none", f"{tmp_path}/none: does not exist")


def test_into_a_registry(server: str, tmp_path: Path) -> None:
    require_program("docker-registry")
    with plain_registry(tmp_path / "registry") as registry:
        name = f"docker://{registry.host}/small"
        argv = [sys.executable, "-m", "deadweight", "slim", server, "--to", name, *PAGE, "--json", "-"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        with open_image(name) as image:
            assert str(image.document.descriptor.digest) == json.loads(done.stdout)["digest"]
            assert not {node.path for node in merge(index_image(image)).tree.leaves} & {"usr/share/tool/data"}


def test_a_registry_that_wants_to_know_who_it_is_says_so_before_the_image_runs(
    server: str, tmp_path: Path
) -> None:
    require_program("docker-registry")
    with basic_registry(tmp_path / "registry") as registry:
        name = f"docker://{registry.host}/small"
        argv = [sys.executable, "-m", "deadweight", "slim", server, "--to", name, "--probe", "exec:/nowhere"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert registry.host in done.stderr
        assert "/nowhere" not in done.stderr


def test_a_trace_from_a_pipe(server: str, tmp_path: Path) -> None:
    command = " ".join(slim_command(server, tmp_path / "small", "--trace", "<(echo /usr/share/extra/data)"))
    done = subprocess.run(
        ["bash", "-c", command.replace("GET /", "'GET /'")], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "usr/share/extra/data" in paths(tmp_path / "small")


@pytest.mark.parametrize("option", ["--evidence", "--save-evidence", "--html"])
def test_what_is_for_one_image(server: str, tmp_path: Path, option: str) -> None:
    """It is told before any of them is slimmed."""
    to = ("--to", f"oci:{tmp_path}/one", "--to", f"oci:{tmp_path}/other")
    argv = [sys.executable, "-m", "deadweight", "slim", server, server, *to, option, str(tmp_path / "file")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    refused(done, tmp_path / "one", f"{option}: is for one image")
    assert list(tmp_path.iterdir()) == []
