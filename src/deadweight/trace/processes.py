"""The processes and threads of a run: which is whose child, and what children have from their parents."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from deadweight.trace.calls import Does
from deadweight.trace.strace import Call, Ended, Event, Forking
from deadweight.trace.view import Spot

_MAX_HELD = 10_000
"""The most events that wait until it is known whose child a process is."""


class Places:
    """Root and working directory, None where they are not known. Threads share them, and processes may (CLONE_FS)."""

    __slots__ = ("current", "root")

    def __init__(self, root: Spot | None, current: Spot | None) -> None:
        self.root = root
        self.current = current


class Process:
    """A process or a thread. Without a root it is not in the image; before it has `begun` it is not the image's.

    `program` is the path of what it executes, from the root; empty where that is not known.
    """

    __slots__ = ("begun", "places", "program")

    def __init__(self, places: Places, *, begun: bool, program: str = "") -> None:
        self.places = places
        self.begun = begun
        self.program = program


class Processes:
    """Those of one run by their numbers, for as long as they are there.

    With `inside` they are the image's from the start, and `root` is their root; else the first is not in the image.
    """

    def __init__(self, root: Spot, *, inside: bool) -> None:
        self._root = root
        self._inside = inside
        self._known: dict[int, Process] = {}
        self._forking: dict[int, str] = {}
        """Those whose child is still to come, and with which flags."""
        self._born: set[int] = set()
        """Those whose child came before the call returned."""
        self._held: dict[int, list[Event]] = {}
        self._count_held = 0
        self._ready: deque[Event] = deque()

    def take(self, events: Iterable[Event]) -> Iterator[tuple[Process, Call]]:
        """The calls that can be attributed now, in order; those of a process whose parent is not known yet wait."""
        for event in events:
            process = self._known.get(event.process) or self._meet(event)
            if process is not None:
                if self._counts(event, process):
                    yield process, event
                if self._ready:
                    yield from self._waited()

    def finish(self) -> Iterator[tuple[Process, Call]]:
        """The calls that still waited."""
        while self._held:
            self._adopt(min(self._held), min(self._forking, default=-1))
            yield from self._waited()

    def _waited(self) -> Iterator[tuple[Process, Call]]:
        while self._ready:
            event = self._ready.popleft()
            process = self._known.get(event.process) or self._meet(event)
            if process is not None and self._counts(event, process):
                yield process, event

    def _counts(self, event: Event, process: Process) -> TypeGuard[Call]:
        """Whether `event` is a call about paths; what is about processes is done here."""
        if isinstance(event, Call):
            does = event.kind.does
            if does is Does.FORK:
                self._fork(event)
            elif does is not Does.UNSHARE:
                return True
            elif not event.error:
                process.places = Places(process.places.root, process.places.current)
        elif isinstance(event, Forking):
            self._forking[event.process] = event.flags
        else:
            self._forking.pop(event.process, None)
            self._born.discard(event.process)
            del self._known[event.process]
        return False

    def _meet(self, event: Event) -> Process | None:
        """The process of `event`, of which nothing was known yet; None where it waits, or has ended.

        A child may be heard of before the call that started it returns. Where one such call is under way, it is that one's.
        """
        number = event.process
        if number not in self._held:
            if isinstance(event, Ended):
                return None
            if len(self._forking) <= 1:
                return self._adopt(number, next(iter(self._forking), -1))
        self._held.setdefault(number, []).append(event)
        self._count_held += 1
        if self._count_held > _MAX_HELD:
            self._adopt(min(self._held), min(self._forking, default=-1))
        return None

    def _adopt(self, number: int, parent: int, flags: str | None = None) -> Process:
        """Enters the child of `parent`; what waited for that is ready."""
        if flags is None:
            flags = self._forking.pop(parent, "")
            self._born.add(parent)
        above = self._known.get(parent)
        if above is not None:
            places = above.places
            if "CLONE_FS" not in flags:
                places = Places(places.root, places.current)
            child = Process(places, begun=above.begun, program=above.program)
        elif self._inside or self._known:
            # Where its parent was killed before that was written, it is the image's: who makes the sandbox is not.
            child = Process(Places(self._root, self._root if self._inside else None), begun=True)
        else:
            child = Process(Places(None, None), begun=False)
        self._known[number] = child
        held = self._held.pop(number, [])
        self._count_held -= len(held)
        self._ready.extendleft(reversed(held))
        return child

    def _fork(self, call: Call) -> None:
        self._forking.pop(call.process, None)
        if call.process in self._born:
            self._born.discard(
                call.process
            )  # nor may the number be strace's, where that child has ended already
        elif call.result is not None and not call.error and call.result not in self._known:
            self._adopt(call.result, call.process, call.flags)
