"""Which layers of an image are those of its base."""

from __future__ import annotations

from deadweight.errors import InvalidReference, NotFound, TransportError, UsageError
from deadweight.image import AS_DOCKER_WOULD, Image, open_image
from deadweight.transport.base import Access


def base_layers(image: Image, base: str, access: Access = AS_DOCKER_WOULD) -> int:
    """How many layers `base` stands for: a number, or an image that has them too, from the lowest on.

    Raises `UsageError` where that cannot be, and what else `open_image` raises.
    """
    if base.isascii() and base.isdigit():
        if int(base) > len(image.layers):
            problem = f"is more than the {len(image.layers)} layers of {image.reference}"
            raise UsageError(f"--keep-base {base}", problem, "name fewer")
        return int(base)
    subject = f"--keep-base {base}"
    try:
        with open_image(base, image.platform, access) as other:
            below = [layer.diff_id for layer in other.layers]
    except (InvalidReference, NotFound, TransportError) as error:
        raise UsageError(subject, f"is no number, and no image that can be read: {error}") from None
    if below != [layer.diff_id for layer in image.layers[: len(below)]]:
        remedy = "was it built on another version? name the number of layers"
        raise UsageError(subject, f"is no base of {image.reference}", remedy)
    return len(below)
