"""What can go wrong, each as one line: what was given, what is wrong with it, and what to do.

Every error that deadweight raises on purpose is a `DeadweightError`. The command line prints it as one
line and exits with 2 (see "Errors" in docs/concepts.md).
"""

from __future__ import annotations


class DeadweightError(Exception):
    """The base of all errors.

    `subject` names the input (a reference, a digest, a file), `problem` says what is wrong with it and
    `remedy`, where there is one, what the user can do.
    """

    def __init__(self, subject: str, problem: str, remedy: str = "") -> None:
        super().__init__(subject, problem, remedy)
        self.subject = subject
        self.problem = problem
        self.remedy = remedy

    def add_remedy(self, remedy: str) -> None:
        """`remedy` is one more thing that the user can do; it may be empty."""
        self.remedy = "; ".join(filter(None, (self.remedy, remedy)))

    def __str__(self) -> str:
        text = f"{self.subject}: {self.problem}" if self.subject else self.problem
        return f"{text}; {self.remedy}" if self.remedy else text


class UsageError(DeadweightError):
    """An argument or a setting that makes no sense."""


class InvalidReference(DeadweightError):
    """A string that names no image."""


class NotFound(DeadweightError):
    """The image, tag, platform or path is not there."""


class InvalidDocument(DeadweightError):
    """A manifest, index, config or other JSON that breaks its specification."""


class InvalidLayer(DeadweightError):
    """A layer that is not a well-formed tar stream, or whose compression is broken.

    `offset` is the position in the uncompressed stream, in bytes, where known.
    """

    def __init__(self, subject: str, problem: str, remedy: str = "", *, offset: int | None = None) -> None:
        if offset is not None:
            problem = f"{problem} at byte {offset} of the uncompressed layer"
        super().__init__(subject, problem, remedy)
        self.offset = offset


class DigestMismatch(DeadweightError):
    """Content that is not what its digest or size says."""


class LimitExceeded(DeadweightError):
    """Input larger, deeper or more numerous than deadweight accepts."""


class TransportError(DeadweightError):
    """A registry, an engine or a file that could not be read or written."""


class AuthenticationError(TransportError):
    """A registry that refuses the credentials, or asks for some where none are known."""


class Unsupported(DeadweightError):
    """Well-formed input that deadweight does not handle."""


class NotReady(DeadweightError):
    """A container that ended, or was not ready in time, before it could be asked anything."""


class UnfitProbe(DeadweightError):
    """A probe that can prove nothing: the original does not answer it, or not twice the same."""
