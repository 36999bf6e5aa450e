"""What several tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browsers import Show, chromium, showing
from conftest import require_program
from examples.debian_image import Recipe, Step, build, this_release


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Show]:
    """Opens a report; fails for errors, dialogs and requests."""
    with showing(browser, tmp_path) as show:
        yield show


RECIPE = Recipe(
    suite=this_release(),
    mirror="",
    config={"Cmd": ["sleep", "infinity"]},
    steps=[
        Step("apt-get clean; rm -rf /var/lib/apt/lists/*", "Debian's essential packages and apt"),
        Step(
            "apt-get update && apt-get install -y --no-install-recommends python3-requests && apt-get clean",
            "python3-requests",
        ),
    ],
)


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image of Debian packages."""
    require_program("mmdebstrap")
    layout = tmp_path_factory.mktemp("debian") / "image"
    build(RECIPE, {layout: "gzip"})
    return f"oci:{layout}"
