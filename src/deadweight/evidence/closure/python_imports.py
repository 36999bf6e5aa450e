"""What the source of a Python module imports, as far as it says: statements, calls by constant names, names in strings.

`glance` finds, in a fraction of the time, more than `read` ever will: enough to tell that there is nothing new in a file.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MAX_PARSED = 1 << 20
"""The most bytes of source that are parsed: the tree of a file takes some hundred times its size."""
MAX_NAME = 200
"""The longest name of a module that is looked for."""

MAX_COMMAND = 4096
"""The most characters of a command line whose words may be programs."""

MAIN = "__main__"
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_NAMED = re.compile(rf"{_DOTTED}(?::{_DOTTED})?")
_BLANK = r"(?:[ \t\f]|\\\r?\n)"
_STATEMENT = re.compile(
    rf"(?:^|[:;])[ \t\f]*(?:import{_BLANK}+([^\n;#\\]*(?:\\\r?\n[^\n;#\\]*)*)"
    rf"|from{_BLANK}*([.\w]+){_BLANK}*\bimport\b{_BLANK}*(\((?:[^)#]|#[^\n]*)*|[^\n;#\\]*(?:\\\r?\n[^\n;#\\]*)*))",
    re.MULTILINE,
)
_QUOTED = re.compile(rf"[\"']({_DOTTED}(?:[.:-]{_DOTTED})*)[\"']")
_CALLS = re.compile(
    r"\b(?:__import__|import_module|import_string|resolve_name|import_object|load_module|run_module"
    r"|CDLL|PyDLL|LoadLibrary|_?find_library|_?dlopen)\s*\("
)
_COMMAND_WORD = re.compile(r"[\w./+-]+")
_COMMENT = re.compile(r"#[^\n]*")
_IMPORTERS = frozenset(
    {
        "__import__",
        "import_module",
        "import_string",
        "resolve_name",
        "import_object",
        "load_module",
        "run_module",
    }
)
"""Functions that import what their first argument names, of importlib, pkgutil and runpy, and what libraries call theirs."""
_LOADERS = frozenset({"CDLL", "PyDLL", "LoadLibrary", "find_library", "_find_library", "dlopen"})
"""Functions of ctypes and cffi that load the library which their first argument names."""
_LIBRARY = re.compile(r"[\w.+-]{1,64}")
"""What may be the name of a shared library."""

_STARTERS = frozenset(
    {
        "run",
        "call",
        "check_call",
        "check_output",
        "Popen",
        "system",
        "popen",
        "getoutput",
        "getstatusoutput",
        "which",
    }
    | {
        "create_subprocess_exec",
        "create_subprocess_shell",
        "execv",
        "execve",
        "execvp",
        "execvpe",
        "execl",
        "execle",
    }
    | {"execlp", "execlpe", "spawnv", "spawnl", "spawnvp", "spawnlp", "posix_spawn", "posix_spawnp"}
)
"""Functions of subprocess, os, shutil and asyncio that start a program, or look for one."""


class Import(NamedTuple):
    """One import: ``from <level dots><module> import <names>``, or of `module` alone."""

    level: int
    module: str
    names: tuple[str, ...] = ()


class Prefix(NamedTuple):
    """Imports by names that begin with `text`, and end in what is known only at run time."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Imports:
    """What one source imports."""

    imports: tuple[Import, ...] = ()
    prefixes: tuple[Prefix, ...] = ()
    strings: tuple[str, ...] = ()
    """String constants that have the form of names: ``a.b``, ``a``, ``a.b:c``, or that of groups of entry points."""
    computed: bool = False
    """It also imports by names that it computes, or is given."""
    libraries: tuple[str, ...] = ()
    """Names of shared libraries that it loads through ctypes, such as ``libc.so.6``, or ``c`` for find_library."""
    candidates: tuple[str, ...] = ()
    """Where it loads some by names that it takes from a list, or is given: all strings that may be such a name."""
    programs: tuple[str, ...] = ()
    """Programs that it starts or looks for by constant names, and the words of constant command lines."""


class Glance(NamedTuple):
    """What a source may import, found without parsing it: no less than `Imports` has."""

    imports: frozenset[Import]
    strings: frozenset[str]
    calls: bool
    """It may import by calls."""


class Unreadable(Exception):
    """Source that cannot be parsed; the message says why."""


def glance(text: str) -> Glance:
    """What `text` may import: also what is only in a docstring, or in a comment's neighbourhood."""
    imports: set[Import] = set()
    for plain, module, names in _STATEMENT.findall(text):
        if plain:
            imports.update(Import(0, name) for name in _listed(plain))
        elif module:
            bare = module.lstrip(".")
            imports.add(Import(len(module) - len(bare), bare, tuple(_listed(names))))
    return Glance(frozenset(imports), frozenset(_QUOTED.findall(text)), _CALLS.search(text) is not None)


def read(text: str, *, main: bool) -> Imports:
    """What the source `text` imports; what it does only when it is run as a program counts with `main`.

    Raises `Unreadable`: Python 2, a syntax of tomorrow, a file that is too large or nested too deeply.
    """
    source = text.encode("utf-8", "surrogateescape")
    if len(source) > MAX_PARSED:
        raise Unreadable(f"larger than {MAX_PARSED} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        raise Unreadable(f"not the Python that is known here ({error.msg}, line {error.lineno})") from error
    except (ValueError, LookupError) as error:
        raise Unreadable(f"not Python ({error})") from error
    except (RecursionError, MemoryError) as error:
        raise Unreadable("nested too deeply") from error
    reader = _Reader(main)
    reader.read(tree)
    return reader.result()


def named_in(text: str) -> Iterator[str]:
    """The dotted names in `text`, which is in no known language: words with a dot in them, and what is before a colon."""
    for match in re.finditer(rf"(?<![\w.]){_DOTTED}", text):
        if "." in match[0] and len(match[0]) <= MAX_NAME:
            yield match[0]


def _listed(text: str) -> Iterator[str]:
    for part in _COMMENT.sub("", text).replace("\\", " ").strip("( \t\r\n)").split(","):
        words = part.split()
        if words:
            yield words[0].rstrip(")")


class _Reader:
    """Looks at every node of a syntax tree once, without recursion."""

    def __init__(self, main: bool) -> None:
        self._main = main
        self._imports: dict[Import, None] = {}
        self._prefixes: dict[Prefix, None] = {}
        self._strings: dict[str, None] = {}
        self._libraries: dict[str, None] = {}
        self._candidates: dict[str, None] = {}
        self._chooses = False
        self._programs: dict[str, None] = {}
        self._computed = False

    def result(self) -> Imports:
        return Imports(
            tuple(self._imports),
            tuple(self._prefixes),
            tuple(self._strings),
            self._computed,
            tuple(self._libraries),
            tuple(self._candidates) if self._chooses else (),
            tuple(self._programs),
        )

    def read(self, tree: ast.AST) -> None:
        left: list[ast.AST] = [tree]
        while left:
            node = left.pop()
            look = _LOOKS.get(type(node))
            if look is not None and not look(self, node, left):
                continue
            # What ast.iter_child_nodes gives, in a third of the time: positions are numbers, and contexts have no children.
            for value in vars(node).values():
                if type(value) is list:
                    left += [item for item in value if isinstance(item, ast.AST)]
                elif isinstance(value, ast.AST) and type(value) not in _CONTEXTS:
                    left.append(value)

    def constant(self, node: ast.Constant, left: list[ast.AST]) -> bool:
        text = node.value
        if isinstance(text, str) and len(text) <= MAX_NAME and _NAMED.fullmatch(text.replace("-", "_")):
            self._strings[text] = None
        if isinstance(text, str) and _LIBRARY.fullmatch(text):
            self._candidates[text] = None
        return False

    def plain(self, node: ast.Import, left: list[ast.AST]) -> bool:
        self._imports.update((Import(0, alias.name), None) for alias in node.names)
        return False

    def named(self, node: ast.ImportFrom, left: list[ast.AST]) -> bool:
        names = tuple(alias.name for alias in node.names)
        self._imports[Import(node.level, node.module or "", names)] = None
        return False

    def call(self, node: ast.Call, left: list[ast.AST]) -> bool:
        self._call(node)
        return True

    def condition(self, node: ast.If, left: list[ast.AST]) -> bool:
        if self._is_skipped(node.test):
            left += node.orelse
            return False
        return True

    def function(self, node: ast.FunctionDef, left: list[ast.AST]) -> bool:
        # _test is the self-test of a module, which is called when that is run as a program.
        return self._main or node.name != "_test"

    def _is_skipped(self, test: ast.expr) -> bool:
        match test:
            case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
                return True
            case ast.Compare(
                left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
            ):
                return not self._main
        return False

    def _call(self, call: ast.Call) -> None:
        match call.func:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                pass
            case _:
                return
        first = (
            call.args[0]
            if call.args
            else next((word.value for word in call.keywords if word.arg == "name"), None)
        )
        if first is None:
            return
        if name in _LOADERS:
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                self._libraries[first.value] = None
            elif isinstance(first, ast.Name | ast.Attribute | ast.Subscript):
                self._chooses = True
        elif name in _STARTERS:
            self._programs.update(dict.fromkeys(_started(first)))
        elif name in _IMPORTERS:
            self._imported(first, call)

    def _imported(self, argument: ast.expr, call: ast.Call) -> None:
        if isinstance(argument, ast.Constant):
            if isinstance(argument.value, str):
                bare = argument.value.lstrip(".")
                names = _fromlist(call)
                self._imports[Import(len(argument.value) - len(bare), bare.partition(":")[0], names)] = None
            return
        start = _start(argument)
        if start is None:
            self._computed = True
            return
        bare = start.lstrip(".")
        self._prefixes[Prefix(len(start) - len(bare), bare)] = None


_LOOKS: Mapping[type[ast.AST], Callable[[_Reader, Any, list[ast.AST]], bool]] = {
    ast.Constant: _Reader.constant,
    ast.Import: _Reader.plain,
    ast.ImportFrom: _Reader.named,
    ast.Call: _Reader.call,
    ast.If: _Reader.condition,
    ast.FunctionDef: _Reader.function,
}
"""What to do with a node, by its type: whether to look at those below it too."""
_CONTEXTS = frozenset({ast.Load, ast.Store, ast.Del, ast.Name, ast.Pass})


def _started(argument: ast.expr) -> list[str]:
    """The programs in a command: the first of a list, any word of a line."""
    if isinstance(argument, ast.List | ast.Tuple) and argument.elts:
        argument = argument.elts[0]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return _COMMAND_WORD.findall(argument.value[:MAX_COMMAND])
    return []


def _fromlist(call: ast.Call) -> tuple[str, ...]:
    lists = [
        node
        for node in (*call.args[1:], *(word.value for word in call.keywords))
        if isinstance(node, ast.List | ast.Tuple)
    ]
    return tuple(
        item.value
        for node in lists
        for item in node.elts
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    )


def _start(argument: ast.expr) -> str | None:
    """The constant that the name begins with; dots for one that begins with the name of the own package."""
    match argument:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[first, *rest]):
            if isinstance(first, ast.FormattedValue):
                following = rest[0] if rest else None
                more = following.value if isinstance(following, ast.Constant) else None
                return _own(first.value, more if isinstance(more, str) else "")
            return _start(first)
        case ast.BinOp(left=left, op=ast.Mod()):
            start = _start(left)
            return start.partition("%")[0] if start else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            more = right.value if isinstance(right, ast.Constant) else ""
            found = _own(left, more if isinstance(more, str) else "")
            return found if found is not None else _start(left)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return text.partition("{")[0] or None
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value="."), attr="join"),
            args=[ast.List(elts=[first, *_]) | ast.Tuple(elts=[first, *_])],
        ):
            start = _start(first)
            return f"{start}." if start else _own(first, ".")
    return None


def _own(value: ast.expr, more: str) -> str | None:
    """A relative name for ``__name__`` or ``__package__`` with `more` behind it."""
    if isinstance(value, ast.Name) and value.id in ("__name__", "__package__") and more.startswith("."):
        return more
    return None
