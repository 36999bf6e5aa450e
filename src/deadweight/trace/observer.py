"""From the calls of a run to what it did with the paths of an image.

What others than the image's processes do, as who makes the sandbox, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from deadweight.errors import LimitExceeded
from deadweight.trace.calls import KINDS, Does
from deadweight.trace.observed import Observed, Use, observed
from deadweight.trace.processes import Process, Processes
from deadweight.trace.strace import Call, Event, Place
from deadweight.trace.view import Found, Spot, View
from deadweight.tree.node import Tree

MAX_ASKED = 1_000_000
"""The most paths that a run may ask for in vain, and the most that it may make."""
_MAX_CACHED = 100_000


class Observer:
    """Takes the events of one run in `tree`.

    With a `mount`, the image's root is that folder for strace, and the image's program is what is executed by the process
    that makes it its root; all before is not evidence. Without one, all is.
    """

    def __init__(self, tree: Tree, mount: str = "") -> None:
        self._view = View(tree)
        self._mount = mount
        self._uses: dict[Use, dict[str, str]] = {use: {} for use in Use}
        self._processes = Processes(self._view.root, inside=not mount)
        self._cache: dict[tuple[Spot, Spot, str, bool], Found] = {}
        self._cached_at = 0
        does: Mapping[Does, Callable[[Process, Call], None]] = {
            Does.LOOK: self._look,
            Does.OPEN: self._open,
            Does.EXECUTE: self._execute,
            Does.LIST: self._list,
            Does.ENTER: self._enter,
            Does.CHANGE_ROOT: self._change_root,
            Does.MAKE: self._make,
            Does.MAKE_LINK: self._make,
            Does.REMOVE: self._remove,
            Does.RENAME: self._rename,
            Does.LINK: self._rename,
        }
        self._do = {kind.name: does[kind.does] for kind in KINDS.values() if kind.does in does}

    def take(self, events: Iterable[Event]) -> None:
        """Takes the next events. Raises `LimitExceeded` for a run that makes too much, or asks for too much that is not there."""
        self._take(self._processes.take(events))

    def finish(self) -> Observed:
        """What was observed until now."""
        self._take(self._processes.finish())
        return observed(self._uses)

    def _take(self, calls: Iterator[tuple[Process, Call]]) -> None:
        for process, call in calls:
            if process.begun or call.kind.does in _BEFORE:
                self._do[call.kind.name](process, call)

    # Where processes are

    def _change_root(self, process: Process, call: Call) -> None:
        if call.error:
            return
        path = call.places[0].path
        if process.places.root is None:
            if path == self._mount:
                process.places.root = process.places.current = self._view.root
            return
        found = self._find(process, call, 0)
        if found is not None and found.spot is not None:
            self._see(process, found, Use.LOOKED_AT)
            process.places.root = found.spot

    def _enter(self, process: Process, call: Call) -> None:
        if process.places.root is None:
            return
        if call.error:
            if process.begun:
                self._fail(process, call)
            return
        found = self._find(process, call, 0)
        process.places.current = found.spot if found is not None else None
        if found is not None and process.begun:
            self._see(process, found, Use.LOOKED_AT)

    # What is looked up

    def _look(self, process: Process, call: Call) -> None:
        if not call.places[0].path:
            return  # of a descriptor, or no path
        if call.error:
            self._fail(process, call)
            return
        found = self._find(process, call, 0)
        if found is not None:
            self._see(process, found, Use.LOOKED_AT)

    def _list(self, process: Process, call: Call) -> None:
        found = self._find(process, call, 0)
        if found is not None and not call.error:
            self._see(process, found, Use.LISTED)

    def _open(self, process: Process, call: Call) -> None:
        if call.error:
            self._fail(process, call)
            return
        found = self._find(process, call, 0)
        use = Use.LOOKED_AT if "O_PATH" in call.flags else Use.OPENED
        if found is not None:
            self._see(process, found, use)
            if found.spot is None and ("O_CREAT" in call.flags or call.kind.name == "creat"):
                self._created(process, found)
        if call.opened is not None:  # through /proc, or where the view errs
            opened = self._named(call.opened)
            if (
                opened is not None
                and opened.spot is not None
                and (found is None or found.spot is not opened.spot)
            ):
                self._see(process, opened, use)

    def _execute(self, process: Process, call: Call) -> None:
        if process.places.root is None:
            return
        if call.error:
            if process.begun:
                self._fail(process, call)
            return
        if not process.begun:
            process.begun = True
            if process.places.current is not None:
                self._use(process, process.places.current, Use.LOOKED_AT)
        found = self._find(process, call, 0)
        if found is not None:
            self._see(process, found, Use.EXECUTED)
        if found is not None and found.spot is not None:
            process.program = found.spot.path
        elif call.places[0].path != "/proc/self/exe":
            process.program = ""

    # What is changed

    def _make(self, process: Process, call: Call) -> None:
        if call.error:
            self._fail(process, call)
            return
        found = self._find(process, call, len(call.places) - 1)
        if found is not None and found.name:
            if found.spot is not None:  # the view errs: there was nothing
                self._view.remove(found.spot)
            self._created(process, found, call.places[0].path if call.kind.does is Does.MAKE_LINK else None)

    def _remove(self, process: Process, call: Call) -> None:
        if call.error:
            self._fail(process, call)
            return
        found = self._find(process, call, 0)
        if found is not None:
            self._see(process, found, Use.LOOKED_AT)
            if found.spot is not None:
                self._view.remove(found.spot)

    def _rename(self, process: Process, call: Call) -> None:
        if call.error:
            self._fail(process, call)
            return
        source, target = self._find(process, call, 0), self._find(process, call, 1, follows=False)
        if source is not None:
            self._see(process, source, Use.LOOKED_AT)
        if target is None or not target.name or target.foreign:
            return
        self._see_links(process, target)
        self._use(process, target.parent, Use.LOOKED_AT)
        if source is None or source.spot is None:
            self._created(process, target)  # of what the view does not know
        elif "RENAME_EXCHANGE" in call.flags and target.spot is not None:
            self._use(process, target.spot, Use.LOOKED_AT)
            self._view.exchange(source.spot, target.spot)
        elif call.kind.does is Does.LINK:
            self._name(process, self._view.link(source.spot, target.parent, target.name))
        else:
            self._view.rename(source.spot, target.parent, target.name)
            self._name(process, source.spot)

    def _created(self, process: Process, found: Found, link: str | None = None) -> None:
        if not found.name or found.foreign:
            return
        self._see_links(process, found)
        self._use(process, found.parent, Use.LOOKED_AT)
        self._name(process, self._view.make(found.parent, found.name, link))

    def _name(self, process: Process, spot: Spot) -> None:
        self._enter_path(Use.CREATED, spot.path, process)

    # Paths

    def _find(
        self, process: Process, call: Call, number: int, *, follows: bool | None = None
    ) -> Found | None:
        """Where a path of `call` leads; None where that cannot be known."""
        place = call.places[number]
        return self._place(process, place, _follows(call) if follows is None else follows)

    def _place(self, process: Process, place: Place, follows: bool) -> Found | None:
        base, path = place
        root = process.places.root or self._view.root
        if path is None:
            return None
        if path[:1] == "/":
            return self._cached(root, root, path, follows)
        start = process.places.current
        if base != "":
            named = self._named(base) if base is not None else None
            if named is not None and named.foreign:
                return named
            start = named.spot if named is not None else None
        return self._cached(start, root, path, follows) if start is not None else None

    def _named(self, path: str) -> Found | None:
        """What strace calls `path`."""
        if self._mount:
            if path != self._mount and not path.startswith(self._mount + "/"):
                return None
            path = path[len(self._mount) :] or "/"
        return self._cached(self._view.root, self._view.root, path, True)

    def _cached(self, start: Spot, root: Spot, path: str, follows: bool) -> Found:
        if self._cached_at != self._view.changes or len(self._cache) > _MAX_CACHED:
            self._cache.clear()
            self._cached_at = self._view.changes
        key = (start, root, path, follows)
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = self._view.find(path, start, root, follows=follows)
        return found

    def _fail(self, process: Process, call: Call) -> None:
        """A path that is not there is missing. Any other error says that something is."""
        if call.error.startswith("ERESTART"):
            return
        text = call.kind.does is Does.MAKE_LINK
        for number in range(text, len(call.places)):
            found = self._find(process, call, number)
            if found is None:
                continue
            self._see_links(process, found)
            if found.foreign:
                continue
            if found.spot is not None or call.error != "ENOENT":
                self._use(process, found.spot or found.parent, Use.LOOKED_AT)
            elif not found.removed and found.parent.node is not None and not (number > text and found.name):
                self._enter_path(Use.MISSING, self._asked(process, call.places[number]), process)

    def _asked(self, process: Process, place: Place) -> str:
        path = place.path or ""
        if path.startswith("/"):
            return path
        base = process.places.current.path if process.places.current is not None else "/"
        if place.base:
            base = place.base[len(self._mount) :] or "/"
        return f"{base.rstrip('/')}/{path}"

    def _see(self, process: Process, found: Found, use: Use) -> None:
        self._see_links(process, found)
        if found.spot is not None:
            self._use(process, found.spot, use)

    def _see_links(self, process: Process, found: Found) -> None:
        for link in found.links:
            self._use(process, link, Use.FOLLOWED)

    def _use(self, process: Process, spot: Spot, use: Use) -> None:
        if spot.node is not None:
            self._uses[use].setdefault(spot.node.path, process.program)

    def _enter_path(self, use: Use, path: str, process: Process) -> None:
        paths = self._uses[use]
        if path not in paths:
            if len(paths) >= MAX_ASKED:
                raise LimitExceeded("the trace", f"more than {MAX_ASKED} paths are {use.value}")
            paths[path] = process.program


_BEFORE = frozenset({Does.CHANGE_ROOT, Does.ENTER, Does.EXECUTE})
"""What counts before the image's program has begun."""


def _follows(call: Call) -> bool:
    flags = call.flags
    if "FOLLOW" in flags:
        return "NOFOLLOW" not in flags and "DONT_FOLLOW" not in flags
    return call.kind.follows and not ("O_EXCL" in flags and "O_CREAT" in flags)


def observe(events: Iterable[Event], tree: Tree, mount: str = "") -> Observed:
    """What the run with these events did in `tree`; see `Observer`."""
    observer = Observer(tree, mount)
    observer.take(events)
    return observer.finish()
