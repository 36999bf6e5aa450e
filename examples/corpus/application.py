"""An application of the corpus: what its folder says."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.corpus.questions import Behaviour, Question

APPLICATIONS = Path(__file__).parent / "applications"
FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"
"""Where root file systems of others are; DEADWEIGHT_FIXTURES names another place."""


@dataclass(frozen=True, slots=True)
class Packages:
    """What is installed, in the order of the layers: Debian's packages, then pip's and npm's.

    `rootfs` is an archive below the fixtures that takes the place of Debian.
    """

    debian: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    rootfs: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """`files` maps a path in the folder to one in the image; `config` is the image's, in OCI's words."""

    name: str
    folder: Path
    packages: Packages
    prepare: tuple[str, ...]
    """Shell lines run in the image as root before Debian's packages are installed."""
    compile: tuple[str, ...]
    """Shell lines run outside of the image in the folder; $OUT is where their results go."""
    compiled_to: str
    files: dict[str, str]
    setup: tuple[str, ...]
    """Shell lines run in the image as root at the end."""
    config: dict[str, Any]

    @property
    def rootfs(self) -> Path | None:
        """The archive of a root file system that the image begins with; None where it begins with Debian."""
        if not self.packages.rootfs:
            return None
        return Path(os.environ.get("DEADWEIGHT_FIXTURES", FIXTURES)) / self.packages.rootfs

    @property
    def left_out(self) -> str:
        """Why this application cannot be built here, in a line; empty where nothing is missing."""
        if self.rootfs is None or self.rootfs.is_file():
            return ""
        return f"{self.name} is left out: {self.rootfs} is not there; set DEADWEIGHT_FIXTURES"


@dataclass(frozen=True, slots=True)
class Slim:
    """What a slimmer is told: probes, and which question says that the application is ready."""

    probes: tuple[Question, ...]
    ready: Question | None
    ends: bool
    """Whether the application ends by itself, as a batch job does."""


def names() -> list[str]:
    """The names of all applications."""
    return sorted(path.parent.name for path in APPLICATIONS.glob("*/app.toml"))


def read_application(name: str) -> Application:
    """The application called `name`. Raises SystemExit where there is none."""
    folder = APPLICATIONS / name
    if not (folder / "app.toml").is_file():
        raise SystemExit(f"{name}: no such application; there are: {', '.join(names())}")
    data = tomllib.loads((folder / "app.toml").read_text())
    packages = data.get("packages", {})
    build = data.get("build", {})
    return Application(
        name=data["name"],
        folder=folder,
        packages=Packages(
            **{kind: tuple(listed) for kind, listed in packages.items() if kind != "rootfs"},
            rootfs=packages.get("rootfs", ""),
        ),
        prepare=tuple(build.get("prepare", ())),
        compile=tuple(build.get("compile", ())),
        compiled_to=build.get("compiled_to", "/srv"),
        files=data.get("files", {}),
        setup=tuple(build.get("setup", ())),
        config=data["config"],
    )


def read_slim(application: Application) -> Slim:
    """The `[slim]` table of probes.toml."""
    table = tomllib.loads((application.folder / "probes.toml").read_text())["slim"]
    ready = table.get("ready")
    return Slim(
        probes=tuple(Question.parse(text) for text in table["probes"]),
        ready=Question.parse(ready) if ready else None,
        ends=table.get("ends", False),
    )


def read_behaviours(application: Application) -> list[Behaviour]:
    """What behaviours.toml asks for; nothing that slims may read it."""
    data = tomllib.loads((application.folder / "behaviours.toml").read_text())
    return [Behaviour.from_table(table) for table in data["behaviour"]]
