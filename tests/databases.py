"""On which database the tests run, and what is about one of them alone."""

from __future__ import annotations

import pytest
from django.db import connection

ON_SQLITE = connection.vendor == "sqlite"
ON_MARIADB = connection.vendor == "mysql"

# What only one of them does cannot be asked of another; the environments of tox run both (tox.ini).
about_mariadb = pytest.mark.skipif(not ON_MARIADB, reason="It is about what MariaDB alone does.")
about_postgresql = pytest.mark.skipif(ON_MARIADB, reason="It is about what PostgreSQL alone does.")
