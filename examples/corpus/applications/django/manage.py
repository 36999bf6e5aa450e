"""Django's commands, and `serve`: brings the database up to date, then becomes gunicorn."""

import os
import sys

from django.core.management import execute_from_command_line

if sys.argv[1:] == ["serve"]:
    execute_from_command_line(["manage.py", "migrate", "--verbosity=0"])
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--bind=0.0.0.0:8000", "board.wsgi"])
execute_from_command_line(sys.argv)
