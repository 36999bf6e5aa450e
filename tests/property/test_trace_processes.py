"""However processes are scheduled, and whoever is heard of first: each has its own working directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from deadweight.trace import Reader, Use, observe
from deadweight.tree.merge import merge
from layer_stacks import Item, index_of

FOLDERS = ("a", "b")
TREE = merge(
    [
        index_of(
            [
                Item("/".join([one, other, third, "file"]), "f", b"x")
                for one in FOLDERS
                for other in FOLDERS
                for third in FOLDERS
            ]
        )
    ]
).tree


@dataclass(frozen=True)
class Child:
    """What a new process does: it enters folders, looks at what is there, and has children."""

    steps: tuple[str | Child, ...]


CHILDREN: st.SearchStrategy[Child] = st.recursive(
    st.lists(st.sampled_from([*FOLDERS, "..", "."]), max_size=4).map(lambda steps: Child(tuple(steps))),
    lambda inner: st.lists(inner | st.sampled_from([*FOLDERS, ".."]), max_size=5).map(
        lambda steps: Child(tuple(steps))
    ),
    max_leaves=12,
)


def expected(child: Child, current: tuple[str, ...]) -> set[str]:
    """The folders that it and its children look at."""
    found: set[str] = set()
    for step in child.steps:
        if isinstance(step, Child):
            found |= expected(step, current)
            continue
        if step == "..":
            current = current[:-1]
        elif step != ".":
            if len(current) == 3:
                continue
            current = (*current, step)
        found.add("/".join(current))
    return found


class Schedule:
    """Runs processes in the order that `choices` say, and writes the log: calls return when others have spoken."""

    def __init__(self, choices: Sequence[int]) -> None:
        self._choices = list(choices)
        self._next = 1
        self.log = ""
        self._todo: dict[int, list[str | Child]] = {}
        self._depth: dict[int, int] = {}
        self._returning: dict[int, str] = {}

    def run(self, child: Child) -> str:
        self._start(child, 0)
        while self._todo:
            numbers = sorted(self._todo)
            choice = self._choices.pop() if self._choices else 0
            self._step(numbers[choice % len(numbers)], announced=choice % 3 == 0)
        return self.log

    def _start(self, child: Child, depth: int) -> int:
        number = self._next
        self._next += 1
        self._todo[number] = list(child.steps)
        self._depth[number] = depth
        return number

    def _step(self, number: int, *, announced: bool) -> None:
        if number in self._returning:
            self.log += self._returning.pop(number)
            return
        if not self._todo[number]:
            del self._todo[number]
            self.log += f"{number} +++ exited with 0 +++\n"
            return
        step = self._todo[number].pop(0)
        if isinstance(step, Child):
            child = self._start(step, self._depth[number])
            if announced:
                self.log += f"{number} clone(flags=SIGCHLD) = {child}\n"
            else:
                self.log += f"{number} clone(flags=SIGCHLD <unfinished ...>\n"
                self._returning[number] = f"{number} <... clone resumed>) = {child}\n"
            return
        if step == "..":
            self._depth[number] = max(0, self._depth[number] - 1)
        elif step != ".":
            if self._depth[number] == 3:
                return
            self._depth[number] += 1
        self.log += f'{number} chdir("{step}") = 0\n'


@given(CHILDREN, st.lists(st.integers(0, 99), max_size=60))
def test_each_process_is_where_its_parent_was(child: Child, choices: list[int]) -> None:
    log = Schedule(choices).run(child)
    seen = observe(Reader("log").read([log.encode()]), TREE)
    assert set(seen.uses[Use.LOOKED_AT]) == expected(child, ())
