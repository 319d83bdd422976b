from __future__ import annotations

from tests.frozen_migrations import frozen, migrations


def test_no_migration_was_edited_renamed_or_removed() -> None:
    changed = {name for name, content in frozen().items() if migrations().get(name) != content}
    assert changed == set(), (
        "Sites have run it: make another migration instead (see tests/frozen_migrations.py)."
    )


def test_every_migration_is_written_down() -> None:
    new = migrations().keys() - frozen().keys()
    assert new == set(), "Run `python -m tests.frozen_migrations`, so that it stays as it is."


def test_migrations_form_one_line() -> None:
    """Two with one number come of two branches: merge them by hand, so that every site runs them in one order."""
    numbers = [name.partition("_")[0] for name in migrations()]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
