"""Take the measurements one after the other. Started by run.py, which names the database."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from bench.figures import Figures
from bench.report import describe_machine, table, write_down

# In this order: the first import wants a database without instruments.
MEASUREMENTS = ("importing", "sending", "updates", "replaying", "pages")


def main() -> None:
    arguments = _arguments()
    django.setup()
    settings.MEDIA_ROOT = Path(os.environ["BENCH_FOLDER"]) / "files"
    call_command("migrate", verbosity=0)
    found = _measured(arguments.only)
    text = f"{describe_machine()}\n\n{table(found)}"
    print(text)
    if arguments.write:
        document = Path(settings.BASE_DIR) / "docs" / "benchmarks.md"
        write_down(text, document, section="server" if arguments.server else "embedded")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    parser.add_argument("--server", action="store_true", help="PostgreSQL and Redis, not SQLite")
    parser.add_argument("--write", action="store_true", help="also into docs/benchmarks.md")
    parser.add_argument(
        "--only", type=_names, default=MEASUREMENTS, help=f"of {','.join(MEASUREMENTS)}"
    )
    return parser.parse_args()


def _names(text: str) -> list[str]:
    unknown = set(text.split(",")) - set(MEASUREMENTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return [name for name in MEASUREMENTS if name in text.split(",")]


def _measured(names: Sequence[str]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        # A measurement imports models, and models want the settings first.
        found |= import_module(f"bench.{name}").measure()
    return found


if __name__ == "__main__":
    main()
