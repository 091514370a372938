from pathlib import Path

import pytest

from trading_site.assets import FONTS, ICONS, SHEETS, AssetMissing, build_assets, sprite


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder that looks as ``npm ci`` leaves it."""
    root = tmp_path / "node_modules"
    files = {
        "bootstrap/dist/css/bootstrap.min.css": "a{}/*# sourceMappingURL=b.map */",
        "@tabler/icons-sprite/dist/tabler-sprite.svg": tabler(),
        "htmx.org/dist/htmx.min.js": "htmx",
        "axe-core/axe.min.js": "for tests alone",
        **{f"@fontsource-variable/ibm-plex-sans/files/{name}": "font" for name in FONTS},
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def static(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "css").mkdir(parents=True)
    for name in SHEETS:
        (root / "css" / name).write_text(f"/* {name} */")
    return root


def tabler(*, without: str = "") -> str:
    symbols = (
        f'<symbol id="tabler-{name}" stroke-width="2"><path d="M0 0"/></symbol>'
        for name in ICONS.values()
        if name != without
    )
    return f"<svg><defs>{''.join(symbols)}</defs></svg>"


class TestBuildAssets:
    def test_asks_for_npm_ci_when_it_has_not_run(self, tmp_path: Path, static: Path) -> None:
        with pytest.raises(AssetMissing, match="npm ci"):
            build_assets(packages=tmp_path / "nothing", static=static)

    def test_joins_bootstrap_and_ours_in_order(self, packages: Path, static: Path) -> None:
        build_assets(packages=packages, static=static)
        sheet = (static / "vendor" / "pinnacle.css").read_text()
        places = [sheet.index(f"/* {name} */") for name in SHEETS]
        assert sheet.startswith("a{}") and places == sorted(places)

    def test_names_no_source_map(self, packages: Path, static: Path) -> None:
        build_assets(packages=packages, static=static)
        assert "sourceMappingURL" not in (static / "vendor" / "pinnacle.css").read_text()

    def test_serves_what_a_page_loads_and_nothing_else(self, packages: Path, static: Path) -> None:
        build_assets(packages=packages, static=static)
        served = {path.name for path in (static / "vendor").iterdir()}
        assert served == {"pinnacle.css", "icons.svg", "htmx.min.js", *FONTS}

    def test_can_run_again(self, packages: Path, static: Path) -> None:
        first = build_assets(packages=packages, static=static)
        assert build_assets(packages=packages, static=static) == first
        assert all(path.exists() for path in first)


class TestSprite:
    def test_has_every_icon_under_our_name(self) -> None:
        drawn = sprite(tabler())
        assert all(f'id="i-{name}"' in drawn for name in ICONS)

    def test_leaves_the_strokes_to_the_style(self) -> None:
        assert "stroke-width" not in sprite(tabler())

    def test_refuses_a_package_without_one_of_them(self) -> None:
        with pytest.raises(AssetMissing, match="shield"):
            sprite(tabler(without="shield"))
