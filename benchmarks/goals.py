"""What must hold, and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A figure and its bound."""

    text: str
    value: float
    bound: float
    at_least: bool = False
    unit: str = "×"
    aim: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def row(self) -> tuple[str, ...]:
        """The goal as cells of a table."""
        bound = f"{'at least' if self.at_least else 'at most'} {self.bound:g} {self.unit}"
        kind = "aim" if self.aim else "must"
        return kind, self.text, bound, f"{self.value:.3f} {self.unit}", "met" if self.met else "**missed**"
