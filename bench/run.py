"""Measure Pinnacle on a temporary database of its own and print the figures as Markdown.

``--server`` starts PostgreSQL and Redis for it; ``--write`` puts the figures into
docs/benchmarks.md; ``--only importing,pages`` measures these alone.
"""

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.fernet import Fernet

sys.path.append(str(Path(__file__).resolve().parent.parent / "bin"))

from servers import ProgramMissing, ServerFailed, postgres_and_redis

ROOT = Path(__file__).resolve().parent.parent
SERVER = "--server"


def main() -> int:
    command = [sys.executable, "-m", "bench.measure", *sys.argv[1:]]
    try:
        with environment(is_server=SERVER in sys.argv) as places:
            run = subprocess.run(command, cwd=ROOT, env={**os.environ, **places}, check=False)
    except (ProgramMissing, ServerFailed) as error:
        print(f"NOT MEASURED on PostgreSQL and Redis: {error}", file=sys.stderr)
        return 1
    return run.returncode


@contextlib.contextmanager
def environment(*, is_server: bool) -> Iterator[dict[str, str]]:
    """Name a database and keys of its own; whatever .env says does not count."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pinnacle-bench-"))
        places = {"DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3", "REDIS_URL": ""}
        if is_server:
            places = stack.enter_context(postgres_and_redis())
        yield {
            **places,
            "BENCH_FOLDER": folder,
            "DJANGO_SETTINGS_MODULE": "trading_site.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "SECRET_KEYS": Fernet.generate_key().decode(),
            "DEBUG": "off",
            "HTTPS": "off",
            "LIVE_TRADING": "off",
            "ALLOWED_HOSTS": "localhost",
            "LOG_LEVEL": "ERROR",
        }


if __name__ == "__main__":
    raise SystemExit(main())
