"""Run every test: on SQLite, in the browser, then on a real PostgreSQL and Redis of their own."""

import os
import subprocess
import sys

from servers import ServerFailed, ServerMissing, postgres_and_redis

PYTEST = [sys.executable, "-W", "error", "-m", "pytest", "-n", "2", "--dist", "loadgroup"]
EMBEDDED = {"DATABASE_URL": "", "REDIS_URL": ""}


def main() -> int:
    arguments = sys.argv[1:]
    print("— SQLite, everything in one process", flush=True)
    embedded = _run(arguments, EMBEDDED, marks="not server and not browser")
    # Apart, because the browser's driver leaves an event loop running in its process.
    print("— The pages, in Chromium", flush=True)
    pages = _run(arguments, EMBEDDED, marks="browser")
    print("— PostgreSQL and Redis", flush=True)
    try:
        with postgres_and_redis() as environment:
            environment["DATABASE_POOL"] = "off"
            server = _run(arguments, environment, marks="not browser and not embedded and not wire")
    except (ServerMissing, ServerFailed) as error:
        print(f"NOT RUN on PostgreSQL and Redis: {error}", file=sys.stderr)
        server = 1
    return embedded or pages or server


def _run(arguments: list[str], environment: dict[str, str], *, marks: str) -> int:
    command = [*PYTEST, "-m", marks, *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
