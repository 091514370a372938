"""Test databases that begin as a copy of the one that ``bin/test.py`` has migrated."""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.db.backends.sqlite3.creation import DatabaseCreation


def begin_with(template: str) -> None:
    """Let this process's test database begin as a copy: of a file on SQLite, of a database else."""
    connection.settings_dict["TEST"]["TEMPLATE"] = template
    if connection.vendor == "sqlite":
        connection.creation = _CopyingCreation(connection)


def keep_in_file(path: Path) -> None:
    """Keep this process's test database in a file, where its threads wait for one another.

    In memory they share a connection, and one that writes while another reads fails at once.
    """
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(path)


class _CopyingCreation(DatabaseCreation):
    """Fills the database from the template file; Django then finds nothing to migrate."""

    # A database in memory is gone with its last connection.
    _held: sqlite3.Connection | None = None

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name: str = super()._create_test_db(verbosity, autoclobber, keepdb)  # type: ignore[misc]
        template = self.connection.settings_dict["TEST"]["TEMPLATE"]
        copy = sqlite3.connect(name, uri=True)
        with closing(sqlite3.connect(template)) as source:
            source.backup(copy)
        if self.is_in_memory_db(name):
            self._held = copy
        else:
            copy.close()
        return name
