"""Run the tests: on SQLite, in the browser, then on a real PostgreSQL and Redis of their own.

On PostgreSQL runs what depends on the database; ``--all`` runs everything there too. ``--shuffle``
runs files, classes and tests in random order, of a seed that is printed. The rest goes to pytest.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
from programs import THIS_MACHINE, ProgramMissing
from servers import ServerFailed, postgres_and_redis

ROOT = Path(__file__).resolve().parent.parent
# A file's tests stay in one process, which starts what they share once; the long ones go first.
WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
PYTEST = [sys.executable, "-W", "error", "-m", "pytest", *WORKERS]
EMBEDDED = {"DATABASE_URL": "", "REDIS_URL": ""}
ON_SERVER = "not browser and not embedded"
TEMPLATE = "pinnacle_template"


def main() -> int:
    arguments = [each for each in sys.argv[1:] if each not in ("--all", "--shuffle")]
    if "--shuffle" in sys.argv:
        arguments += ["-p", "randomly"]
    server_marks = ON_SERVER if "--all" in sys.argv else f"database and {ON_SERVER}"
    with tempfile.TemporaryDirectory(prefix="pinnacle-tests-") as folder:
        embedded = {**EMBEDDED, "TEST_TEMPLATE": _sqlite_template(Path(folder))}
        print("— SQLite, everything in one process", flush=True)
        on_sqlite = _run(arguments, embedded, marks="not server and not browser")
        # Apart, because the browser's driver leaves an event loop running in its process.
        print("— The pages, in Chromium", flush=True)
        in_browser = _run_in_browser(arguments, {**embedded, "TEST_DATABASE_FOLDER": folder})
    print("— PostgreSQL and Redis", flush=True)
    on_server = _run_on_server(arguments, marks=server_marks)
    return on_sqlite or in_browser or on_server


def _run_in_browser(arguments: list[str], environment: Mapping[str, str]) -> int:
    try:
        program = str(THIS_MACHINE.chromium())
    except ProgramMissing as error:
        print(f"NOT RUN in a browser: {error}", file=sys.stderr)
        return 1
    return _run(arguments, {**environment, "CHROMIUM": program}, marks="browser")


def _run_on_server(arguments: list[str], *, marks: str) -> int:
    try:
        with postgres_and_redis() as environment:
            environment["DATABASE_POOL"] = "off"
            environment["TEST_TEMPLATE"] = _postgres_template(environment)
            # Tests that want a Redis of their own find it as every program is found.
            environment["PATH"] = f"{THIS_MACHINE.redis().parent}{os.pathsep}{os.environ['PATH']}"
            return _run(arguments, environment, marks=marks)
    except (ProgramMissing, ServerFailed) as error:
        print(f"NOT RUN on PostgreSQL and Redis: {error}", file=sys.stderr)
        return 1


def _sqlite_template(folder: Path) -> str:
    template = folder / "template.sqlite3"
    _migrate({**EMBEDDED, "DATABASE_URL": f"sqlite:///{template}"})
    return str(template)


def _postgres_template(environment: Mapping[str, str]) -> str:
    address = environment["DATABASE_URL"]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    _migrate({**environment, "DATABASE_URL": f"{address.rpartition('/')[0]}/{TEMPLATE}"})
    return TEMPLATE


def _migrate(environment: Mapping[str, str]) -> None:
    """Migrate once: the processes of a run copy the database instead of each migrating its own."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)


def _run(arguments: list[str], environment: Mapping[str, str], *, marks: str) -> int:
    command = [*PYTEST, "-m", marks, *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
