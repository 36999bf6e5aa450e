"""What a run touched: the log of its system calls, read and resolved against the image's tree.

Nothing is run here. `strace.tracing` says how to, `strace.Reader` reads what that writes, `observe` makes `Observed` of it.
"""

from deadweight.trace.observed import Differences, Observed, Use, differences, from_json, merge
from deadweight.trace.observer import Observer, observe
from deadweight.trace.read import read_trace
from deadweight.trace.strace import Reader, tracing

__all__ = [
    "Differences",
    "Observed",
    "Observer",
    "Reader",
    "Use",
    "differences",
    "from_json",
    "merge",
    "observe",
    "read_trace",
    "tracing",
]
