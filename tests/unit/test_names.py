"""What the package offers by name is what it says, also once its parts have been imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

import deadweight

FUNCTIONS = [name for name in deadweight.__all__ if name[0].islower()]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_no_package_of_the_same_name(name: str) -> None:
    code = f"import deadweight.slimming.slim, deadweight.cli.parser; from deadweight import {name}; print(callable({name}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
