"""The uncompressed bytes of a layer after its plan: what stays is copied, headers included, in as few slices as can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deadweight.layer.cursor import Cursor
from deadweight.layer.entry import Entry
from deadweight.passes.carried import CarriedContents
from deadweight.passes.headers import renamed
from deadweight.passes.steps import Carried, LayerPlan, Refilled, Renamed, Same, Step
from deadweight.transport.tar_writer import END, header, padding


def rewritten(
    cursor: Cursor, position: int, entries: Sequence[Entry], plan: LayerPlan, carried: CarriedContents
) -> Iterator[bytes | memoryview]:
    """The tar archive that `plan` makes of the layer with `entries`, whose uncompressed bytes `cursor` is at the start of.

    `position` is that of the layer, base first. What higher layers are to carry is put into `carried`, and what it
    carries itself is taken from there. The layer is read as far as its last entry that is used.
    """
    for item in _slices(plan, len(entries)):
        if isinstance(item, range):
            start, end = entries[item.start].start, entries[item.stop].start
            cursor.skip(start - cursor.offset)
            yield from cursor.pieces(end - start)
        else:
            number, steps = item
            yield from _single(cursor, (position, number), entries, plan, steps, carried)
    yield END


def _slices(plan: LayerPlan, count: int) -> Iterator[range | tuple[int, list[Step]]]:
    """Ranges of entries that are copied as they are, and between them numbers with the steps that need a closer look.

    The last of `count` entries is among these: where it ends, only its header tells.
    """
    steps: dict[int, list[Step]] = {number: [] for number in plan.carried}
    for step in plan.steps:
        steps.setdefault(step.number, []).append(step)
    run = range(0)
    for number in sorted(steps):
        here = steps[number]
        if number + 1 < count and number not in plan.carried and len(here) == 1 and isinstance(here[0], Same):
            if run.stop != number:
                if run:
                    yield run
                run = range(number, number)
            run = range(run.start, number + 1)
        else:
            if run:
                yield run
            run = range(0)
            yield number, here
    if run:
        yield run


def _single(
    cursor: Cursor,
    place: tuple[int, int],
    entries: Sequence[Entry],
    plan: LayerPlan,
    steps: Sequence[Step],
    carried: CarriedContents,
) -> Iterator[bytes | memoryview]:
    number = place[1]
    blocks, size = b"", 0
    if number in plan.carried or any(isinstance(step, Same | Renamed | Refilled) for step in steps):
        size = entries[number].size
        cursor.skip(entries[number].start - cursor.offset)
        blocks = cursor.header()
    for step in steps:
        if isinstance(step, Same | Renamed):
            yield blocks if isinstance(step, Same) else renamed(blocks, step.entry)
            yield from cursor.pieces(size)
        elif isinstance(step, Refilled):
            yield renamed(blocks, step.entry)
            yield step.content
        elif isinstance(step, Carried):
            yield renamed(carried.header(step.origin), step.entry)
            yield from carried.content(step.origin)
        else:
            yield header(step.entry)
            yield step.content
        yield padding(step.entry.size)
    if number in plan.carried:
        carried.put(place, blocks, cursor.pieces(size))
