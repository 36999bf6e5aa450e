"""Copying images between transports, as they are or with their layers compressed anew."""

from deadweight.copying.copier import ALL, copy, copy_image
from deadweight.copying.export import Export, export_image
from deadweight.copying.result import CopyResult, LayerCopy

__all__ = ["ALL", "CopyResult", "Export", "LayerCopy", "copy", "copy_image", "export_image"]
