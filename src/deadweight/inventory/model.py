"""Packages and the paths that they own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

APK = "apk"
DEB = "deb"
RPM = "rpm"
PYTHON = "python"
NPM = "npm"
GO = "go"
JAVA = "java"
GEM = "gem"


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package, as its database or metadata describes it."""

    ecosystem: str
    """`APK`, `DEB`, `RPM`, `PYTHON`, `NPM`, `GO`, `JAVA` or `GEM`: the type in its package URL."""
    name: str
    version: str
    source: str
    """Path in the image of the database or metadata file that describes it."""
    paths: tuple[str, ...] = ()
    """Files of the merged tree that it owns: real paths (links in parents resolved), sorted, only those that exist."""
    architecture: str = ""
    origin: str = ""
    """The source package that it was built from."""
    license: str = ""
    requires: tuple[tuple[str, ...], ...] = ()
    """What must be installed with it: each requirement as its alternatives, by name or by what is provided."""
    provides: tuple[str, ...] = ()
    """Further names that satisfy requirements, such as virtual packages and ``so:`` names."""
    essential: bool = False
    """The distribution says that the system needs it (dpkg's Essential)."""
    wanted: bool | None = None
    """Whether it was asked for by name (apk's world; dpkg packages that apt did not mark as automatic) or only pulled
    in by others. None where nothing records it. Evidence for findings of unused packages."""
    install_if: tuple[str, ...] = ()
    """It is pulled in wherever all of these are installed (apk)."""
    removed: bool = False
    """It was removed, and only its configuration files are left (dpkg's config-files)."""

    @property
    def label(self) -> str:
        """``ecosystem:name`` as reports show it."""
        return f"{self.ecosystem}:{self.name}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """All packages of an image, sorted by ecosystem, name and version."""

    packages: tuple[Package, ...]
    """Those that are installed: a removed package may be an owner, but is not one of them."""
    owners: Mapping[str, Package]
    """Path -> its owner. A system package (apk, deb, rpm) goes before a language's."""
    distribution: str = ""
    """PRETTY_NAME of os-release, else empty."""
    problems: tuple[str, ...] = ()
    """Databases that could not be read, each with the reason."""
