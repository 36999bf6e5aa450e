"""Programs of an image in containers of Docker or podman on this machine, for where no sandbox of our own can be made.

All is asked by the Docker Engine API, which both speak: so nothing hangs on what their command lines print, and what a
program writes is kept apart from what an engine says about it.
"""

from deadweight.sandbox.engine.box import EngineBox, engine_box_of
from deadweight.sandbox.engine.finding import ANY, DOCKER, PODMAN, local_engine

__all__ = ["ANY", "DOCKER", "PODMAN", "EngineBox", "engine_box_of", "local_engine"]
