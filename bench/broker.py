"""Measure against a simulated broker, over its wire: reconciling, and the way to the socket.

``python -m bench.broker --write`` starts PostgreSQL, Redis and the simulator, and puts the figures
into docs/benchmarks.md.
"""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django
import requests
from django.conf import settings
from django.core.management import call_command

from bench.figures import Figures
from bench.report import describe_machine, table, write_down
from bench.survival.places import end_in_order, run_inside, simulator

MODULE = "bench.broker"
MEASUREMENTS = ("leaving", "agreeing")
APART = ("fills",)  # takes long, and has a section of its own
BROKERS = ("angel", "kite", "dhan", "alpaca")


def main() -> int:
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--write", action="store_true", help="also into docs/benchmarks.md")
    parser.add_argument("--only", choices=MEASUREMENTS + APART, help="one of them alone")
    parser.add_argument("--broker", choices=BROKERS, default=BROKERS[0])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        return run_inside(MODULE, arguments.broker)
    end_in_order()
    django.setup()
    found = _measured(arguments.broker, arguments.only)
    text = f"{describe_machine()}\n\n{table(found)}"
    print(text)
    if arguments.write:
        section = arguments.only if arguments.only in APART else "broker"
        write_down(text, Path(settings.BASE_DIR) / "docs" / "benchmarks.md", section=section)
    return 0


def _measured(broker: str, only: str | None) -> dict[str, Figures]:
    # What measures imports models, and models want the settings first.
    desk_module = import_module("bench.survival.desk")
    stand = import_module("bench.survival.stands").STANDS[broker]
    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="pinnacle-bench-") as folder:
        settings.MEDIA_ROOT = Path(folder) / "files"
        call_command("migrate", verbosity=0)
        with simulator(broker, Path(folder)) as address:
            desk = desk_module.open_desk(broker, stand, address)
            # What the broker takes a second is not what is measured here.
            limits = requests.post(f"{address}/_sim/limits", json={"enforced": False}, timeout=10)
            limits.raise_for_status()
            for name in [only] if only else MEASUREMENTS:
                print(f"{name} …", file=sys.stderr, flush=True)
                found |= import_module(f"bench.{name}").measure(desk, address, Path(folder))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
