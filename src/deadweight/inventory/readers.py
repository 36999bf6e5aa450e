"""The readers, in the order in which they may claim a path: system packages before a language's."""

from __future__ import annotations

from deadweight.inventory.apk import ApkReader
from deadweight.inventory.dpkg import DpkgReader
from deadweight.inventory.reader import Reader
from deadweight.inventory.rpm.reader import RpmReader

READERS: tuple[Reader, ...] = (ApkReader(), DpkgReader(), RpmReader())
