"""An image without its dead weight: the evidence gathered, a level tried, its result proved, and only then written."""
