"""Recordings: what a container answered, and how they are kept as JSON (docs/schema/recordings-v1.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deadweight.errors import InvalidDocument, LimitExceeded
from deadweight.oci import fields, strict_json
from deadweight.probe.observation import Observation
from deadweight.probe.observation import from_json as observation_from_json
from deadweight.probe.observation import to_json as observation_to_json
from deadweight.probe.workload import MAX_PORTS, MAX_PROBES, MAX_WORKLOADS

START = "start:"
"""The probe of a job that nobody writes: what its own program prints, and how it ends."""
STOP = "stop:"
"""Likewise the one of a container: how it ends when it is asked to. The name of a signal follows."""
SCHEMA_VERSION = 1
MAX_RECORDINGS = 2 * MAX_WORKLOADS
MAX_ANSWERS = MAX_PROBES + 2 * MAX_PORTS + 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back to `probe`. One that nobody `asked` for counts only if the original answers it."""

    probe: str
    observation: Observation
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Recording:
    """All answers of one start of a container, in the order of the questions; of a job, which `ends`, of several."""

    workload: str
    answers: tuple[Answer, ...]
    ends: bool = False


def write_recordings(image: str, recordings: Sequence[Recording]) -> str:
    """`recordings` of the image named `image` as a document. Raises `LimitExceeded` where nobody could read it again."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "image": image,
        "recordings": [to_json(recording) for recording in recordings],
    }
    text = json.dumps(document, indent=2) + "\n"
    if len(text) > strict_json.MAX_DOCUMENT:
        problem = f"{len(text)} bytes of recordings are more than {strict_json.MAX_DOCUMENT}"
        raise LimitExceeded(image, problem, "ask for less in one answer")
    return text


def read_recordings(raw: bytes, subject: str) -> tuple[Recording, ...]:
    """What `write_recordings` wrote. Raises `InvalidDocument` and `LimitExceeded`, naming `subject`."""
    value = strict_json.loads(raw, subject)
    if value.get("schema_version") != SCHEMA_VERSION:
        raise InvalidDocument(subject, f"is not of version {SCHEMA_VERSION}", "record it again")
    return tuple(
        from_json(one, subject) for one in fields.objects(value, "recordings", subject, MAX_RECORDINGS)
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """`recording` as a JSON object."""
    return {
        "workload": recording.workload,
        "ends": recording.ends,
        "answers": [
            {"probe": one.probe, "asked": one.asked, "observation": observation_to_json(one.observation)}
            for one in recording.answers
        ],
    }


def from_json(value: Mapping[str, Any], subject: str) -> Recording:
    """The recording that `to_json` wrote. Raises `InvalidDocument` naming `subject`."""
    answers = fields.objects(value, "answers", subject, MAX_ANSWERS)
    return Recording(
        workload=fields.text(value, "workload", subject),
        answers=tuple(_answer(one, subject) for one in answers),
        ends=_flag(value, "ends", subject),
    )


def _answer(value: Mapping[str, Any], subject: str) -> Answer:
    probe = fields.text(value, "probe", subject)
    observation = observation_from_json(fields.mapping(value, "observation", subject), subject)
    return Answer(probe, observation, _flag(value, "asked", subject))


def _flag(value: Mapping[str, Any], name: str, subject: str) -> bool:
    flag = value.get(name)
    if isinstance(flag, bool):
        return flag
    raise InvalidDocument(subject, f"the field {name!r} must be true or false")
