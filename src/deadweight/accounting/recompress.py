"""What removing files would save on the wire, by compressing without them: the figures of ``--exact``."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

from deadweight.image import Image
from deadweight.indexing import SILENT, Progress
from deadweight.layer.block_sizes import BlockCodec, block_codec
from deadweight.layer.compress import available_threads
from deadweight.layer.gzip_blocks import reblocked
from deadweight.layer.index import LayerIndex
from deadweight.layer.inflate import inflated

Removals = Mapping[str, Mapping[int, Collection[int]]]
"""Name -> position of a layer -> numbers of the entries to be dropped there."""
Ranges = Sequence[tuple[int, int]]
"""Parts of the uncompressed layer, first byte and end, ascending."""


def exact_savings(
    image: Image,
    indexes: Sequence[LayerIndex],
    removals: Removals,
    *,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> dict[str, int]:
    """For each name in `removals` the wire bytes that dropping its entries alone would save, headers and padding included.

    Each layer is compressed in its own compression (gzip if it has none) at our default level, with and without the entries.
    Only the blocks that differ are, so that many names cost little; the sum is that of one stream to about a percent. It
    can be negative, where other files were compressed by the example of these. Raises as `inflated` does.
    """
    savings = dict.fromkeys(removals, 0)
    for layer, index in zip(image.layers, indexes, strict=True):
        cuts = [
            _Cut(name, ranges_of(index, by_layer[layer.position]))
            for name, by_layer in removals.items()
            if by_layer.get(layer.position)
        ]
        if not cuts or index.missing:
            continue
        progress.start(f"compressing layer {layer.position + 1} without what could go", index.blob_size)
        with (
            image.open_layer(layer) as stream,
            closing(inflated(stream, layer.descriptor, layer.diff_id, progress.advance_to)) as tar,
            _Sums(threads or available_threads()) as sums,
        ):
            _compare(tar, cuts, block_codec(index.compression), sums)
        for name, size in sums.by_name.items():
            savings[name] += size
    return savings


def ranges_of(index: LayerIndex, numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Where the entries with `numbers` lie in the uncompressed layer; the last entry goes on to the end of the layer."""
    ranges: list[tuple[int, int]] = []
    entries = index.entries
    for number in sorted(set(numbers)):
        start = entries[number].start
        end = entries[number + 1].start if number + 1 < len(entries) else index.tar_size
        if ranges and ranges[-1][1] == start:
            ranges[-1] = ranges[-1][0], end
        else:
            ranges.append((start, end))
    return ranges


class _Cut:
    """One layer without some ranges, as far as it has been read."""

    def __init__(self, name: str, ranges: Ranges) -> None:
        self.name = name
        self.before = b""
        """The last bytes that stay."""
        self._ranges = ranges
        self._next = 0

    def apply(self, block: bytes, offset: int) -> bytes:
        """What stays of `block`, which lies at `offset` of the layer; `block` itself if all does."""
        end = offset + len(block)
        kept: list[bytes] = []
        at = offset
        while self._next < len(self._ranges) and self._ranges[self._next][0] < end:
            first, after = self._ranges[self._next]
            kept.append(block[at - offset : max(first, at) - offset])
            at = min(after, end)
            if after > end:
                break
            self._next += 1
        return b"".join(kept) + block[at - offset :] if kept else block


def _compare(tar: Iterable[bytes], cuts: Sequence[_Cut], codec: BlockCodec, sums: _Sums) -> None:
    """Adds to `sums` what each of `cuts` saves. Blocks that are the same with and without cost nothing."""
    before, offset = b"", 0
    for block in reblocked(tar, codec.block):
        after = _tail(before, block, codec.window)
        changed = []
        for cut in cuts:
            kept = cut.apply(block, offset)
            if kept is not block or cut.before != before:
                changed.append(cut.name)
                sums.add((cut.name,), -1, codec, kept, cut.before)
            tail = _tail(cut.before, kept, codec.window)
            cut.before = after if tail == after else tail
        if changed:
            sums.add(changed, 1, codec, block, before)
        before = after
        offset += len(block)


def _tail(before: bytes, block: bytes, window: int) -> bytes:
    return block[-window:] if len(block) >= window else (before + block)[-window:]


class _Sums:
    """Sizes being computed on threads, and their sums by name. Complete when the block is left."""

    def __init__(self, threads: int) -> None:
        self.by_name: dict[str, int] = {}
        self._pool = ThreadPoolExecutor(threads, "exact")
        self._most = 3 * threads
        self._pending: deque[tuple[Sequence[str], int, Future[int]]] = deque()

    def __enter__(self) -> _Sums:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        while kind is None and self._pending:
            self._take()
        self._pool.shutdown(cancel_futures=True)

    def add(self, names: Sequence[str], sign: int, codec: BlockCodec, block: bytes, before: bytes) -> None:
        """Counts the size of `block` to each of `names`, with `sign`."""
        if len(self._pending) >= self._most:
            self._take()
        self._pending.append((names, sign, self._pool.submit(codec.size, block, before)))

    def _take(self) -> None:
        names, sign, future = self._pending.popleft()
        for name in names:
            self.by_name[name] = self.by_name.get(name, 0) + sign * future.result()
