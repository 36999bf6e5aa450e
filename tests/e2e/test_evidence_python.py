"""A real Python, with a real standard library and real distributions, cut down to the evidence: nothing that could be
imported before cannot be imported after."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

import pytest

from deadweight.evidence.closure.python import PythonClosure
from deadweight.evidence.model import Evidence
from debian_by_hand import Debian
from layers_by_hand import Member, file, program
from scenes import needed, scene_of

NAME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
SOURCE = Path(os.__file__).parent
LIBRARY = f"usr/lib/{NAME}"
SITE = f"{LIBRARY}/site-packages"
LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "__pycache__", "_bundled"} | {
    f"config-{sys.version_info[0]}.{sys.version_info[1]}-x86_64-linux-gnu"
}
DISTRIBUTIONS = ("rich", "markdown-it-py", "mdurl", "pygments", "urllib3", "pip")
APPLICATION = """
import importlib
import rich.console
from ledger import settings

def zone(name):
    import zoneinfo
    return zoneinfo.ZoneInfo(name)

def export(kind):
    return importlib.import_module(f"ledger.export_{kind}")

def later():
    for name in settings.LATER:
        importlib.import_module(name)
"""
OWN = {
    "app.py": APPLICATION,
    "ledger/__init__.py": "",
    "ledger/settings.py": "LATER = ['urllib3', 'logging.handlers']\nLOGGING = {'class': 'concurrent.futures.Executor'}\n",
    "ledger/export_sheet.py": "import csv\n",
    "ledger/export_store.py": "import sqlite3\n",
}
USE = "import app; app.export('sheet'); app.export('store'); app.later(); [ ''.encode(name) for name in ('idna', 'euc-jp', 'cp1252') ]"
IMPORT_EACH = """
import json, os, sys
names, found = json.load(sys.stdin), {}
for name in names:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
        try:
            __import__(name)
            said = "ok"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        files = [path for module in list(sys.modules.values()) if isinstance(path := getattr(module, "__file__", None), str)]
        data = json.dumps([said, files]).encode()
        while data:
            data = data[os.write(writer, data):]
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        found[name] = json.loads(pipe.read() or '["killed", []]')
    os.wait()
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def members() -> Sequence[Member]:
    standard = [file(f"{LIBRARY}/{path}", (SOURCE / path).read_bytes()) for path in library_files(SOURCE)]
    installed = [
        file(f"{SITE}/{path}", Path(str(path.locate())).read_bytes())
        for name in DISTRIBUTIONS
        for path in distribution(name).files or ()
        if ".." not in path.parts and path.suffix != ".pyc"
    ]
    own = [file(f"srv/{path}", text.encode()) for path, text in OWN.items()]
    return [*Debian().add("python", program(f"usr/bin/{NAME}"), *standard).layer, *installed, *own]


def library_files(library: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(library):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and not (path.is_symlink() and not path.resolve().is_relative_to(library)):
                yield path.relative_to(library).as_posix()


@pytest.fixture(scope="module")
def evidence(members: Sequence[Member]) -> Evidence:
    return needed(scene_of(*members), [f"usr/bin/{NAME}"], PythonClosure())


@pytest.fixture(scope="module")
def whole(members: Sequence[Member], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(members, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def cut(members: Sequence[Member], evidence: Evidence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = [member for member in members if member.path in evidence.reasons]
    return lay_out(kept, tmp_path_factory.mktemp("cut"))


def lay_out(members: Iterable[Member], root: Path) -> Path:
    for member in members:
        target = root / member.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(member.content)
    return root


def run(root: Path, text: str, given: str = "") -> str:
    """What Python says to `text`, with the library in `root`, and none of what it has frozen in its own program."""
    interpreter = shutil.which(NAME, path=f"{sys.base_prefix}/bin")
    assert interpreter is not None
    environment = {
        "PYTHONHOME": str(root / "usr"),
        "PYTHONPATH": f"{root}/srv:{root}/{SITE}",
        "PATH": os.defpath,
    }
    command = [interpreter, "-s", "-X", "frozen_modules=off", "-c", text]
    ran = subprocess.run(
        command, input=given, env=environment, cwd=root, capture_output=True, text=True, timeout=200
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def imports(root: Path, names: Sequence[str]) -> Mapping[str, tuple[str, Sequence[str]]]:
    found: dict[str, tuple[str, Sequence[str]]] = json.loads(run(root, IMPORT_EACH, json.dumps(names)))
    return found


def test_the_application_works_with_what_is_kept(whole: Path, cut: Path) -> None:
    run(whole, USE)
    run(cut, USE)
    assert run(cut, "import app; print(app.rich.__name__)") == "rich\n"


def test_what_is_kept_can_be_imported_as_before(whole: Path, cut: Path, evidence: Evidence) -> None:
    names = sorted(filter(None, map(module_name, evidence.reasons)))[::5]
    assert len(names) > 100
    before, after = imports(whole, names), imports(cut, names)
    say = {name: said.replace(str(whole), "") for name, (said, _) in before.items()}
    assert {name: said.replace(str(cut), "") for name, (said, _) in after.items()} == say
    loaded = {path for said, paths in before.values() if said == "ok" for path in paths}
    inside = {path.removeprefix(f"{whole}/") for path in loaded if path.startswith(f"{whole}/")}
    assert inside <= set(evidence.reasons)
    assert sum(said == "ok" for said in say.values()) > 0.9 * len(names)


def module_name(path: str) -> str | None:
    for root in (f"{SITE}/", f"{LIBRARY}/"):
        if path.startswith(root) and path.endswith(".py"):
            name = path.removeprefix(root).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            return (
                name if all(part.isidentifier() and part != "__main__" for part in name.split(".")) else None
            )
    return None


def test_what_nothing_reaches_is_dropped(evidence: Evidence) -> None:
    kept = set(evidence.reasons)
    assert f"{SITE}/urllib3/__init__.py" in kept
    assert f"{LIBRARY}/logging/handlers.py" in kept
    assert not [
        path
        for path in kept
        if path.startswith((f"{SITE}/pip/", f"{LIBRARY}/idlelib/", f"{LIBRARY}/tkinter/"))
    ]
