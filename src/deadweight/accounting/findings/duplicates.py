"""The same content more than once, without being hard links of each other."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.accounting.model import Finding
from deadweight.accounting.view import View
from deadweight.tree.node import Node


class Duplicates:
    """All copies of a content but one."""

    def find(self, view: View) -> Iterator[Finding]:
        """At most one finding; its items are the copies that could go."""
        first: dict[bytes, Node] = {}
        copies = []
        for file in view.files:
            if not file.entry.size:
                continue
            if first.setdefault(file.entry.digest, file) is not file:
                copies.append((file, file.entry.size))
        finding = view.suspect(
            "duplicates",
            "Duplicates",
            "The same content lies at several paths as separate files; of each the first path is not counted here.",
            "Make them links to one file (ln, or cp --link), or keep only the one that is used.",
            copies,
        )
        if finding is not None:
            yield finding
