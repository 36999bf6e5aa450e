"""Reads names of modules as a JSON array, imports each, and writes an object of those that cannot be: name -> why."""

import importlib
import json
import os
import sys

names = json.load(sys.stdin)
answer = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what modules print while they are imported is no answer
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the module cannot be imported
        failed[name] = f"{type(error).__name__}: {error}"[:200]
json.dump(failed, answer)
answer.flush()
os._exit(0)  # threads that a module began are not waited for
