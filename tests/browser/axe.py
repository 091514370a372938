"""What axe-core, the accessibility checker, finds wrong with the page that is open."""

from pathlib import Path

from django.conf import settings
from playwright.sync_api import Page

SOURCE = Path("node_modules") / "axe-core" / "axe.min.js"
# Every rule that is on by itself, whatever weight it has.
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map(({ id, impact, nodes }) =>
    `${impact} ${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
}"""


def faults(page: Page) -> list[str]:
    """Run every rule. The checker comes by the debugger, which no content policy holds up."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((settings.BASE_DIR / SOURCE).read_text())
    found: list[str] = page.evaluate(RUN)
    return found
