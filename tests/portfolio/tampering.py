"""Ledger lines changed past the database's own guard, as only its owner at a console could."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def unguarded_ledger() -> Iterator[None]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE ledger_entries DISABLE TRIGGER ck_voucher_balances")
            yield
            cursor.execute("ALTER TABLE ledger_entries ENABLE TRIGGER ck_voucher_balances")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        else:
            yield
            cursor.execute("DELETE FROM unbalanced_vouchers")
