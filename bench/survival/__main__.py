"""Let a server trade at a simulated broker, kill its parts at random moments, and compare.

PostgreSQL, Redis and the simulator are started for it and end with it. The exit code is 1 when
anything differs between this house and the broker once both have come to rest.
"""

import argparse
from importlib import import_module
from pathlib import Path

import django

from bench.survival.places import end_in_order, run_inside

BROKERS = ("angel", "kite", "dhan", "alpaca")


def main() -> int:
    arguments = _arguments()
    if not arguments.inside:
        return run_inside("bench.survival", arguments.broker)
    end_in_order()
    django.setup()
    # What it imports are models, and models want the settings first.
    return 0 if import_module("bench.survival.story").tell(arguments) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.survival", description=__doc__)
    parser.add_argument("--broker", choices=BROKERS, default="angel")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long orders are sent")
    parser.add_argument("--rate", type=float, help="orders a second; else what the broker takes")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same kills")
    parser.add_argument("--pause", type=float, default=8.0, help="mean seconds between two kills")
    parser.add_argument("--logs", type=Path, help="keep the processes' logs in this folder")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
