"""deadweight finds the dead weight in container images."""

from deadweight._version import __version__

__all__ = ["__version__"]
