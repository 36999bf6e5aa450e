from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from archive_samples import docker_members, tar_of
from conftest import require_program
from deadweight.accounting.analyze import analyze
from deadweight.image import open_image
from layers_by_hand import Member, directory, file, hard_link, image_of, link, whiteout

VERSION = "v0.13.1"


@pytest.fixture(scope="module")
def dive(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program dive: installed, or built by Go."""
    for place in (shutil.which("dive"), Path.home() / "go" / "bin" / "dive"):
        if place and Path(place).is_file():
            return str(place)
    go = require_program("go")
    folder = tmp_path_factory.mktemp("go")
    subprocess.run(
        [go, "install", f"github.com/wagoodman/dive@{VERSION}"],
        env={"PATH": str(Path(go).parent) + ":/usr/bin:/bin", "HOME": str(Path.home()), "GOBIN": str(folder)},
        check=True,
        capture_output=True,
    )
    return str(folder / "dive")


def stack(seed: int) -> list[list[Member]]:
    """Layers of few names, so that they meet: files, links, directories, and whiteouts of all of them."""
    choose = random.Random(seed)
    names = [f"{a}{b}{c}" for a in ("a", "b-b") for b in ("", "/a", "/-c") for c in ("", "/a", "/z z")]
    layers = []
    for _ in range(choose.randint(1, 5)):
        layer: list[Member] = []
        for name in choose.sample(names, choose.randint(0, 8)):
            kind = choose.choice("ffffddlww")
            if kind == "f":
                layer.append(file(name, bytes([choose.randrange(256)]) * choose.randrange(3000)))
            elif kind == "d":
                layer.append(directory(name))
            elif kind == "l":
                layer.append(link(name, "target"))
            elif choose.random() < 0.2:
                layer.append(file(f"{name}/.wh..wh..opq"))
            else:
                layer.append(whiteout(name))
        if choose.random() < 0.3:
            layer += [file("soft", 100), hard_link("hard", "soft")]
        layers.append(layer)
    return layers


@pytest.mark.parametrize("seed", range(25))
def test_generated_images_score_as_dive_says(dive: str, tmp_path: Path, seed: int) -> None:
    layers = stack(seed)
    sample = image_of(layers, [], {}, "uncompressed")
    archive = tmp_path / "image.tar"
    archive.write_bytes(tar_of(docker_members({"by-hand:latest": sample})))
    report = tmp_path / "report.json"
    subprocess.run(
        [dive, "--source", "docker-archive", str(archive), "--json", str(report)],
        env={"CI": "true", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    image = json.loads(report.read_text())["image"]
    with open_image(f"docker-archive:{archive}") as opened:
        score = analyze(opened).dive
    assert (score.efficiency, score.wasted) == (image["efficiencyScore"], image["inefficientBytes"])
