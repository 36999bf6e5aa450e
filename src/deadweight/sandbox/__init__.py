"""Running the root file system of an image: without root, without a daemon, and without a trace on the host.

Programs do the work that needs a kernel: bubblewrap makes the container, GNU tar unpacks. Where that is refused, an engine
does it. See docs/security.md.
"""

from deadweight.sandbox.box import Box, Boxed, box_of, open_box, require_sandbox
from deadweight.sandbox.choice import AUTO, BUBBLEWRAP, KINDS, Choice, open_sandbox, require_named, sandbox_of
from deadweight.sandbox.command import Command, Limits, command_of
from deadweight.sandbox.joining import Network, open_network
from deadweight.sandbox.starter import Exit, Program, Running, Starter
from deadweight.sandbox.traced import TracedBox

__all__ = [
    "AUTO",
    "BUBBLEWRAP",
    "KINDS",
    "Box",
    "Boxed",
    "Choice",
    "Command",
    "Exit",
    "Limits",
    "Network",
    "Program",
    "Running",
    "Starter",
    "TracedBox",
    "box_of",
    "command_of",
    "open_box",
    "open_network",
    "open_sandbox",
    "require_named",
    "require_sandbox",
    "sandbox_of",
]
