"""Draws the PNG icons of the installed dashboard from the SVGs beside it, in Chromium. Called by `make icons`."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "webui" / "static"
CHROMIUM = "/usr/bin/chromium"
# An icon that a phone cuts to its own shape reaches to the edges; the others have round corners and nothing around.
ICONS = (
    ("icon.svg", 192, "icon-192.png"),
    ("icon.svg", 512, "icon-512.png"),
    ("maskable.svg", 512, "icon-maskable-512.png"),
    ("maskable.svg", 180, "icon-apple-180.png"),
)


def draw(to: Path) -> None:
    """Writes them to a directory."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for source, size, name in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            svg = (HERE / source).read_text(encoding="utf-8")
            page.set_content(f"<style>*{{margin:0}} svg{{display:block;width:{size}px;height:{size}px}}</style>{svg}")
            page.screenshot(path=to / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else STATIC)
