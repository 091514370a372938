"""What a page loads besides itself, gathered from ``node_modules`` at set-up.

The sheets become one file: served apart, a form is now and then styled before the last arrives.
"""

import re
import shutil
from pathlib import Path

SHEETS = ("tokens.css", "base.css", "components.css", "pinnacle.css")
FONTS = (
    "ibm-plex-sans-latin-wght-normal.woff2",
    "ibm-plex-sans-latin-ext-wght-normal.woff2",
)
# Our name of an icon, and Tabler's.
ICONS = {
    "alert": "alert-triangle",
    "basket": "basket",
    "bell": "bell",
    "calendar": "calendar",
    "chain": "columns-3",
    "chart": "chart-candle",
    "check": "check",
    "check-c": "circle-check",
    "clock": "clock",
    "close": "x",
    "copy": "copy",
    "down": "chevron-down",
    "edit": "pencil",
    "eye": "eye",
    "half": "circle-half-2",
    "halt": "octagon-minus",
    "help": "help-circle",
    "holdings": "chart-pie",
    "home": "home",
    "import": "file-import",
    "info": "info-circle",
    "key": "key",
    "mail": "mail",
    "lock": "lock",
    "lost": "wifi-off",
    "minus-c": "circle-minus",
    "moon": "moon",
    "more": "dots",
    "orders": "list-details",
    "out": "download",
    "pause": "player-pause",
    "play": "player-play",
    "plug": "plug",
    "plus": "plus",
    "positions": "stack-2",
    "refresh": "refresh",
    "reports": "file-text",
    "right": "chevron-right",
    "ring": "circle",
    "risk": "shield",
    "search": "search",
    "settings": "adjustments-horizontal",
    "sign-out": "logout",
    "stop": "player-stop",
    "strategy": "sitemap",
    "sun": "sun",
    "trades": "arrows-exchange",
    "trash": "trash",
    "x-c": "circle-x",
}
SYMBOL = re.compile(r'<symbol id="tabler-([a-z0-9-]+)"([^>]*)>(.*?)</symbol>', re.DOTALL)


class AssetMissing(Exception):
    """A file that ``npm ci`` brings, or an icon in it, is not there."""


def build_assets(*, packages: Path, static: Path) -> list[Path]:
    """Write style sheet, fonts, icons and htmx into ``static/vendor`` and return the paths.

    :raises AssetMissing: when ``npm ci`` has not run, or brought another version.
    """
    vendor = static / "vendor"
    vendor.mkdir(parents=True, exist_ok=True)
    written = [vendor / "pinnacle.css", vendor / "icons.svg"]
    written[0].write_text(joined_sheets(packages, static / "css"), encoding="utf-8")
    written[1].write_text(sprite(_read(packages / "@tabler/icons-sprite/dist/tabler-sprite.svg")))
    for source in (packages / "htmx.org/dist/htmx.min.js", *_fonts(packages)):
        written.append(vendor / source.name)
        _copy(source, written[-1])
    return written


def joined_sheets(packages: Path, sheets: Path) -> str:
    bootstrap = _read(packages / "bootstrap/dist/css/bootstrap.min.css")
    # A manifest of static files would look for the map that the last line names.
    bootstrap = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", bootstrap)
    return "\n".join([bootstrap, *(_read(sheets / name) for name in SHEETS)])


def sprite(tabler: str) -> str:
    """Pick our icons out of Tabler's, under our names; the page's style draws their strokes.

    :raises AssetMissing: when Tabler has no icon of that name.
    """
    symbols = {name: (attributes, body) for name, attributes, body in SYMBOL.findall(tabler)}
    missing = sorted(set(ICONS.values()) - set(symbols))
    if missing:
        raise AssetMissing(f"No such icons: {', '.join(missing)}")
    drawn = "\n".join(
        f'<symbol id="i-{ours}" viewBox="0 0 24 24">{symbols[theirs][1].strip()}</symbol>'
        for ours, theirs in ICONS.items()
    )
    notice = "<!-- Tabler Icons, MIT, https://tabler.io/icons -->"
    return f'<svg xmlns="http://www.w3.org/2000/svg">{notice}\n{drawn}\n</svg>\n'


def _fonts(packages: Path) -> list[Path]:
    folder = packages / "@fontsource-variable/ibm-plex-sans/files"
    return [folder / name for name in FONTS]


def _read(path: Path) -> str:
    if not path.exists():
        raise AssetMissing(f"{path} is missing: run npm ci first")
    return path.read_text(encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        raise AssetMissing(f"{source} is missing: run npm ci first")
    shutil.copyfile(source, target)
