"""What applications of the corpus load and start, seen from within, against what is derived without running them."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from conftest import ROOT, require, require_program
from deadweight.evidence.closure.node import NodeClosure
from deadweight.evidence.closures import installed_closures
from deadweight.evidence.model import Evidence
from deadweight.evidence.scene import Scene
from deadweight.evidence.walk import gather
from deadweight.image import open_image
from deadweight.sandbox.contents import plain_contents
from deadweight.slimming.subject import read_subject
from examples.corpus.application import read_application, read_behaviours, read_slim
from examples.corpus.check import ask_all, opened
from examples.corpus.chroot import Chroot
from examples.corpus.questions import Kind, probe
from examples.corpus.starter import Running

pytestmark = pytest.mark.timeout(900)
"""An image may have to be built first."""
IMAGES = ROOT / ".cache" / "images"
MARK = "LOADED:"
HOOK = f"""
import {{ createRequire }} from "node:module";
const Module = createRequire("/")("node:module");
const load = Module._extensions;
for (const kind of Object.keys(load)) {{
  const before = load[kind];
  load[kind] = (module, file) => (process.stderr.write("{MARK}" + file + "\\n"), before(module, file));
}}
"""
"""Says of each file that is loaded as CommonJS, JSON or machine code, which it is."""


class Listening:
    """Starts as another starter does, and keeps what the application said."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.said = ""

    @contextmanager
    def start(self, root: Path, config: dict[str, Any]) -> Iterator[Running]:
        variables = [f"{name}={value}" for name, value in self._environment.items()]
        with Chroot().start(root, {**config, "Env": [*config.get("Env", ()), *variables]}) as running:
            yield running
            self.said += running.said()


def _build(name: str, image: Path) -> None:
    """Builds the image where it is missing; one at a time, as tests run side by side."""
    image.parent.mkdir(parents=True, exist_ok=True)
    with (image.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (image / "oci-layout").is_file():
            command = [sys.executable, "-m", "examples.corpus", "build", name, "--to", str(image)]
            subprocess.run(command, check=True, cwd=ROOT)


def image_of(name: str) -> Path:
    image = Path(os.environ.get("DEADWEIGHT_CORPUS", IMAGES)) / name
    if "CI" in os.environ and os.geteuid() == 0:
        _build(name, image)
    require(
        (image / "oci-layout").is_file(), f"the image {name} of the corpus (python -m examples.corpus build)"
    )
    require(os.geteuid() == 0, "root")
    for program in ("unshare", "nsenter", "setpriv", "mount"):
        require_program(program)
    return image


@cache
def derived(name: str) -> tuple[Scene, Evidence]:
    with open_image(f"oci:{image_of(name)}") as image:
        subject = read_subject(image)
        with plain_contents(image, subject.indexes, subject.view.merged.tree) as contents:
            scene = subject.scene(contents)
            return scene, gather(scene, [], installed_closures(), needless=subject.needless())


def said_by(name: str, environment: dict[str, str]) -> str:
    """What the application says while all its probes and behaviours are asked."""
    application = read_application(name)
    slim = read_slim(application)
    asked = [*map(probe, slim.probes), *read_behaviours(application)]
    together = [one for one in asked if one.question.kind is not Kind.SIGNAL]
    starter = Listening(environment)
    with opened(application, image_of(name)) as (root, config):
        rows = ask_all(starter, root, config, slim, together)
    assert [row.objection for row in rows if row.objection] == []
    return starter.said


def test_every_file_that_node_loads_was_derived() -> None:
    scene, evidence = derived("express")
    said = said_by("express", {"NODE_OPTIONS": f"--import=data:text/javascript,{quote(HOOK)}"})
    loaded = {line.removeprefix(MARK).lstrip("/") for line in said.splitlines() if line.startswith(MARK)}
    assert len([path for path in loaded if "/node_modules/" in path]) > 50
    assert {path for path in loaded if path not in evidence.reasons} == set()
    packages = {package for path in loaded if (package := scene.owner(path)) is not None}
    assert packages


def test_packages_that_nothing_names_are_not_derived() -> None:
    """The application brings no tools: of Debian's modules only those that Node itself names stay."""
    scene, evidence = derived("express")
    follower = NodeClosure().open(scene)
    decided = [node for node in scene.tree.leaves if follower.decides(node, scene.owner(node.path))]
    left_out = [node.path for node in decided if node.path not in evidence.reasons]
    assert any(path.startswith("usr/share/nodejs/") for path in left_out)


JOBS: dict[tuple[str, ...], set[str]] = {
    ("once",): set(),
    ("report", "C.UTF-8"): set(),
    ("when", "Asia/Tokyo"): set(),
    ("archive", "gz"): {"gzip"},
    ("archive", "xz"): {"xz"},
    ("archive", "bz2"): {"bzip2"},
}  # fmt: skip
"""What the script can be told to do -> what tar starts for it."""


def test_every_command_that_a_script_starts_was_derived() -> None:
    """bash traces the commands that it executes, with their arguments."""
    scene, evidence = derived("nightly")
    with opened(read_application("nightly"), image_of("nightly")) as (root, config):
        for job, packers in JOBS.items():
            starter = Listening({"SHELLOPTS": "xtrace"})
            with starter.start(root, {**config, "Cmd": list(job)}) as running:
                assert running.ended(60) == 0
            traced = re.findall(r"^\++ (.+)$", starter.said, re.MULTILINE)
            names = {next((word for word in shlex.split(line) if "=" not in word), "") for line in traced}
            started = {path for name in names | packers if (path := found(scene, name))}
            assert len(started) > len(packers)
            assert started <= set(evidence.reasons)


def found(scene: Scene, name: str) -> str:
    """The real path of the program `name`; empty where there is none."""
    node = scene.program(name)
    return node.path if node is not None else ""
