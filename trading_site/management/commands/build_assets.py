from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading_site.assets import AssetMissing, build_assets


class Command(BaseCommand):
    help = "Gather style sheet, fonts, icons and htmx from node_modules into static/vendor"
    # It runs before there is anything to check.
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        root = settings.BASE_DIR
        try:
            written = build_assets(packages=root / "node_modules", static=root / "static")
        except AssetMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Wrote {len(written)} files into static/vendor")
