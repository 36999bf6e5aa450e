"""Real applications as data, to judge a slimmer by: each is an image, probes for it, and behaviours it must keep."""

import os

# Files made by a build are dated alike, so that the same application gives the same layers.
os.environ.setdefault("SOURCE_DATE_EPOCH", "1793491200")
