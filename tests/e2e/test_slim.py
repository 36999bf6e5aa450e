"""`deadweight slim` on a small server: what it promises, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from busybox_images import page_server
from conftest import ROOT, require_program
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload
from deadweight.slimming.request import Request
from deadweight.slimming.slim import slim
from deadweight.tree.merge import merge

PAGE = Request(workloads=(Workload(probes=(parse_probe("http:GET /page"),)),))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The reference of an image with a page, and with a package that nothing needs."""
    require_program("strace")
    return page_server(tmp_path_factory.mktemp("slim") / "server")


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
        "--level", "files", "--json", "-", "--markdown", str(tmp_path / "told.md"),
    )  # fmt: skip
    assert done.returncode == 1
    assert not (tmp_path / "small").exists()
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(document, schema)
    failed = [probe["probe"] for probe in document["proof"]["probes"] if not probe["passed"]]
    assert failed == ["http:GET /page"]
    assert [one["path"] for one in document["attempts"][0]["missing"]] == ["srv/page"]
    assert "| `/srv/page` | Dropped, as asked for |" in (tmp_path / "told.md").read_text()


def test_patterns_that_match_nothing_are_told(server: str, tmp_path: Path) -> None:
    request = Request(
        level="lossless", workloads=PAGE.workloads, keep=("/srv/*", "srv/*"), drop=("/nothing/*",)
    )
    result = slim(server, f"oci:{tmp_path}/small", request)
    assert result.notes == (
        "--keep srv/*: matches no path of the image",
        "--drop /nothing/*: matches no path of the image",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--to", "oci:/nowhere/at/all"), "does not exist; make the folder first"),
        (("--probe", "htp:GET /"), "did you mean http"),
        (("--keep-package", "nobody"), "is not in the image; list them: deadweight analyze"),
        (("--keep-package", "tol"), "is not in the image; did you mean tool?"),
        (("--keep-base", "2x"), "--keep-base 2x: is no number, and no image that can be read: "),
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


def without_namespaces(*arguments: str) -> dict[str, Any]:
    """What slim, which cannot run anything, tells as JSON."""
    limit = "echo 0 > /proc/sys/user/max_user_namespaces"  # of the namespace that it runs in
    line = f'{limit}; exec "$0" -m deadweight slim "$@" --json -'
    shell = ["unshare", "--user", "--map-root-user", "sh", "-c", line, sys.executable, *arguments]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_evidence_serves_where_nothing_may_run(server: str, tmp_path: Path) -> None:
    evidence = str(tmp_path / "evidence.json")
    done = command(server, "--to", f"oci:{tmp_path}/first", "--save-evidence", evidence)
    assert done.returncode == 0, done.stderr
    document = without_namespaces(server, "--to", f"oci:{tmp_path}/small", "--evidence", evidence)
    assert document["level"] == "files"
    assert document["digest"] in done.stdout
    assert document["proof"]["probes"] == []
    assert "user namespaces are refused" in document["proof"]["why_none"]


def test_evidence_of_another_image_is_not_enough_where_nothing_may_run(server: str, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.json"
    command(server, "--to", f"oci:{tmp_path}/first", "--save-evidence", str(evidence))
    recorded = json.loads(evidence.read_text())
    evidence.write_text(json.dumps({**recorded, "image": "sha256:" + "0" * 64}))
    document = without_namespaces(server, "--to", f"oci:{tmp_path}/small", "--evidence", str(evidence))
    assert document["level"] == "packages"


def test_without_namespaces_only_packages_go_and_nothing_is_proved(server: str, tmp_path: Path) -> None:
    document = without_namespaces(server, "--to", f"oci:{tmp_path}/small")
    assert document["level"] == "packages"
    assert document["proof"]["probes"] == []
    assert "user namespaces are refused" in document["proof"]["why_none"]
    assert "usr/share/tool/data" not in files(f"oci:{tmp_path}/small")
