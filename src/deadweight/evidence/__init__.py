"""What of an image is needed, and why: a chain of evidence from a root to every path that is kept.

Read `model` first, then `walk`: the one function that follows what is needed from the roots on. What is known of ELF files, of
Python and so on lies in `closure/`, one module each, behind the Protocol of `closures`; single facts in `knowledge/`.
"""
