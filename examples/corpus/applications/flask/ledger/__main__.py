"""Serves the ledger with gunicorn, which takes the place of this process."""

import os
import sys

COMMAND = [sys.executable, "-m", "gunicorn", "--bind=0.0.0.0:8000", "--workers=1", "ledger.web:create()"]

os.execv(COMMAND[0], COMMAND)
