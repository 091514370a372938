"""Run a simulated broker in the foreground: a demo needs no account at any real one."""

from argparse import ArgumentParser
from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from starlette.applications import Starlette

from brokers import simulator
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults, UnknownFault
from brokers.simulator.instruments import indian_market, us_market
from brokers.simulator.prices import PriceFeed
from brokers.simulator.serving import PortTaken, SimulatorServer
from brokers.venue import IST

_AMERICAN = "alpaca"
_ACKNOWLEDGES_AFTER = timedelta(milliseconds=150)


class Command(BaseCommand):
    """Everything is in memory: stopping it forgets all accounts and orders."""

    help = "Run a stand-in for a real broker: its wire protocol over simulated money."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--broker", required=True, help="angel, kite, dhan or alpaca")
        parser.add_argument("--port", type=int, default=9101)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--seed", type=int, default=7, help="the same seed, the same prices")
        parser.add_argument("--rate", type=float, default=1.0, help="ticks a second; 0 for none")
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="NAME[:KEY=VALUE,...]",
            help="arm a fault, as in delay:seconds=9,match=/orders* (again for more)",
        )

    def handle(self, *args: object, **options: Any) -> None:
        name = options["broker"]
        faults = _armed(options["fault"])
        broker = _new_broker(name, seed=options["seed"], faults=faults)
        app = _wire_app(name, broker, faults)
        server = SimulatorServer(app, options["host"], options["port"])
        feed = PriceFeed(broker, rate=options["rate"]) if options["rate"] > 0 else None
        try:
            server.serve(on_ready=lambda: self._open(server, name, feed))
        except PortTaken as error:
            raise CommandError(f"{error}. Choose another with --port.") from error
        finally:
            if feed is not None:
                feed.stop()

    def _open(self, server: SimulatorServer, name: str, feed: PriceFeed | None) -> None:
        self.stdout.write(f"The simulated {name} listens on {server.url}. Ctrl-C stops it.")
        self.stdout.write(f'Put this into the environment: BROKER_ENDPOINTS="{name}={server.url}"')
        for label, value in _credentials(name).items():
            self.stdout.write(f"  {label}: {value}")
        self.stdout.write(f"Faults, ticks and state: {server.url}/_sim/state")
        self.stdout.flush()
        if feed is not None:
            feed.start()


def _new_broker(name: str, *, seed: int, faults: Faults) -> SimulatedBroker:
    today = timezone.now().astimezone(IST).date()
    instruments = us_market() if name == _AMERICAN else indian_market(today)
    return SimulatedBroker(
        seed,
        timezone.now,
        instruments,
        faults=faults,
        acknowledges_after=_ACKNOWLEDGES_AFTER,
    )


def _wire_app(name: str, broker: SimulatedBroker, faults: Faults) -> Starlette:
    known = sorted(each.name for each in iter_modules(simulator.__path__) if each.ispkg)
    if name not in known:
        listed = ", ".join(known) or "none is installed"
        raise CommandError(f"No broker is simulated under the name {name}: {listed}")
    app: Starlette = import_module(f"brokers.simulator.{name}.app").make_app(broker, faults)
    return app


def _credentials(name: str) -> dict[str, str]:
    """Return what to sign in with; a wire app says so in its ``DEMO_CREDENTIALS``."""
    module = import_module(f"brokers.simulator.{name}.app")
    given: dict[str, str] = getattr(module, "DEMO_CREDENTIALS", {})
    return given


def _armed(wanted: list[str]) -> Faults:
    faults = Faults()
    for each in wanted:
        name, _, details = each.partition(":")
        given = dict(pair.split("=", 1) for pair in details.split(",") if "=" in pair)
        try:
            faults.arm(
                name,
                times=int(given["times"]) if "times" in given else None,
                match=given.get("match", "*"),
                seconds=float(given["seconds"]) if "seconds" in given else None,
                amount=int(given["amount"]) if "amount" in given else None,
            )
        except (UnknownFault, ValueError) as error:
            raise CommandError(f"--fault {each}: {error}") from error
    return faults
