"""What tests of all layers share: where peers' images are, and which programs must be there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytest_plugins = ["services.fixtures"]

ROOT = Path(__file__).resolve().parent.parent


def require(present: object, what: str) -> None:
    """Skips the test where `what` is missing; in CI that is a failure."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


def require_program(name: str) -> str:
    """The path of the program `name`; see `require`."""
    path = shutil.which(name)
    require(path, f"the program {name}")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of peers' images. Its absence is the one skip that CI allows."""
    folder = Path(os.environ.get("DEADWEIGHT_FIXTURES", ROOT.parent / "shared" / "fixtures"))
    if not folder.is_dir():
        pytest.skip(f"peers' images are not at {folder}; set DEADWEIGHT_FIXTURES")
    return folder
