"""The other tools: where they are, and which versions."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

GO_MODULES = {
    "crane": "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
    "dive": "github.com/wagoodman/dive@v0.13.1",
}
VERSION_COMMANDS = {
    "deadweight": ("--version",),
    "skopeo": ("--version",),
    "umoci": ("--version",),
    "syft": ("version", "-o", "json"),
}


def find(folder: Path) -> dict[str, str]:
    """Name -> path of each program that is there. crane and dive are built into `folder` where Go is there."""
    beside = Path(sys.executable).parent
    found = {}
    for name in ("deadweight", "skopeo", "umoci", "syft"):
        path = shutil.which(name, path=beside) or shutil.which(name)
        if path:
            found[name] = path
    go = shutil.which("go")
    for name, module in GO_MODULES.items():
        if go and not (folder / name).exists():
            print(f"building {name}", file=sys.stderr)
            subprocess.run([go, "install", module], env={**os.environ, "GOBIN": str(folder)}, check=True)
        if (folder / name).exists():
            found[name] = str(folder / name)
    return found


def versions(programs: dict[str, str]) -> dict[str, str]:
    """Name -> what the program says its version is; of those built here, the version that was asked for."""
    said = {"Python": platform.python_version()}
    for name, path in programs.items():
        if name in GO_MODULES:
            said[name] = GO_MODULES[name].rpartition("@")[2]
        else:
            said[name] = _first_version(subprocess.check_output([path, *VERSION_COMMANDS[name]], text=True))
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
