"""Whether a result answers as its original did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deadweight.probe.excerpt import Row, excerpt, shown
from deadweight.probe.observation import ExitAnswer, Failure, HttpAnswer, Observation, TcpAnswer
from deadweight.probe.volatile import reconcile, tokens, volatile_between

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110, section 7.6.1: of the connection, not of the answer."""
_ABSENT = "(none)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was. `what` names it, as ``status`` or ``header Content-Type``.

    For texts of several lines `expected` and `found` are the first line that differs, and `rows` the lines
    around it.
    """

    what: str
    expected: str
    found: str
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class _Recording:
    """One answer, as texts by what they are."""

    at: int
    texts: Mapping[str, str]


def compare(
    expected: Observation, found: Observation, repeats: Sequence[Observation] = ()
) -> tuple[Difference, ...]:
    """What differs between the answer that was `expected` and the one that was `found`; empty if nothing does.

    `repeats` are further recordings of the original. What changed between them and `expected` may change in
    `found` too, where a rule of `volatile_rules` knows such changes; without any, only times of now and the like may.
    Standard error is compared as strictly as all else: what a program newly complains about is what it misses.
    """
    if type(expected) is not type(found):
        return (Difference("answer", in_words(expected), in_words(found)),)
    read = _READERS[type(expected)]
    alike = [one for one in repeats if type(one) is type(expected)]
    first, second, *others = (read(one) for one in (expected, found, *alike))
    # In the order of the expected answer; what only the result has comes last.
    names = list(dict.fromkeys([*first.texts, *second.texts]))
    return tuple(
        difference
        for name in names
        if (difference := _compare_texts(name, first, second, others)) is not None
    )


def _compare_texts(
    name: str, first: _Recording, second: _Recording, others: list[_Recording]
) -> Difference | None:
    expected, found = first.texts.get(name), second.texts.get(name)
    if expected == found:
        return None
    if expected is None or found is None:
        return Difference(name, _shown(expected), _shown(found))
    header = name.split(" ")[1] if name.startswith("header ") else ""
    was = tokens(expected, first.at, header)
    volatile = frozenset[int]().union(
        *(
            volatile_between(was, tokens(other.texts[name], other.at, header))
            for other in others
            if name in other.texts
        )
    )
    both = reconcile(was, tokens(found, second.at, header), volatile)
    if both.expected == both.found:
        return None
    rows = excerpt(both.expected, both.found)
    line = next(row for row in rows if not row.same)
    several = "\n" in both.expected or "\n" in both.found
    return Difference(name, line.expected or _ABSENT, line.found or _ABSENT, rows if several else ())


def _shown(line: str | None) -> str:
    return shown(line) if line else _ABSENT


def _http(answer: HttpAnswer) -> _Recording:
    texts = {"status": str(answer.status), "reason": answer.reason}
    # The order of headers means nothing, that of the values of one does (RFC 9110, section 5.3).
    values: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, value in answer.headers:
        values[name.lower()].append((name, value))
    left_out = _HOP_BY_HOP | {
        option.strip().lower() for _, value in values.get("connection", []) for option in value.split(",")
    }
    if answer.body and not answer.truncated:
        # The body tells more. Its length may change with a token that may.
        left_out |= {"content-length"}
    for lower in sorted(values.keys() - left_out):
        for number, (_, value) in enumerate(values[lower], 1):
            texts[f"header {shown(lower)}" if number == 1 else f"header {shown(lower)} {number}"] = value
    texts["body"] = _text(answer.body)
    texts["truncated"] = _yes(answer.truncated)
    return _Recording(answer.at, texts)


def _exit(answer: ExitAnswer) -> _Recording:
    return _Recording(
        answer.at,
        {
            "exit code": str(answer.code),
            "stdout": _text(answer.stdout),
            "stderr": _text(answer.stderr),
            "truncated": _yes(answer.truncated),
        },
    )


def _tcp(answer: TcpAnswer) -> _Recording:
    return _Recording(answer.at, {"accepted": _yes(answer.accepted), "first bytes": _text(answer.first)})


def _failure(answer: Failure) -> _Recording:
    return _Recording(answer.at, {"failure": answer.reason})


_READERS: dict[type, Callable[..., _Recording]] = {
    HttpAnswer: _http,
    ExitAnswer: _exit,
    TcpAnswer: _tcp,
    Failure: _failure,
}


def _text(raw: bytes) -> str:
    """`raw` as text, another one for other bytes: an answer in another encoding is another answer."""
    return raw.decode("utf-8", "surrogateescape")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def in_words(observation: Observation) -> str:
    """What `observation` says in short, safe to show."""
    return shown(" ".join(_summary(observation).splitlines()))


def _summary(observation: Observation) -> str:
    match observation:
        case HttpAnswer():
            return f"{observation.status} {observation.reason}".rstrip()
        case ExitAnswer():
            return f"exit code {observation.code}"
        case TcpAnswer():
            return "a connection" if observation.accepted else "no connection"
        case Failure():
            return f"no answer: {observation.reason}"
