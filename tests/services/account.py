"""An ordinary user with subordinate IDs, and Python code that runs as that user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

import isal
import tree_sitter
import tree_sitter_bash
import zlib_ng

import deadweight

MODULES = (deadweight, isal, tree_sitter, tree_sitter_bash, zlib_ng)


@contextmanager
def ordinary_user() -> Iterator[str]:
    """The name of one: whoever runs the tests, or one made for as long as it is needed."""
    if os.getuid():
        yield pwd.getpwuid(os.getuid()).pw_name
        return
    name = f"deadweight{os.getpid()}"
    subprocess.run(["useradd", "--create-home", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["userdel", "--remove", name], check=False, capture_output=True)


def python_as(user: str, folder: Path, code: str, *arguments: str) -> str:
    """What `code` prints, which may import deadweight and gets `arguments`; the user can read `folder` then."""
    folder.chmod(0o755)
    # The project may lie where only its owner gets to.
    for source in (*(Path(str(module.__file__)).parent for module in MODULES), _metadata()):
        shutil.copytree(source, folder / source.name, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    command = [str(Path(sys.executable).resolve()), "-c", code, *arguments]
    if os.getuid() == 0:
        account = pwd.getpwnam(user)
        ids = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
        command = ["setpriv", *ids, *command]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "HOME": "/"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _metadata() -> Path:
    """Where it says which closures there are."""
    entry_points = next(path for path in files("deadweight") or () if path.name == "entry_points.txt")
    return Path(str(entry_points.locate())).parent
