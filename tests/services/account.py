"""An ordinary user with subordinate IDs, and Python code that runs as that user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import isal

import deadweight


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
    for module in (deadweight, isal):
        source = Path(str(module.__file__)).parent
        shutil.copytree(source, folder / source.name)
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
