"""The other tools: where they are, and which versions."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

VERSION_COMMANDS = {
    "deadweight": ("--version",),
    "skopeo": ("--version",),
    "umoci": ("--version",),
    "syft": ("version", "-o", "json"),
    "crane": ("version",),
    "mint": ("--version",),
}


def find() -> dict[str, str]:
    """Name -> path of each program that is there, those of the virtual environment first."""
    beside = Path(sys.executable).parent
    names = ("deadweight", "skopeo", "umoci", "syft", "crane", "dive", "mint")
    paths = {name: shutil.which(name, path=beside) or shutil.which(name) for name in names}
    return {name: path for name, path in paths.items() if path}


def versions(programs: dict[str, str]) -> dict[str, str]:
    """Name -> what the program says its version is."""
    said = {"Python": platform.python_version()}
    for name, path in programs.items():
        # dive, as Go builds it, does not know its own version.
        command = ["go", "version", "-m", path] if name == "dive" else [path, *VERSION_COMMANDS[name]]
        said[name] = _first_version(subprocess.check_output(command, text=True))
    for name in ("isal", "zlib-ng", "backports.zstd"):
        from importlib.metadata import version

        said[name] = version(name)
    for name in ("gzip", "zstd"):
        said[name] = _first_version(subprocess.check_output([name, "--version"], text=True))
    return said


def _first_version(text: str) -> str:
    """The first word that looks like a version."""
    words = (word.strip('",*:vV') for word in text.split())
    return next((word for word in words if word[:1].isdigit() and "." in word), text.strip())


def machine() -> str:
    """The machine in a line."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{os.cpu_count()} × {models[0] if models else platform.machine()}, {memory:.0f} GiB, {system}, Linux {platform.release()}"
