"""Bytes that no container sees: superseded, restated, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deadweight.accounting.ledger import Row
from deadweight.accounting.model import DEAD, HID, Cause, Finding, Item
from deadweight.accounting.view import View, added_wire, by_size
from deadweight.tree.merge import DELETED, RESTATED, SUPERSEDED

_TEXTS = {
    SUPERSEDED: (
        "Superseded by a later layer",
        "A later entry has other content at the same path, or something else in its place.",
        "Change the file in the instruction that makes it, or copy it only once.",
    ),
    RESTATED: (
        "Stated again by a later layer",
        "A later layer has the same content at the same path: chmod, chown and touch copy the whole file.",
        "Set owner and mode where the file is made: COPY --chown, COPY --chmod, install -m.",
    ),
    DELETED: (
        "Deleted by a later layer",
        "A whiteout of the file, of a directory above it, or an opaque directory hides it; its bytes are still pulled.",
        "Delete in the same RUN that makes the files, or make them in another build stage.",
    ),
}


class Dead:
    """One finding for each class of bytes that are not live."""

    def find(self, view: View) -> Iterator[Finding]:
        """The findings; together they have all bytes that are not live."""
        rows: dict[str, list[Row]] = {kind: [] for kind in _TEXTS}
        for row in view.ledger.dead():
            if row.entry.size:
                rows[row.kind].append(row)
        for kind, found in rows.items():
            if found:
                yield _finding(view, kind, found)


def _finding(view: View, kind: str, rows: Sequence[Row]) -> Finding:
    items = [Item(row.entry.path, row.layer, row.entry.size, row.wire, row.number) for row in rows]
    items.sort(key=by_size)
    title, reason, remedy = _TEXTS[kind]
    return Finding(
        id=kind,
        kind=DEAD,
        title=title,
        reason=reason,
        remedy=remedy,
        unpacked=sum(item.unpacked for item in items),
        wire=added_wire(item.wire for item in items),
        items=tuple(items),
        causes=(*_hid(view, rows), *_brought(view, rows)),
    )


def _hid(view: View, rows: Sequence[Row]) -> list[Cause]:
    sums: dict[int, int] = {}
    for row in rows:
        if row.fate is not None:
            sums[row.fate.layer] = sums.get(row.fate.layer, 0) + row.entry.size
    causes = [Cause(layer, view.instructions[layer], "", unpacked, HID) for layer, unpacked in sums.items()]
    return sorted(causes, key=lambda cause: (-cause.unpacked, cause.layer))


def _brought(view: View, rows: Sequence[Row]) -> tuple[Cause, ...]:
    owner_of = view.inventory.owners.get
    return view.causes((row.layer, owner_of(row.entry.path), row.entry.size) for row in rows)
