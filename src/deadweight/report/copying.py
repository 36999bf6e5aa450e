"""What a copy did, for the console."""

from __future__ import annotations

from collections import Counter

from deadweight.copying import CopyResult, Export
from deadweight.report.units import count, printable, share, size


def render_copy(result: CopyResult) -> str:
    """A few lines: where to, the digest, what moved, and the stored sizes before and after."""
    outcomes = Counter(layer.outcome for layer in result.layers)
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    before, after = result.stored_before, result.stored_after
    lines = [
        f"{printable(result.source)} -> {printable(result.destination)}",
        str(result.digest),
        f"{count(result.images, 'image')}; layers: {told or 'none'}; {size(result.moved)} written",
    ]
    if before != after:
        lines.append(f"stored layers: {size(before)} -> {size(after)} ({share(after - before, before)})")
    lines += [f"note: {printable(note)}" for note in result.notes]
    return "\n".join(lines) + "\n"


def render_export(result: Export) -> str:
    """A few lines: where to, the archive's digest, and what is in it."""
    lines = [
        f"{printable(result.source)} -> rootfs:{printable(str(result.path))}",
        str(result.digest),
        f"{count(result.entries, 'entry', 'entries')}; {size(result.unpacked)} in files; {size(result.size)} written",
    ]
    return "\n".join(lines) + "\n"
