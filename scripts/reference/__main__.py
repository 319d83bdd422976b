import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from scripts.reference.writing import write  # noqa: E402 (models need Django)

write()
