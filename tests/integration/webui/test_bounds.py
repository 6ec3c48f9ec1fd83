"""Pages cost the database a bounded number of steps, however many rows there are, and a first visit few bytes.

Steps of SQLite's machine are counted, not milliseconds: a busy computer changes nothing about them. The benchmark
`big_pages` measures the time, over a million rows.
"""

import gzip
import re
from pathlib import Path

import pytest

from benchmarks.big_pages import paths
from schema.database import Database
from tests.fixtures import filling
from tests.fixtures.filling import SMALL, Sizes
from tests.integration.webui.site import Site, open_site

# Rows that pages page through; the rest is small everywhere.
DOUBLE = SMALL._replace(sessions=6_000, events=60_000, checks=60_000, audit=6_000, triggers=1_200)
STEPS = 100
# Counting is what these are for: a count along an index, a search through what a filter has no index for, rows that are
# passed over, of which there are more than these tables have.
GROWS = re.compile(
    r"/metrics|/api/v1/stats|/sessions\?(q|tier)=.*|/events\?(service|level)=.*|/audit\?.*|/api/v1/\w+\?.*offset=50000.*"
)


class Counted:
    """The reader's steps, in hundreds."""

    def __init__(self) -> None:
        self.steps = 0

    def watch(self, database: Database) -> None:
        def count() -> bool:
            self.steps += 1
            return False

        database._connection.set_progress_handler(count, STEPS)


async def steps_of(directory: Path, sizes: Sizes) -> dict[str, int]:
    """What each page costs the database."""
    (directory / "state").mkdir(parents=True)
    filling.fill(directory / "state" / "claudeops.db", sizes)
    found: dict[str, int] = {}
    async with open_site(directory, budget_day_usd=20.0) as site:
        browser = site.browser("admin")
        counted = await watched(site)
        for path in paths(directory / "state"):
            for _ in range(2):
                counted.steps = 0
                async with browser.get(path) as response:
                    assert response.status < 500, (path, await response.text())
            found[path] = counted.steps
    return found


async def watched(site: Site) -> Counted:
    """Has the reader's steps counted."""
    counted = Counted()
    await site.parts.state.read(counted.watch)
    return counted


async def test_twice_the_rows_cost_no_page_more_steps(tmp_path: Path) -> None:
    once, twice = await steps_of(tmp_path / "a", SMALL), await steps_of(tmp_path / "b", DOUBLE)
    # Addresses with ids differ between the two; the others are the same pages.
    grown = {
        path: (once[path], twice[path])
        for path in once.keys() & twice.keys()
        if twice[path] > 1.3 * once[path] + 20 and not GROWS.fullmatch(path)
    }
    assert grown == {}
    # What is asked for by a filter is found, not searched for; what is too far is not even looked for.
    found = [path for path in once if path.startswith("/api/v1/") and "?" in path and not GROWS.fullmatch(path)]
    assert len(found) >= 15
    for path in found:
        assert twice[path] <= (2 if path.endswith("=900000") else 1500 if "=20000" in path else 250), path
    assert len(once) > 40
    assert once["/services"] > 0


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_first_visit_to_the_overview_takes_60_kb_at_most_and_the_next_one_fetches_no_asset(
    tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "state").mkdir()
    filling.fill(tmp_path / "state" / "claudeops.db", SMALL)
    async with open_site(tmp_path) as site:
        browser = site.browser("admin", headers={"Accept-Encoding": encoding})
        async with browser.get("/") as response:
            html = await response.read()
        total = len(gzip.compress(html))
        assets = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html.decode()))
        assert {name.partition("?")[0] for name in assets} >= {"/static/app.css", "/static/live.js"}
        for name in assets:
            async with browser.get(name) as response:
                body = await response.read()
                assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            if not name.endswith(".woff2"):
                total += len(gzip.compress(body))
        assert total <= 60_000
