"""Builds an application's image: Debian's packages, then the application's dependencies, then itself.

The first layer is made by mmdebstrap and kept under .cache/corpus, as are the packages of pip and npm; or it is a
root file system that others have made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.corpus.application import Application
from examples.corpus.check import unpack
from examples.debian_image import (
    EPOCH,
    Layout,
    Recipe,
    Step,
    image_config,
    take_snapshots,
    tar_command,
    write_layers,
)

SUITE = "bookworm"
CACHE = Path(".cache/corpus")
PIP = "pip==25.3"
VENV = "/opt/venv"
NPM_BEFORE = "2026-11-20"
"""npm takes no version that is newer than this day, so that dependencies of dependencies stay as they are."""
LEFTOVERS = "/etc/hostname /etc/resolv.conf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt/* /var/cache/ldconfig/aux-cache"
"""What differs from build to build, or comes from this machine."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """A file system that is being made into an image, layer by layer."""

    root: Path
    snapshots: list[Path]
    steps: list[Step]

    def run(self, line: str, **environment: str) -> None:
        """Runs a shell line in the image, as root."""
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "SOURCE_DATE_EPOCH": str(EPOCH)}
        subprocess.run(
            ["/usr/sbin/chroot", self.root, "sh", "-ec", line], env=clean | environment, check=True
        )

    def keep(self, instruction: str) -> None:
        """Keeps the file system as it is now; what differs from the last time becomes a layer."""
        target = self.root.parent / f"{len(self.snapshots)}.tar"
        finished(tar_command(str(target), str(self.root)))
        self.snapshots.append(target)
        self.steps.append(Step("", instruction))


def build(application: Application, target: Path) -> None:
    """Writes the image as an OCI layout to `target`, in the place of what is there.

    Raises SystemExit where what the image begins with is not on this machine.
    """
    if application.left_out:
        raise SystemExit(application.left_out)
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".building-") as name:
        folder = Path(name)
        workshop = Workshop(folder / "root", [], [])
        workshop.root.mkdir()
        if application.rootfs:
            unpack(application.rootfs, workshop.root)
            workshop.keep(f"ADD {application.rootfs.name} /")
        else:
            install_debian(application, workshop)
        if application.packages.pip:
            install_pip(application, workshop)
        if application.packages.npm:
            install_npm(application, workshop)
        install_application(application, workshop)
        layout = Layout(folder / "layout", "gzip")
        recipe = Recipe(SUITE, "", application.config, workshop.steps)
        layout.finish(image_config(recipe, write_layers(workshop.snapshots, [layout])))
        shutil.rmtree(target, ignore_errors=True)
        layout.path.rename(target)


def cached(kind: str, *parts: object) -> Path:
    """The place under the cache for what is made of `parts`."""
    key = hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]
    return CACHE.absolute() / f"{kind}-{key}"


def install_debian(application: Application, workshop: Workshop) -> None:
    """Debian with the application's packages, as mmdebstrap made it."""
    base = base_system(application)
    unpack(base, workshop.root)
    workshop.snapshots.append(workshop.root.parent / "0.tar")
    os.link(base, workshop.snapshots[0])
    workshop.steps.append(Step("", "Debian's packages"))


def base_system(application: Application) -> Path:
    """A tar file of Debian with the application's packages."""
    packages = " ".join(application.packages.debian)
    line = "\n".join(
        [
            *application.prepare,
            "apt-get update -q",
            f"apt-get install -q -y --no-install-recommends {packages}",
            "apt-get clean",
            f"rm -rf {LEFTOVERS}",
        ]
    )
    kept = cached("base", SUITE, line)
    if not kept.exists():
        with TemporaryDirectory(dir=CACHE, prefix=".base-") as name:
            [snapshot] = take_snapshots(Recipe(SUITE, "", {}, [Step(line, "")]), Path(name).absolute())
            snapshot.rename(kept)
    return kept


def install_pip(application: Application, workshop: Workshop) -> None:
    """A virtual environment on Debian's Python, filled from wheels without a network."""
    pins = [PIP, *application.packages.pip]
    wheels = cached("wheels", pins)
    if not wheels.exists():
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
        with TemporaryDirectory(dir=CACHE, prefix=".wheels-") as name:
            platform = ["--python-version=3.11", "--implementation=cp"]
            subprocess.run([*fetch, *platform, f"--dest={name}", *pins], check=True)
            shutil.copytree(name, wheels)
    inside = workshop.root / "tmp/wheels"
    shutil.copytree(wheels, inside)
    pip = f"{VENV}/bin/python {next(Path('/tmp/wheels').joinpath(one.name) for one in inside.glob('pip-*'))}/pip"
    workshop.run(f"python3 -m venv --without-pip {VENV}")
    options = "--quiet --no-index --no-cache-dir --find-links=/tmp/wheels"
    workshop.run(f"{pip} install {options} {' '.join(application.packages.pip)}")
    shutil.rmtree(inside)
    workshop.keep(f"RUN pip install {' '.join(application.packages.pip)}")


def install_npm(application: Application, workshop: Workshop) -> None:
    """node_modules in the working directory, as this machine's npm lays them out; no install script runs."""
    pins = application.packages.npm
    modules = cached("npm", pins, NPM_BEFORE)
    if not modules.exists():
        with TemporaryDirectory(dir=CACHE, prefix=".npm-") as name:
            options = [f"--before={NPM_BEFORE}", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(["npm", "install", f"--prefix={name}", *options, *pins], check=True)
            shutil.copytree(name, modules, symlinks=True)
    place = workshop.root / application.config["WorkingDir"].lstrip("/")
    shutil.copytree(modules / "node_modules", place / "node_modules", symlinks=True)
    finished(f"chown -R -h 0:0 {place}")
    workshop.keep(f"RUN npm install {' '.join(pins)}")


def install_application(application: Application, workshop: Workshop) -> None:
    """The application's own files, what is compiled of them, and its last settings."""
    for source, place in application.files.items():
        copy(application.folder / source, workshop.root / place.lstrip("/"))
    if application.compile:
        with TemporaryDirectory(prefix="corpus-") as name:
            for line in application.compile:
                finished(line, cwd=application.folder, OUT=name)
            copy(Path(name), workshop.root / application.compiled_to.lstrip("/"))
    for line in application.setup:
        workshop.run(line)
    workshop.keep(f"COPY {application.name}")


def copy(source: Path, place: Path) -> None:
    """Copies a file or a folder's content, owned by root and readable by all, as a Dockerfile's COPY would."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, place)
    finished(f"chown -R 0:0 {place} && chmod -R u=rwX,go=rX {place}")


def finished(line: str, cwd: Path | None = None, **environment: str) -> None:
    """Runs a shell line on this machine."""
    subprocess.run(["sh", "-ec", line], cwd=cwd, env=os.environ | environment, check=True)
