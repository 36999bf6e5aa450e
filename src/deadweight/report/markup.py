"""HTML that is safe by construction: what is not `Html` is escaped, and all text is made printable first."""

from __future__ import annotations

from html import escape

from deadweight.report.units import printable


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, *children: str | None, **attributes: str | int | None) -> Html:
    """The element `name`; children and attributes that are None are left out.

    ``class_`` stands for ``class``, ``data_x`` for ``data-x``.
    """
    opened = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{opened}>{fragment(*children)}</{name}>")


def fragment(*children: str | None) -> Html:
    """`children` one after the other."""
    return Html(
        "".join(
            child if isinstance(child, Html) else escape(printable(child))
            for child in children
            if child is not None
        )
    )
