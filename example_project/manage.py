"""The example site's command line: `python example_project/manage.py runserver`."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts this file's own folder first; the packages lie one folder up.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
