"""Questions to a running application, and what must come back.

http:GET /path          http:POST /path BODY        (at the first port that the config exposes)
exec:COMMAND ARGUMENT   (in the container, as the config's user, without a shell)
tcp:PORT                (does it listen?)
signal:TERM             (does it end, and how?)
start:                  (what did it say, and, if it ends by itself, how did it end?)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PROBE = "probe"
"""What a probe is called among behaviours."""


class Kind(StrEnum):
    """How a question is asked."""

    HTTP = "http"
    EXEC = "exec"
    TCP = "tcp"
    SIGNAL = "signal"
    START = "start"


@dataclass(frozen=True, slots=True)
class Question:
    kind: Kind
    text: str

    @classmethod
    def parse(cls, text: str) -> Question:
        """The question written as KIND:TEXT. Raises ValueError for an unknown kind."""
        kind, _, rest = text.partition(":")
        return cls(Kind(kind), rest)

    def __str__(self) -> str:
        return f"{self.kind}:{self.text}"

    def request(self) -> tuple[str, str, str]:
        """Method, path and body of an HTTP question."""
        method, _, rest = self.text.partition(" ")
        path, _, body = rest.partition(" ")
        return method, path, body


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `code` is the HTTP status or the exit code, None where nothing came at all."""

    code: int | None
    text: str
    headers: str = ""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A question and what must come back: the code, and regular expressions that must be found."""

    name: str
    question: Question
    code: int
    output: str = ""
    header: str = ""

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Behaviour:
        """A `[[behaviour]]`: name, ask, status or exit, output, header."""
        question = Question.parse(table["ask"])
        expected = 200 if question.kind is Kind.HTTP else 0
        code = table.get("status", table.get("exit", expected))
        return cls(table["name"], question, code, table.get("output", ""), table.get("header", ""))

    def objection(self, answer: Answer) -> str:
        """Why `answer` is not what must come back; empty where it is."""
        if answer.code != self.code:
            return f"{answer.code} instead of {self.code}: {answer.text.strip()[:300]}"
        for pattern, text in ((self.output, answer.text), (self.header, answer.headers)):
            if not re.search(pattern, text, re.MULTILINE):
                return f"no {pattern!r} in {text.strip()[:300]!r}"
        return ""


def probe(question: Question) -> Behaviour:
    """A probe says nothing of what must come back: here, that it succeeds."""
    return Behaviour(PROBE, question, 200 if question.kind is Kind.HTTP else 0)
