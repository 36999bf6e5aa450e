"""Scenes for closures: small images written down file by file, indexed for real, with their contents at hand."""

from __future__ import annotations

import json
from collections.abc import Sequence

from deadweight.accounting.analyze import analysis_collectors
from deadweight.evidence.closures import Closure
from deadweight.evidence.model import Claim, Evidence
from deadweight.evidence.scene import Scene
from deadweight.evidence.walk import gather
from deadweight.inventory.reader import Facts
from deadweight.inventory.take import take_inventory
from deadweight.oci.config import Execution, parse_config
from deadweight.oci.manifest import Document
from deadweight.tree.merge import merge
from deadweight.tree.node import Node
from language_samples import index_with
from layers_by_hand import Member, tar_of


class Given:
    """Contents by digest, from memory."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._contents = {member.path: member.content for member in members}

    def read(self, node: Node, limit: int) -> bytes | None:
        return self._contents[node.entry.path][:limit]


def scene_of(*members: Member, **config: object) -> Scene:
    """The scene of an image with one layer of `members`; `config` has Docker's names, such as ``Entrypoint``."""
    layer = index_with(tar_of(members), analysis_collectors())
    tree = merge([layer]).tree
    facts = Facts(tree, [layer])
    return Scene(tree, facts, take_inventory(tree, facts), execution_of(**config), Given(members))


def execution_of(**config: object) -> Execution:
    """What an image's config says of how it starts."""
    value = {"architecture": "amd64", "os": "linux", "config": config}
    return parse_config(Document.of(json.dumps(value).encode(), "")).execution


def needed(scene: Scene, roots: Sequence[str], *closures: Closure) -> Evidence:
    """What is needed for `roots`."""
    return gather(scene, [Claim(path, "root", "the test says so") for path in roots], closures)
