"""Compiled Python beside its source."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.accounting.model import Finding
from deadweight.accounting.view import View


class Bytecode:
    """Every ``.pyc`` whose ``.py`` is there, too."""

    def find(self, view: View) -> Iterator[Finding]:
        """At most one finding."""
        compiled = [file for file in view.files if file.path.endswith(".pyc")]
        portions = [
            (file, file.entry.size)
            for file in compiled
            if all(_has_source(view, name) for name in (file.path, *view.other_names(file)))
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


def _has_source(view: View, path: str) -> bool:
    directory, _, name = path.rpartition("/")
    if directory.endswith("__pycache__"):
        directory = directory.rpartition("/")[0]
        name = name.partition(".")[0] + ".py"
    else:
        name = name[:-1]
    source = view.merged.tree.find(f"{directory}/{name}")
    return source is not None and source.is_file
