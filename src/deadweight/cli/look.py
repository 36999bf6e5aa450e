"""``deadweight ls``, ``cat`` and ``tree``: look inside without running or unpacking anything."""

from __future__ import annotations

import argparse

from deadweight.cli.command import Command, add_access, add_platform, whole_number


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE")
    parser.add_argument("path", metavar="PATH", nargs="?", default="/", help="in the image (default: /)")
    add_platform(parser)
    add_access(parser)


def _add_tree_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-L", "--depth", type=whole_number(0), default=3, metavar="N", help="levels to show (default: 3)"
    )
    _add_arguments(parser)


def _add_cat_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE")
    parser.add_argument("path", metavar="PATH", help="a file in the image")
    add_platform(parser)
    add_access(parser)


def _ls(options: argparse.Namespace) -> int:
    from deadweight.cli.looking import ls

    return ls(options)


def _cat(options: argparse.Namespace) -> int:
    from deadweight.cli.looking import cat

    return cat(options)


def _tree(options: argparse.Namespace) -> int:
    from deadweight.cli.looking import tree

    return tree(options)


LS = Command(
    "ls",
    "list a directory of an image",
    "Lists a directory of the merged file system of IMAGE: mode, owner, bytes, time (UTC), name.",
    "example: deadweight ls oci:app /usr/lib",
    _add_arguments,
    _ls,
)
CAT = Command(
    "cat",
    "print a file of an image",
    "Writes one file of the merged file system of IMAGE to standard output, byte for byte.",
    "example: deadweight cat oci:app /etc/os-release",
    _add_cat_arguments,
    _cat,
)
TREE = Command(
    "tree",
    "show directories with their sizes",
    "Shows what is below PATH with unpacked sizes, largest first; several names of one file count once.",
    "example: deadweight tree -L 2 oci:app /usr",
    _add_tree_arguments,
    _tree,
)
