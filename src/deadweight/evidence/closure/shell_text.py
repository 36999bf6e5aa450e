"""Shell text, parsed: the commands that it has, with the words that are known before it runs.

A word has several values where a variable in it is assigned several; what is not known of a word is `UNKNOWN`. The order in
which things happen is not looked at: a value that is assigned anywhere may be there anywhere. Sources: POSIX.1-2024, "Shell
Command Language"; bash(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

UNKNOWN = "\0"
"""Stands in a value for what only a run tells."""
SELF = "\1"
"""Stands at the beginning of a value for the path of the script."""
HERE = "\2"
"""The same for the directory of the script."""
MAX_TEXT = 256 << 10
"""The most bytes that are parsed."""
MAX_VALUES = 64
"""The most values of one word."""
MAX_LOOKED_AT = 200_000
"""The most values of all words of one text."""
MAX_WORDS = 4096
"""The most words of one command."""
_MAX_VALUE = 4096
_MAX_COMPOUND = 16 << 10
_MAX_ABOVE = 4
_MAX_DEPTH = 24

Word = tuple[str, ...]
"""The values that a word may have; none are known where it is empty."""


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command."""

    words: tuple[Word, ...]
    """Its name and arguments. Where a variable that is not quoted holds several words, all of them."""
    heredoc: str = ""
    """The text that it reads, in a here-document or from one through a pipe."""


@dataclass(frozen=True, slots=True)
class ShellText:
    """What was read of a text."""

    commands: tuple[Command, ...]
    """In the order of the text, those in substitutions included."""
    functions: frozenset[str]
    values: tuple[str, ...]
    """What words that are no arguments of commands may be: those of assignments, redirections, loops and tests."""
    texts: tuple[str, ...]
    """What stands in quotes and here-documents: it may be a text in another language."""
    broken: bool
    """Whether a part of it is no shell text, or cannot be parsed."""


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def parse(text: str, environment: Mapping[str, str] | None = None) -> ShellText:
    """The commands of `text`, of at most `MAX_TEXT` bytes, where the variables of `environment` have a value already."""
    raw = text.encode("utf-8", "surrogateescape")
    if len(raw) > MAX_TEXT:
        return ShellText((), frozenset(), (), (), broken=True)
    return _Reader(raw, _parser().parse(raw).root_node, environment or {}).read()


_LITERALS = frozenset({"word", "number", "string_content", "heredoc_content", "extglob_pattern", "regex"})
_WORDS = frozenset(
    {"word", "number", "string", "raw_string", "ansi_c_string", "translated_string", "concatenation"}
    | {"simple_expansion", "expansion", "command_substitution"}
)
_PLAIN = frozenset({*_LITERALS, "raw_string", "ansi_c_string"})
_BLOCKS = frozenset({"program", "compound_statement", "do_group", "subshell"})
_DEFAULTS = frozenset({":-", "-", ":=", "="})
_ALTERNATIVES = frozenset({":+", "+"})
_PRINTING = frozenset({"echo", "printf", "which", "type", "command", "readlink", "realpath"})
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SUBSCRIPT = re.compile(r"^\[[^\]]*\]=")
_SELF = frozenset({"0", "BASH_SOURCE"})


class _Reader:
    """Reads one text."""

    def __init__(self, raw: bytes, root: Node, environment: Mapping[str, str]) -> None:
        self._raw = raw
        self._root = root
        self._environment = environment
        self._assigned: dict[str, list[Node]] = {}
        self._known: dict[str, Word] = {}
        self._open: set[str] = set()
        self._elements: dict[str, Sequence[Node]] = {}
        self._heredocs: dict[int, str] = {}
        self._left = MAX_LOOKED_AT

    def read(self) -> ShellText:
        commands: list[tuple[Node, _Place]] = []
        words: list[Node] = []
        texts: list[str] = []
        functions: set[str] = set()
        for place in _places(self._root):
            node = place.node
            kind = node.type
            if kind == "command":
                commands.append((node, place))
            elif kind == "variable_assignment":
                self._assign(node)
            elif kind == "for_statement":
                self._note(node.child_by_field_name("variable"), node.children_by_field_name("value"))
            elif kind == "function_definition":
                functions.add(_text(node.child_by_field_name("name")))
            elif kind == "heredoc_body":
                self._heredoc_at(place)
            if kind in _WORDS and place.above is not None and place.above.node.type not in _INNER:
                words.append(node)
            if _is_text(node):
                texts.append(_text(node))
        found = [one for node, place in commands for one in self._command(node, place)]
        values = {value for node in words for value in self._word(node)}
        broken = self._root.has_error or self._left < 0
        return ShellText(tuple(found), frozenset(functions), tuple(sorted(values)), tuple(texts), broken)

    def _heredoc_at(self, place: _Place) -> None:
        for above in place.ancestors():
            if above.type == "redirected_statement":
                self._heredocs.setdefault(above.id, _text(place.node))
                return

    def _heredoc_of(self, place: _Place) -> str:
        """What a command reads from a here-document: its own, or that of another through a pipe."""
        for above in place.ancestors():
            if above.type in _BLOCKS:
                return ""
            if above.id in self._heredocs:
                return self._heredocs[above.id]
        return ""

    def _assign(self, node: Node) -> None:
        value = node.child_by_field_name("value")
        name = node.child_by_field_name("name")
        if name is not None and name.type == "subscript":
            name = name.child_by_field_name("name")
        self._note(name, [] if value is None else [value])

    def _note(self, name: Node | None, values: Iterable[Node]) -> None:
        self._assigned.setdefault(_text(name), []).extend(values)

    def _command(self, node: Node, place: _Place) -> Iterator[Command]:
        name = node.child_by_field_name("name")
        if name is None or not name.children:
            return
        words = self._words(name.children[0])
        for argument in node.children_by_field_name("argument"):
            if len(words) >= MAX_WORDS:
                self._left = -1
                break
            words += self._words(argument)
        yield Command(tuple(words), self._heredoc_of(place))

    def _words(self, node: Node) -> list[Word]:
        """The words that `node` becomes: several where it is an array, or a variable without quotes that has spaces."""
        elements = self._elements_of(_variable(node))
        if elements:
            return [self._word(element) for element in (elements if self._left > 0 else ())]
        found = self._word(node)
        if node.type in ("simple_expansion", "expansion") and any(" " in value for value in found):
            split = [value.split() for value in found]
            return [tuple(dict.fromkeys(part for part in parts if part)) for parts in _zip(split)]
        return [found]

    def _elements_of(self, name: str) -> Sequence[Node]:
        """The first words of the arrays that are assigned to the variable `name`."""
        if name not in self._elements:
            arrays = [value for value in self._assigned.get(name, ()) if value.type == "array"]
            words = (one for array in arrays for one in array.named_children if one.type in _WORDS)
            self._elements[name] = list(islice(words, MAX_VALUES))
        return self._elements[name]

    def _word(self, node: Node) -> Word:
        """The values of a word; the first one alone once too many were looked at."""
        found = self._value(node, 0)
        self._left -= len(found)
        return found if self._left > 0 else found[:1]

    def _value(self, node: Node, depth: int) -> Word:
        kind = node.type
        if depth > _MAX_DEPTH or (kind not in _PLAIN and node.end_byte - node.start_byte > _MAX_COMPOUND):
            return (UNKNOWN,)
        if kind in _LITERALS:
            text = _text(node)
            return (_ESCAPED.sub(r"\1", text) if "\\" in text else text,)
        if kind == "raw_string":
            return (_text(node)[1:-1],)
        if kind == "ansi_c_string":
            return (_text(node)[2:-1],)
        if kind in ("string", "translated_string", "concatenation", "command_name"):
            return self._joined(node, depth)
        if kind == "simple_expansion":
            return self._variable(_text(node).lstrip("$"), depth)
        if kind == "expansion":
            return self._expansion(node, depth)
        if kind == "command_substitution":
            return self._substitution(node, depth)
        return (UNKNOWN,)

    def _joined(self, node: Node, depth: int) -> Word:
        """What the parts of `node` are together, with what stands between them."""
        found: Word = ("",)
        at = node.start_byte
        for child in node.children:
            between = self._raw[at : child.start_byte].decode("utf-8", "surrogateescape")
            at = child.end_byte
            quote = child.type in ('"', '$"')
            values = ("",) if quote else self._value(child, depth + 1)
            found = _product(found, tuple(between + value for value in values))
        return found

    def _variable(self, name: str, depth: int) -> Word:
        if name in _SELF:
            return (SELF,)
        if name in self._known:
            return self._known[name]
        if name in self._open:
            return (UNKNOWN,)
        self._open.add(name)
        found = [self._environment[name]] if name in self._environment else []
        for node in self._assigned.get(name, ()):
            if node.type == "array":
                for element in node.named_children:
                    found += (_SUBSCRIPT.sub("", value) for value in self._value(element, depth + 1))
            else:
                found += self._value(node, depth + 1)
        self._open.discard(name)
        values = _limited(found) or (UNKNOWN,)
        self._known[name] = values
        return values

    def _expansion(self, node: Node, depth: int) -> Word:
        """``${NAME}``, ``${NAME:-WORD}`` and the like."""
        name = _variable(node)
        named = self._variable(name, depth) if name else (UNKNOWN,)
        operator, others = "", []
        for child in node.children:
            if child.type in ("variable_name", "special_variable_name", "subscript", "${", "}"):
                continue
            if not operator and not child.is_named:
                operator = child.type
            elif child.is_named:
                others.append(child)
        if not operator:
            return named
        if operator in _DEFAULTS or operator in _ALTERNATIVES:
            found: Word = ("",)
            for other in others:
                found = _product(found, self._value(other, depth + 1))
            kept = named if operator in _DEFAULTS else ("",)
            return _limited([*kept, *found])
        rest = _text(node).partition(operator)[2].rstrip("}")
        if operator in ("%", "%%") and rest in ("/*", "/*/"):
            return tuple(map(_directory, named))
        if operator in ("#", "##") and rest == "*/":
            return tuple(
                value.rpartition("/")[2] if value not in (SELF, HERE) else UNKNOWN for value in named
            )
        return (UNKNOWN,)

    def _substitution(self, node: Node, depth: int) -> Word:
        """What a command that only speaks of paths says, and what one prints that says what it is told."""
        commands = [child for child in _walk(node, into=_SUBSTITUTED) if child.type == "command"]
        if not commands:
            return (UNKNOWN,)
        name = _text(commands[0].child_by_field_name("name")).rpartition("/")[2]
        arguments = commands[0].children_by_field_name("argument")
        told = [one for one in arguments if self._raw[one.start_byte : one.start_byte + 1] != b"-"]
        if not told or (len(commands) > 1 and name != "cd"):
            return (UNKNOWN,)
        values = self._value(told[-1], depth + 1)
        if name == "dirname":
            return tuple(map(_directory, values))
        if name == "cd" or (name in _PRINTING and (len(told) == 1 or name == "printf")):
            return values
        if name == "basename":
            return tuple(
                value.rpartition("/")[2] if value not in (SELF, HERE) else UNKNOWN for value in values
            )
        return (UNKNOWN,)


_SUBSTITUTED = frozenset({"command_substitution", "list", "redirected_statement", "pipeline"})
_INNER = frozenset(
    {"string", "concatenation", "command", "command_name", "expansion", "array", "heredoc_body"}
)


class _Place(NamedTuple):
    """A node, and where it is. (Asking a node for its parent takes a search from the root on.)"""

    node: Node
    above: _Place | None

    def ancestors(self) -> Iterator[Node]:
        """The nearest nodes above."""
        place = self.above
        for _ in range(_MAX_ABOVE):
            if place is None:
                return
            yield place.node
            place = place.above


def _places(root: Node) -> Iterator[_Place]:
    """`root` and all below it, in the order of the text."""
    stack = [_Place(root, None)]
    while stack:
        place = stack.pop()
        yield place
        stack.extend(_Place(child, place) for child in reversed(place.node.children))


def _walk(root: Node, into: frozenset[str]) -> Iterator[Node]:
    """`root` and what is below it, in the order of the text, but only below nodes of the kinds `into`."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if node.type in into:
            stack.extend(reversed(node.children))


def _is_text(node: Node) -> bool:
    return node.type in ("raw_string", "heredoc_body") or (
        node.type == "string_content" and b" " in _bytes(node)
    )


def _bytes(node: Node) -> bytes:
    return node.text or b""


def _text(node: Node | None) -> str:
    return "" if node is None else _bytes(node).decode("utf-8", "surrogateescape")


def _variable(node: Node) -> str:
    """The variable that `node` is nothing but the value of; empty for none."""
    while node.type == "string" and len(node.named_children) == 1:
        node = node.named_children[0]
    if node.type not in ("simple_expansion", "expansion"):
        return ""
    for child in node.named_children:
        if child.type == "subscript":
            child = child.child_by_field_name("name") or child
        if child.type in ("variable_name", "special_variable_name"):
            return _text(child)
    return ""


def _directory(path: str) -> str:
    if path == SELF:
        return HERE
    if path == HERE:
        return f"{HERE}/.."
    above, slash, _ = path.rpartition("/")
    return above or slash or "."


def _product(first: Word, second: Word) -> Word:
    return _limited(one + other for one in first for other in second)


def _limited(values: Iterable[str]) -> Word:
    found: dict[str, None] = {}
    for value in values:
        if len(found) >= MAX_VALUES:
            break
        found[value if len(value) <= _MAX_VALUE else UNKNOWN] = None
    return tuple(found)


def _zip(split: list[list[str]]) -> Iterator[list[str]]:
    """The first words of all, then the second words of all, and so on."""
    for at in range(min(max(map(len, split)), 256)):
        yield [words[at] for words in split if at < len(words)]
