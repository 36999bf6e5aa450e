"""Which programs an image starts, as far as its config and its files say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deadweight.oci.config import Execution
from deadweight.tree.node import LinkLoop, Node, Tree

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What runtimes set where the config sets no PATH."""
SHELLS = frozenset(
    {"sh", "bash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "yash"}
)


def search_path(execution: Execution) -> list[str]:
    """The directories of the config's PATH."""
    return [part for part in execution.environment().get("PATH", DEFAULT_PATH).split(":") if part]


def find_program(tree: Tree, name: str, path: Sequence[str], working_dir: str = "/") -> Node | None:
    """The file that starting `name` would start: through `path` unless it has a slash. None where there is none."""
    places = (
        [name if name.startswith("/") else f"{working_dir}/{name}"]
        if "/" in name
        else [f"{d}/{name}" for d in path]
    )
    for place in places:
        try:
            node = tree.resolve(place)
        except LinkLoop:
            continue
        if node is not None and node.is_file:
            return node
    return None


def started(execution: Execution) -> Iterator[Sequence[str]]:
    """The commands that the config starts: entrypoint with command, and the health check."""
    command = [*execution.entrypoint, *execution.cmd]
    if command:
        yield command
    check = list(execution.healthcheck)
    if check[:1] == ["CMD"]:
        yield check[1:]
    elif check[:1] == ["CMD-SHELL"]:
        yield [*(execution.shell or ("/bin/sh", "-c")), *check[1:]]
