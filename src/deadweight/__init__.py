"""deadweight finds the dead weight in container images.

    from deadweight import analyze, open_image

    with open_image("docker-archive:app.tar") as image:
        analysis = analyze(image)
    print(analysis.classes["deleted"])

Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from deadweight._version import __version__

TYPE_CHECKING = False  # as typing's, without the milliseconds of importing it at every start
if TYPE_CHECKING:
    from deadweight.accounting.analyze import analyze
    from deadweight.accounting.model import Analysis
    from deadweight.budget.check import check
    from deadweight.compare.compare import compare as diff
    from deadweight.copying import copy_image as copy
    from deadweight.errors import DeadweightError
    from deadweight.image import Image, open_image, open_images
    from deadweight.oci.descriptor import Platform
    from deadweight.slimming.removed import removed
    from deadweight.slimming.request import Request as SlimRequest
    from deadweight.slimming.restore import restore
    from deadweight.slimming.slim import slim
    from deadweight.slimming.why import why
    from deadweight.transport.base import Access

_HOMES = {
    "Access": ("deadweight.transport.base", "Access"),
    "Analysis": ("deadweight.accounting.model", "Analysis"),
    "DeadweightError": ("deadweight.errors", "DeadweightError"),
    "Image": ("deadweight.image", "Image"),
    "Platform": ("deadweight.oci.descriptor", "Platform"),
    "SlimRequest": ("deadweight.slimming.request", "Request"),
    "analyze": ("deadweight.accounting.analyze", "analyze"),
    "check": ("deadweight.budget.check", "check"),
    "copy": ("deadweight.copying", "copy_image"),
    "diff": ("deadweight.compare.compare", "compare"),
    "open_image": ("deadweight.image", "open_image"),
    "open_images": ("deadweight.image", "open_images"),
    "removed": ("deadweight.slimming.removed", "removed"),
    "restore": ("deadweight.slimming.restore", "restore"),
    "slim": ("deadweight.slimming.slim", "slim"),
    "why": ("deadweight.slimming.why", "why"),
}

__all__ = [
    "Access",
    "Analysis",
    "DeadweightError",
    "Image",
    "Platform",
    "SlimRequest",
    "__version__",
    "analyze",
    "check",
    "copy",
    "diff",
    "open_image",
    "open_images",
    "removed",
    "restore",
    "slim",
    "why",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    value: object = getattr(import_module(module), attribute)
    return value
