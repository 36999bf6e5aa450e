"""Running the root file system of an image: without root, without a daemon, and without a trace on the host.

Programs do the work that needs a kernel: bubblewrap makes the container, GNU tar unpacks. See docs/security.md.
"""

from deadweight.sandbox.box import Box, Running, box_of, open_box
from deadweight.sandbox.command import Command, Limits, command_of
from deadweight.sandbox.joining import Network, open_network
from deadweight.sandbox.starter import Starter
from deadweight.sandbox.traced import TracedBox

__all__ = [
    "Box",
    "Command",
    "Limits",
    "Network",
    "Running",
    "Starter",
    "TracedBox",
    "box_of",
    "command_of",
    "open_box",
    "open_network",
]
