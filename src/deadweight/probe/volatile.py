"""Telling what changes in every run from what is broken.

No text is rewritten before it is compared, for that would make a broken answer look right. Texts are cut into tokens
(see `volatile_rules`), and a rule only *excuses* a change of one token into another of the same rule, with everything
around it equal to the letter. And since nobody can know beforehand which UUID of an answer is a random one and which
the key of a record, most rules excuse nothing by themselves: the original is recorded twice, and a token may change
in the result where it changed there. What no second recording is needed for: a time that is close to when it was
recorded. It may change as the clock does, by the wall and with its zone in writing; a clock that is fifteen minutes
off or more, as in another time zone, is a difference.

So the price is a false alarm, never a broken answer that passes: where two recordings agree by chance, as two
durations of ``0.00s``, a third is better; where an original is not steady (its lists come in any order), no rule helps,
and `compare(first, second, [second])` of its own two recordings says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import zip_longest

from deadweight.probe.volatile_rules import ALWAYS, CLOSE, HEADER_RULES, NEAR, OPEN, RULES, Rule

MAX_DRIFT = 450
"""Seconds by which a time may be off the clock: half of what tells the nearest two time zones apart."""
_NEAR = 26 * 3600
"""Seconds from when it was recorded that a time of now can be in a wall clock's zone: at most 14 hours, and a job."""
_DAY = 86400
_LENGTH_KEPT = ("hex id", "random word")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text: ordinary if `rule` is empty.

    `kept` may not change though the text may. `lead` is, of a time, by how many seconds it is ahead of when it was
    recorded. A `usual` token may change without having been seen to.
    """

    text: str
    rule: str = ""
    kept: str = ""
    lead: float | None = None
    usual: bool = False

    @property
    def mark(self) -> str:
        """What is shown instead of the token."""
        return f"{OPEN}{self.rule}{' ' if self.kept else ''}{self.kept}{CLOSE}"


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text without what may change, and how many tokens of which rule were replaced, by name."""

    text: str
    replaced: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Two texts with marks for the tokens whose change is excused. The answers agree if the texts are equal."""

    expected: str
    found: str
    excused: tuple[tuple[str, int], ...]


def normalise(text: str, at: int = 0) -> Normalised:
    """`text`, recorded `at`, with a mark for each token that may change; of times, those near `at`.

    This is for showing what rules see in a text. Answers are compared by `reconcile`.
    """
    parts, count = [], Counter[str]()
    for token in tokens(text, at):
        if token.rule and (token.lead is None or abs(token.lead) <= _NEAR):
            parts.append(token.mark)
            count[token.rule] += 1
        else:
            parts.append(token.text)
    return Normalised("".join(parts), tuple(sorted(count.items())))


def volatile_between(first: tuple[Token, ...], second: tuple[Token, ...]) -> frozenset[int]:
    """Positions of the tokens that changed between two recordings of one original.

    There are none if ordinary text differs as well: nothing tells then which token is which.
    """
    shapes = [[token.rule or token.text for token in one] for one in (first, second)]
    if shapes[0] != shapes[1]:
        return frozenset()
    pairs = enumerate(zip(first, second, strict=True))
    return frozenset(place for place, (one, two) in pairs if one.rule == two.rule and one.text != two.text)


def reconcile(expected: tuple[Token, ...], found: tuple[Token, ...], volatile: Set[int]) -> Reconciled:
    """Both texts, alike up to the first change that is not excused, and to the letter from there on.

    `volatile` are the positions in `expected` that were seen to change.
    """
    shown: list[str] = []
    count = Counter[str]()
    place = 0
    for place, (one, two) in enumerate(zip_longest(expected, found)):
        if one is None or two is None or not _excused(one, two, place in volatile):
            break
        if one.text != two.text:
            count[one.rule] += 1
        shown.append(one.text if one.text == two.text else one.mark)
    else:
        place = len(expected)
    start = "".join(shown)
    rest = ("".join(token.text for token in one[place:]) for one in (expected, found))
    return Reconciled(start + next(rest), start + next(rest), tuple(sorted(count.items())))


def _excused(one: Token, two: Token, seen: bool) -> bool:
    if one.text == two.text:
        return True
    if not one.rule or one.rule != two.rule or one.kept != two.kept:
        return False
    if not seen and not (one.usual and two.usual):
        return False
    if one.lead is None or two.lead is None:
        return one.lead is two.lead
    drift = abs(one.lead - two.lead)
    if one.rule == "clock":
        # It goes round.
        drift = min(drift % _DAY, -drift % _DAY)
    return drift < MAX_DRIFT


def tokens(text: str, at: int, header: str = "") -> tuple[Token, ...]:
    """The tokens of `text`, recorded `at`; of the value of a `header`, by the rules for that as well."""
    rules, scanner = _scanner(header.lower())
    found: list[Token] = []
    end = 0
    for match in scanner.finditer(text):
        rule, pattern = rules[int((match.lastgroup or "")[1:])]
        parts = pattern.match(text, match.start())
        if parts is None:  # pragma: no cover: the scanner is made of the same patterns
            continue
        token = _token(rule, parts, at)
        start, stop = parts.span("token") if "token" in pattern.groupindex else parts.span()
        if token is None:
            continue
        if start > end:
            found.append(Token(text[end:start]))
        found.append(token)
        end = stop
    if end < len(text):
        found.append(Token(text[end:]))
    return tuple(found)


@cache
def _scanner(header: str) -> tuple[list[tuple[Rule, re.Pattern[str]]], re.Pattern[str]]:
    """The rules for a text, and one pattern that finds where any of them matches (as the group r and its number)."""
    rules = [rule for rule in HEADER_RULES if header in rule.headers] + list(RULES)
    bare = (re.sub(r"\(\?P<\w+>", "(?:", rule.pattern) for rule in rules)
    union = "|".join(f"(?P<r{number}>{pattern})" for number, pattern in enumerate(bare))
    return [(rule, re.compile(rule.pattern, re.ASCII)) for rule in rules], re.compile(union, re.ASCII)


def _token(rule: Rule, match: re.Match[str], at: int) -> Token | None:
    """The token that matched; None for a shape of a time that is none, such as the 31st of June."""
    groups = {name: part for name, part in match.groupdict().items() if part is not None}
    text = groups.get("token", match[0])
    kept = str(len(text)) if rule.name in _LENGTH_KEPT else groups.get("kept", "")
    lead = None
    if "epoch" in groups or "hour" in groups:
        moment = _moment(groups, at)
        if moment is None:
            return None
        lead = moment - at
    near = lead is not None and abs(lead) <= _NEAR
    return Token(text, rule.name, kept, lead, usual=rule.when == ALWAYS or (rule.when == NEAR and near))


def _moment(groups: dict[str, str], at: int) -> float | None:
    """Seconds since 1970 of a wall clock, whatever its zone; a missing date or year is that of `at`."""
    if "epoch" in groups:
        return float(groups["epoch"])
    now = datetime.fromtimestamp(at, UTC)
    try:
        hour = int(groups["hour"])
        if "half" in groups:
            hour = hour % 12 + 12 * (groups["half"] == "PM")
        moment = datetime(
            int(groups.get("year", now.year)),
            _MONTHS.index(groups["month_name"]) + 1
            if "month_name" in groups
            else int(groups.get("month", now.month)),
            int(groups.get("day", now.day)),
            hour,
            int(groups["minute"]),
            min(int(groups.get("second", 0)), 59),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    if "weekday" in groups and _WEEKDAYS[moment.weekday()] != groups["weekday"]:
        return None
    return moment.timestamp()
