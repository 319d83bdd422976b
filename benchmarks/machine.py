"""The machine and the versions, without anything that names either."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
from django.db import connection
from django_redis import get_redis_connection

PACKAGES = ("Django", "psycopg", "redis", "hiredis", "django-redis")
OTHERS = ("limits", "django-ratelimit", "djangorestframework", "dj-stripe")


def describe() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        [(postgres, fsync)] = cursor.fetchall()
    server = get_redis_connection("default").info("server")
    return {
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgres}, fsync {fsync}, over a Unix socket",
        "Valkey": f"{server.get('valkey_version', server['redis_version'])}, in memory, over TCP on the loopback",
        "libraries": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "beside": ", ".join(f"{name} {version(name)}" for name in OTHERS),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
