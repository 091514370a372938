"""Let the database itself refuse, at the commit, a voucher whose debits and credits differ.

PostgreSQL has deferred constraint triggers. SQLite has none, but it has deferred foreign keys: its
triggers keep a row for every unbalanced voucher, and that row refers to one that never exists.
A later migration that makes SQLite's table anew loses the triggers and must add them again.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_POSTGRESQL = (
    """
    CREATE FUNCTION refuse_unbalanced(account uuid, voucher varchar) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT SUM(debit) <> SUM(credit) FROM ledger_entries
            WHERE account_id = account AND voucher_number = voucher) THEN
            RAISE EXCEPTION 'Debits and credits of voucher % differ', voucher
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_voucher_balances';
        END IF;
    END $$
    """,
    # A plan kept from when the ledger was small reads all of an account's lines for each new one.
    "ALTER FUNCTION refuse_unbalanced(uuid, varchar) SET plan_cache_mode = force_custom_plan",
    """
    CREATE FUNCTION refuse_unbalanced_lines() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            PERFORM refuse_unbalanced(OLD.account_id, OLD.voucher_number);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM refuse_unbalanced(NEW.account_id, NEW.voucher_number);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER ck_voucher_balances
    AFTER INSERT OR DELETE OR UPDATE OF account_id, voucher_number, debit, credit
    ON ledger_entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_lines()
    """,
)
_POSTGRESQL_REVERSE = (
    "DROP TRIGGER ck_voucher_balances ON ledger_entries",
    "DROP FUNCTION refuse_unbalanced_lines()",
    "DROP FUNCTION refuse_unbalanced(uuid, varchar)",
)

_TABLE = """
    CREATE TABLE unbalanced_vouchers (
        id integer PRIMARY KEY,
        account_id char(32) NOT NULL,
        voucher_number varchar(64) NOT NULL,
        never integer NOT NULL DEFAULT -1
            REFERENCES unbalanced_vouchers (id) DEFERRABLE INITIALLY DEFERRED,
        UNIQUE (account_id, voucher_number)
    )
"""
# Money has four decimals, and SQLite adds it up in binary: the rounding takes away what that adds.
_RECOUNT = """
    DELETE FROM unbalanced_vouchers
    WHERE account_id = {line}.account_id AND voucher_number = {line}.voucher_number;
    INSERT INTO unbalanced_vouchers (account_id, voucher_number)
    SELECT account_id, voucher_number FROM ledger_entries
    WHERE account_id = {line}.account_id AND voucher_number = {line}.voucher_number
    GROUP BY account_id, voucher_number HAVING ROUND(SUM(debit) - SUM(credit), 4) <> 0;
"""
_CHANGES = {
    "insert": ("INSERT", ("NEW",)),
    "update": ("UPDATE OF account_id, voucher_number, debit, credit", ("OLD", "NEW")),
    "delete": ("DELETE", ("OLD",)),
}


def add_guard(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _POSTGRESQL if is_postgresql else (_TABLE, *_sqlite_triggers()):
        schema_editor.execute(statement, params=None)


def remove_guard(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    triggers = [f"DROP TRIGGER ck_voucher_balances_{name}" for name in _CHANGES]
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    on_sqlite = (*triggers, "DROP TABLE unbalanced_vouchers")
    for statement in _POSTGRESQL_REVERSE if is_postgresql else on_sqlite:
        schema_editor.execute(statement, params=None)


def _sqlite_triggers() -> list[str]:
    return [
        f"CREATE TRIGGER ck_voucher_balances_{name} AFTER {change} ON ledger_entries "
        f"BEGIN {''.join(_RECOUNT.format(line=line) for line in lines)} END"
        for name, (change, lines) in _CHANGES.items()
    ]


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0001_initial")]

    operations = [migrations.RunPython(add_guard, remove_guard)]
