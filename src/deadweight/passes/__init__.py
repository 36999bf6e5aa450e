"""Image to image: what is dead or not wanted is left out of the layers, and package databases say what is left."""

from deadweight.passes.databases.rewrite import Rewritten, kept_whole, rewrite_databases
from deadweight.passes.layers import LayerResult
from deadweight.passes.staying import Kept, everything
from deadweight.passes.write import Written, write_filtered

__all__ = [
    "Kept",
    "LayerResult",
    "Rewritten",
    "Written",
    "everything",
    "kept_whole",
    "rewrite_databases",
    "write_filtered",
]
