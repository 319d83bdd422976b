"""Made-up names."""

from __future__ import annotations

from random import Random

from django.contrib.auth.models import User

from example_project.videos.demo.lives import Life

MARK = "+demo@example.com"
"""How the e-mail address of each of them ends, and nobody else's."""

AUTHOR = "mika.support"

FIRST = (
    *("Ada", "Aiko", "Amara", "Ben", "Carla", "Chen", "Dana", "Daichi", "Elif", "Emil", "Farah", "Felix"),
    *("Grace", "Hana", "Haruto", "Ines", "Ivan", "Jonas", "Kenji", "Lara", "Leon", "Lina", "Mai", "Marco"),
    *("Mei", "Nadia", "Nils", "Olga", "Omar", "Priya", "Ravi", "Rosa", "Sakura", "Sofia", "Tariq", "Tomas"),
    *("Uma", "Vera", "Wei", "Yuki", "Yusuf", "Zoe"),
)
LAST = (
    *("Abe", "Alvarez", "Bauer", "Berg", "Costa", "Diallo", "Endo", "Fischer", "Fujita", "Garcia", "Haas"),
    *("Ito", "Jansen", "Kaya", "Kimura", "Kowalski", "Lang", "Lopez", "Mori", "Nakamura", "Novak", "Okafor"),
    *("Patel", "Rossi", "Sato", "Schmidt", "Silva", "Suzuki", "Tanaka", "Varga", "Wagner", "Watanabe"),
    *("Wolf", "Yamada", "Zhang"),
)


def users_of(lives: list[Life], rng: Random) -> list[User]:
    """Users that are not saved yet, one for each life. Nobody can log in as one of them."""
    taken = {*User.objects.values_list("username", flat=True), AUTHOR}
    users = []
    for life in lives:
        first, last = rng.choice(FIRST), rng.choice(LAST)
        name = _free(f"{first}.{last}".lower(), taken)
        users.append(_user(name, first, last, life))
    return users


def _user(name: str, first: str, last: str, life: Life) -> User:
    user = User(
        username=name, first_name=first, last_name=last, email=f"{name}{MARK}", date_joined=life.joined
    )
    user.set_unusable_password()
    return user


def make_author() -> User:
    """The member of staff who did what was done by hand."""
    user = User(
        username=_free(AUTHOR, set(User.objects.values_list("username", flat=True))),
        first_name="Mika",
        last_name="Support",
        email=AUTHOR + MARK,
        is_staff=True,
    )
    user.set_unusable_password()
    User.objects.bulk_create([user])
    return user


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found, number = f"{name}{number}", number + 1
    taken.add(found)
    return found
