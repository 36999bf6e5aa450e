"""Compiled Python beside its source."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.accounting.model import Finding
from deadweight.accounting.view import View
from deadweight.tree.node import Node


class Bytecode:
    """Every ``.pyc`` whose ``.py`` is there, too."""

    def find(self, view: View) -> Iterator[Finding]:
        """At most one finding."""
        compiled = [file for file in view.files if file.path.endswith(".pyc")]
        portions = [
            (file, file.entry.size)
            for file in compiled
            if all(_has_source(name) for name in (file, *view.other_names(file)))
        ]
        finding = view.suspect(
            "bytecode",
            "Python bytecode beside its source",
            "Python compiles the source again when the bytecode is missing. Without it, each start is slower by the time "
            "that compiling the imported modules takes.",
            "Set PYTHONDONTWRITEBYTECODE=1 while building, and pip install --no-compile.",
            portions,
        )
        if finding is not None:
            yield finding


def _has_source(file: Node) -> bool:
    """Whether what was compiled into `file` is where Python looks for it (PEP 3147)."""
    folder, name = file.parent, file.name.removesuffix("c")
    if folder is not None and folder.name == "__pycache__":
        folder, name = folder.parent, file.name.partition(".")[0] + ".py"
    source = folder.children.get(name) if folder is not None and folder.children is not None else None
    return source is not None and source.is_file
