"""Whatever Python imports when it runs is in the evidence: random packages, and the real interpreter as the judge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from deadweight.evidence.closure.python import PythonClosure
from debian_by_hand import Debian
from layers_by_hand import file, program
from scenes import needed, scene_of

LIBRARY = "usr/lib/python3.11"
PACKAGES = ("pa", "pa.sa", "pa.sa.ta", "pb", "pb.sa")
"""Of these ``pb.sa`` has no ``__init__``."""
MODULES = (*PACKAGES[:4], *(f"{package}.{name}" for package in PACKAGES for name in ("ma", "mb")), "mc")
LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import main
for name in sorted(set(sys.modules) - before):
    path = getattr(sys.modules[name], "__file__", None)
    if path and path.startswith(sys.argv[1]):
        print(path[len(sys.argv[1]) + 1:])
"""

names = st.sampled_from((*MODULES, "pb.sa", "pa.none", "none"))


@st.composite
def statements(draw: st.DrawFn) -> str:
    """One import in one of the forms that code has; every one may fail."""
    name = draw(names)
    package, _, last = name.rpartition(".")
    forms = [
        f"import {name}",
        f"import {name} as it, sys",
        f"from {name} import ma",
        f"from {name} import (  # what ) stands here\n        ma,\n        mb,\n    )",
        f"from {name} import *",
        f"import sys; import {name}",
        f"__import__({name!r})",
        f"importlib.import_module({name!r})",
        f"importlib.import_module('{package}.%s' % last)" if package else "pass",
        f"importlib.import_module(f'{package}.{{last}}')" if package else "pass",
        f"importlib.import_module('{package}.' + last)" if package else "pass",
        "from . import ma",
        "from .ma import *",
        "from .. import sa, ma",
        "from ..sa import mb",
        "importlib.import_module('.mb', __package__)",
        "importlib.import_module('.' + 'ma', __package__)",
        "importlib.import_module(f'{__package__}.mb')",
        "importlib.import_module(__name__ + '.ma')",
    ]
    text = draw(st.sampled_from(forms))
    inner = f"    last = {last!r}\n    import importlib\n    {text}"
    try_it = f"try:\n{inner}\nexcept (ImportError, AttributeError, TypeError): pass\n"
    if draw(st.booleans()) and "*" not in text:
        indented = "".join(f"    {line}\n" for line in try_it.splitlines())
        return f"def late():\n{indented}late()\n"
    return try_it


@st.composite
def listed(draw: st.DrawFn) -> str:
    """Modules that are named in strings, as the settings of an application do it."""
    chosen = draw(st.lists(names, min_size=1, max_size=2))
    return f"import importlib\nfor one in {chosen!r}:\n    try: importlib.import_module(one)\n    except ImportError: pass\n"


@st.composite
def sources(draw: st.DrawFn) -> dict[str, str]:
    """The paths and texts of modules, and of the main one."""
    found = {}
    for module in MODULES:
        path = module.replace(".", "/")
        text = "".join(draw(st.lists(statements(), max_size=2)))
        if draw(st.booleans()) and module in PACKAGES:
            text += "__all__ = ['ma', 'mb', 'sa']\n"
        found[f"{path}/__init__.py" if module in PACKAGES else f"{path}.py"] = text
    return found


@settings(max_examples=60, deadline=None)
@given(sources(), st.lists(statements() | listed(), min_size=1, max_size=3))
def test_what_is_imported_is_in_the_evidence(library: dict[str, str], main: list[str]) -> None:
    text = "".join(main)
    with TemporaryDirectory() as folder:
        for path, content in {**library, "main.py": text}.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        command = [sys.executable, "-I", "-S", "-B", "-c", LOADED, folder]
        loaded = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    started = (file(f"{LIBRARY}/os.py"), file(f"{LIBRARY}/encodings/__init__.py"))
    members = [file(f"{LIBRARY}/{path}", content.encode()) for path, content in library.items()]
    debian = Debian().add("python", program("usr/bin/python3.11"), *started, *members)
    scene = scene_of(*debian.layer, file("srv/main.py", text.encode()))
    kept = needed(scene, ["usr/bin/python3.11"], PythonClosure()).reasons
    assert {path for path in loaded.split() if path != "main.py"} <= {
        path.removeprefix(f"{LIBRARY}/") for path in kept
    }
