"""The readers, in the order in which they may claim a path: system packages before a language's."""

from __future__ import annotations

from deadweight.errors import UsageError
from deadweight.inventory.apk import ApkReader
from deadweight.inventory.dpkg import DpkgReader
from deadweight.inventory.golang import GoReader
from deadweight.inventory.java import JavaReader
from deadweight.inventory.node import NodeReader
from deadweight.inventory.python import PythonReader
from deadweight.inventory.reader import Reader
from deadweight.inventory.rpm.reader import RpmReader
from deadweight.inventory.ruby import RubyReader

READERS: tuple[Reader, ...] = (
    ApkReader(),
    DpkgReader(),
    RpmReader(),
    PythonReader(),
    NodeReader(),
    GoReader(),
    JavaReader(),
    RubyReader(),
)

GROUP = "deadweight.inventory"
"""The group of entry points under which other distributions offer a `Reader` each."""


def installed_readers() -> tuple[Reader, ...]:
    """`READERS`, and after them those of other distributions by name.

    Raises `UsageError` for one that cannot be imported. To look for them takes longer than to start: ask only who wants
    them.
    """
    from importlib.metadata import entry_points

    found: list[Reader] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found.append(point.load())
        except (ImportError, AttributeError) as error:
            problem = f"offers a reader that cannot be imported ({error})"
            raise UsageError(f"entry point {point.name}", problem, "update or remove it") from error
    return (*READERS, *found)
