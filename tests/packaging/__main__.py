"""What would be published, looked at as those look at it who install it: `python -m tests.packaging`.

Builds sdist and wheel into a folder that is thrown away, has twine and check-wheel-contents judge them, unpacks the wheel
beside the packages of this environment, and there imports it with every warning an error and type-checks a host's module.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST = Path(__file__).parent / "host.py"
NEEDED = [
    "py.typed",
    "locale/ja/LC_MESSAGES/django.mo",
    "usage/redis_store/lua/reserve.lua",
    "templates/django_videoq_billing/refused.html",
    "static/django_videoq_billing/chart.js-4.6.1/LICENSE.md",
]
OF_THE_SDIST = [
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "docs/security.md",
    "tests/conftest.py",
]
IMPORTED = """
import django_videoq_billing
from django.conf import settings
settings.configure(USE_TZ=True, INSTALLED_APPS=[
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.messages",
    "django.contrib.sessions", "rest_framework", "django_videoq_billing"])
import django
django.setup()
import django_videoq_billing.urls
print(django_videoq_billing.__file__)
"""
SETTINGS = """
SECRET_KEY = "of nobody"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_videoq_billing"]
USE_TZ = True
"""
MYPY = """
[mypy]
strict = true
plugins = mypy_django_plugin.main
[mypy.plugins.django-stubs]
django_settings_module = host_settings
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        build(place / "dist")
        run("twine", "check", "--strict", *map(str, (place / "dist").iterdir()))
        wheel = next((place / "dist").glob("*.whl"))
        # Texts of e-mails may be alike (W002), and migrations have the names that Django gives them (W004).
        run("check_wheel_contents", "--ignore", "W002,W004", str(wheel))
        look_into(wheel, next((place / "dist").glob("*.tar.gz")))
        python = installed(wheel, place / "env")
        as_a_host(python, place / "host")
    return 0


def build(target: Path) -> None:
    run("hatchling", "build", "-d", str(target), cwd=ROOT)


def look_into(wheel: Path, sdist: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name.removeprefix("django_videoq_billing/") for name in names}
    expect(not set(NEEDED) - inside, f"The wheel lacks {set(NEEDED) - inside}.")
    strange = {name.split("/")[0] for name in names if not name.startswith("django_videoq_billing")}
    expect(not strange, f"The wheel also has {strange}.")
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    expect(not set(OF_THE_SDIST) - found, f"The sdist lacks {set(OF_THE_SDIST) - found}.")


def installed(wheel: Path, target: Path) -> Path:
    """A Python that has the wheel, and what this environment has, but not this clone."""
    venv.create(target, with_pip=False)
    python = target / "bin" / "python"
    packages = Path(next((target / "lib").iterdir())) / "site-packages"
    zipfile.ZipFile(wheel).extractall(packages)  # noqa: S202 (we built it)
    (packages / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def as_a_host(python: Path, place: Path) -> None:
    place.mkdir()
    shutil.copy(HOST, place / "host.py")
    (place / "host_settings.py").write_text(SETTINGS)
    (place / "mypy.ini").write_text(MYPY)
    said = subprocess.run(  # noqa: S603 (our own program)
        [python, "-W", "error", "-c", IMPORTED],
        cwd=place,
        env=bare(),
        capture_output=True,
        text=True,
        check=False,
    )
    expect(said.returncode == 0 and not said.stderr, said.stderr)
    expect(said.stdout.startswith(str(place.parent.resolve())), f"Another copy was imported: {said.stdout}")
    run("mypy", "host.py", python=python, cwd=place)


def run(module: str, *arguments: str, python: Path | str = sys.executable, cwd: Path | None = None) -> None:
    done = subprocess.run([python, "-m", module, *arguments], cwd=cwd, env=bare(), check=False)  # noqa: S603
    expect(done.returncode == 0, f"{module} failed")


def bare() -> dict[str, str]:
    """Without what would lead back to this clone."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")
    }


def expect(fine: bool, otherwise: str) -> None:
    if not fine:
        sys.exit(otherwise)


if __name__ == "__main__":
    sys.exit(main())
