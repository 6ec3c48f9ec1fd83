"""The latency chart of a service's page: drawn by a script in place of the server's drawing, with the same numbers."""

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from daemon.services import rollups
from schema.database import Database
from tests.browser.axe import look as axe_look
from tests.browser.axe import prepare, unfold
from tests.browser.screens import screen, wait_until
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn

QUARTER = 900_000
# How many pixels of the drawing have a colour that a variable of the theme names.
PAINTED = """([name, from, to]) => {
  const canvas = document.querySelector("#latency-plot canvas");
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  context.fillRect(0, 0, 1, 1);
  const wanted = context.getImageData(0, 0, 1, 1).data;
  context.clearRect(0, 0, 1, 1);
  context.drawImage(canvas, 0, 0);
  const x = Math.floor(copy.width * from), width = Math.floor(copy.width * (to - from));
  const found = context.getImageData(x, 0, width, copy.height).data;
  let count = 0;
  for (let i = 0; i < found.length; i += 4)
    if ([0, 1, 2, 3].reduce((sum, n) => sum + Math.abs(found[i + n] - wanted[n]), 0) < 12) count += 1;
  return count;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInSite]:
    """A dashboard with a service that was not probed for the hours 12 to 8 before now."""
    with stand_in_site(tmp_path_factory.mktemp("site")) as made:
        made.ask(fill)
        yield made


def fill(worker: StandIn) -> None:
    """Two findings a quarter for a day, one of them slow, with a gap of four hours."""
    database = worker.database
    id_ = rows.probed(database, "shop", findings=False)
    now = int(time.time() * 1000)
    for ago in range(1, 95):
        if 32 <= ago < 48:
            continue
        at = now // QUARTER * QUARTER - ago * QUARTER
        for number, us in enumerate((40_000 + ago * 100, 55_000, 90_000)):
            add(database, id_, at + number * 1000, us)
    minute = now // 60_000 * 60_000
    rollups.roll_one(database, id_, minute - 86_400_000, minute)


def add(database: Database, id_: int, at: int, us: int) -> None:
    """A finding."""
    database.change("results.add", service_id=id_, at=at, beat="h", latency_us=us, phases=None, detail=None)


def drawn(page: Page) -> None:
    """Until the script has drawn."""
    expect(page.locator("#latency-plot canvas")).to_be_visible()


def painted(page: Page, name: str, start: float = 0.2, end: float = 1.0) -> int:
    """How much of a colour of the theme is in a part of the drawing."""
    return int(page.evaluate(PAINTED, [name, start, end]))


def legend(page: Page) -> list[str]:
    """What the legend says: the moment, p50, p95, p99."""
    return page.locator("#latency-plot .u-value").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_takes_the_drawings_place_fits_and_follows_theme_and_width(
    site: StandInSite, browser: Browser, width: int, scheme: str
) -> None:
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with screen(browser, site, **look) as made:
        page = made.go("/services/shop")
        drawn(page)
        expect(page.locator("#latency-drawn")).to_be_hidden()
        assert page.evaluate("document.scrollingElement.scrollWidth") == width
        for colour in ("--info-fill", "--plan-fill", "--neutral-fill"):
            assert painted(page, colour) > 20, colour
        before = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--info-fill')")
        page.locator("[data-theme-toggle]").first.click()
        after = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--info-fill')")
        assert before != after
        assert painted(page, "--info-fill") > 20  # the other theme's blue
        page.set_viewport_size({"width": 700, "height": 900})
        plot = "document.querySelector('#latency-plot')"
        wait_until(page, f"{plot}.querySelector('.u-wrap').offsetWidth === {plot}.clientWidth")
        assert page.evaluate("document.scrollingElement.scrollWidth") == 700


def test_a_time_without_findings_is_a_gap(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = made.go("/services/shop")
        drawn(page)
        plot = json.loads(page.get_attribute("#latency-plot", "data-plot") or "")
        assert len(plot["at"]) == len(plot["p50"]) == 96
        gaps = [place for place, value in enumerate(plot["p50"]) if value is None and 1 < place < 95]
        assert gaps == list(range(gaps[0], gaps[0] + 16))
        over = page.locator("#latency-plot .u-over").bounding_box()
        whole = page.locator("#latency-plot canvas").bounding_box()
        assert over is not None
        assert whole is not None

        def place(slot: float) -> float:
            return (over["x"] - whole["x"] + over["width"] * slot / 95) / whole["width"]

        assert painted(page, "--info-fill", place(gaps[0] + 1), place(gaps[-1] - 1)) == 0
        assert painted(page, "--info-fill", place(gaps[0] - 9), place(gaps[0] - 2)) > 10
        assert painted(page, "--info-fill", place(gaps[-1] + 3), place(gaps[-1] + 10)) > 10


def test_the_legend_says_what_is_pointed_at_and_otherwise_the_latest(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = made.go("/services/shop")
        drawn(page)
        latest = legend(page)
        assert latest[0] == "latest"
        assert latest[2:] == ["90 ms", "90 ms"]
        over = page.locator("#latency-plot .u-over")
        box = over.bounding_box()
        assert box is not None
        over.hover(position={"x": box["width"] * 10 / 95, "y": box["height"] / 2})
        wait_until(page, "document.querySelector('#latency-plot .u-value').textContent !== 'latest'")
        plot = json.loads(page.get_attribute("#latency-plot", "data-plot") or "")
        moment, *values = legend(page)
        assert moment == time.strftime("%H:%M", time.gmtime(plot["at"][10]))
        assert values == [f"{round(plot[name][10])} ms" for name in ("p50", "p95", "p99")]


def test_what_is_found_meanwhile_is_drawn_when_the_page_renews_itself(site: StandInSite, browser: Browser) -> None:
    def add_now(worker: StandIn) -> None:
        number = worker.database.rows("definitions.by_name", name="shop")[0]["id"]
        add(worker.database, number, int(time.time() * 1000), 4_321_000)

    with screen(browser, site) as made:
        page = made.go("/services/shop")
        drawn(page)
        canvas = page.locator("#latency-plot canvas").element_handle()
        site.ask(add_now)
        wait_until(page, "document.querySelectorAll('#latency-plot .u-value')[3].textContent === '4.3 s'", 25)
        assert canvas is not None
        assert canvas.evaluate("node => node.isConnected")  # the same drawing goes on
        site.ask(lambda worker: worker.database.script("DELETE FROM results WHERE latency_us = 4321000"))


def test_readers_get_the_label_and_the_table_and_axe_finds_nothing(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site, reduced_motion="reduce") as made:
        page = prepare(made).go("/services/shop")
        drawn(page)
        image = page.get_by_role("img", name="Slowest answer of each quarter of an hour")
        expect(image).to_have_attribute("id", "latency-plot")
        expect(page.locator("#latency-plot > [aria-hidden=true] canvas")).to_have_count(1)
        page.locator("#latency summary").press("Enter")
        table = page.get_by_role("region", name="Latency of shop")
        expect(table).to_be_visible()
        expect(table.locator("thead th")).to_have_text(
            ["From (UTC)", "Checks", "Failed", "Fastest", "p50", "p95", "p99", "Slowest"]
        )
        expect(table.locator("tbody tr").first.locator("td").last).to_have_text("90 ms")
        unfold(page)
        assert axe_look(page, "a drawn chart") == []


def test_without_javascript_the_servers_drawing_is_there(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site, java_script_enabled=False) as made:
        page = made.go("/services/shop")
        expect(page.locator("#latency-drawn svg")).to_be_visible()
        expect(page.locator("#latency-plot")).to_be_hidden()


def test_the_library_burdens_no_other_page(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = made.open()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(made.root + "/services")
        page.goto(made.root + "/")
        assert not [url for url in asked if "uplot" in url or "latency.js" in url]
