"""axe-core over a page: WCAG 2.2 at A and AA, and the sizes of targets. For the tests that look at pages.

What is looked at is the page without repetitions: of parts that have the same tags, classes and roles at the same kind
of place, axe sees three; and the frame (top bar, menus, icons, help), which is the same on every page, where the caller
says so. What comes live is made by the same templates: the pages are looked at as they were loaded.
"""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.screens import Screen

RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
# Of all rules, these alone depend on the theme.
CONTRAST: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
OF_LOOKS: dict[str, Any] = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]},
    "resultTypes": ["violations"],
}
FRAME = [[".topbar"], [".nav"], ["#help"]]
NARROW, WIDE = (360, "dark"), (1440, "light")
Finding = tuple[str, str, list[str]]

UNFOLD = "document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })"
THIN = """() => {
  document.querySelector(".sprite")?.remove(); // the icons' outlines: hidden, and most of a page's elements
  const own = (node) => [node.localName, node.getAttribute("class"), node.getAttribute("role")];
  const shape = (node) => [...own(node), ...[...node.children].map(shape)].join();
  const seen = new Map();
  for (const box of [...document.querySelectorAll("main *")].reverse()) {
    for (const child of [...box.children].slice(1)) {
      if (!child.matches("li, tr, option, article, section, dl > div, .entry, .opblock, svg *")) continue;
      const kind = `${own(box)} > ${shape(child)}`, times = seen.get(kind) ?? 0;
      if (times < 3) seen.set(kind, times + 1); else child.remove();
    }
  }
}"""
# A page that waits for its stream, and is told nothing.
SILENT = "window.EventSource = class { readyState = 0; addEventListener() {} close() {} };"
RUN = """([context, options]) => axe.run(context, options).then((report) => ({
  passes: report.passes.length,
  found: report.violations.map((rule) => [rule.id, rule.nodes.map((node) => node.html.slice(0, 200))]),
}))"""


def prepare(made: Screen, *, live: bool = False) -> Screen:
    """Has each page of a screen bring axe along, which is quicker than to send it to each; without its stream."""
    made.context.add_init_script(Axe().axe_script if live else SILENT + Axe().axe_script)
    return made


def thin(page: Page) -> None:
    """Leaves three of each kind."""
    page.evaluate(THIN)


def unfold(page: Page) -> None:
    """Opens what is folded."""
    page.evaluate(UNFOLD)
    page.evaluate("scrollTo(0, 0)")


def dress(page: Page, width: int, theme: str) -> None:
    """The window's width, and the theme."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})


def look(page: Page, name: str, *, frame: bool = False, rules: dict[str, Any] = RULES) -> list[Finding]:
    """What axe finds, with `name` before each, and whether the page is wider than its window."""
    report = page.evaluate(RUN, [{"exclude": [] if frame else FRAME}, rules])
    assert report["passes"], f"axe has not looked at {name}"
    found: list[Finding] = [(name, rule, nodes) for rule, nodes in report["found"]]
    if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
        found.append((name, "scrolls sideways", []))
    return found


def look_twice(page: Page, name: str, *, frame: bool = False) -> list[Finding]:
    """The same for both: on the wide page by all rules, on the narrow one by those that depend on the looks."""
    found = []
    for looks, rules in ((NARROW, OF_LOOKS), (WIDE, RULES)):
        dress(page, *looks)
        found += look(page, f"{name}, {looks}", frame=frame, rules=rules)
    return found
