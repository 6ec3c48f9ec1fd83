"""What sessions cost: by day, tier, model and trigger, against the budget and the days before. GET /cost, /cost.json.

The sums come from `schema.cost`; charts are drawn here, so that the page needs no script.
"""

import asyncio
from typing import Any, NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from schema import cost
from schema.cost import ChainCost, CostReport, DayCost
from schema.database import Database
from schema.sessions import from_row
from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import charts, formats, session_rows
from webui.pages.charts import Chart
from webui.parts import Parts, parts

RANGES = (7, 30, 90)
USUAL = 30
TONES = ("info", "plan", "neutral")  # of tier 1 to 3
BUDGETS = ("budget_day_usd", "tier1_budget_day_usd", "tier2_budget_day_usd", "tier3_budget_day_usd")
HIGH = 2.0  # a budget so many times above the highest day is told in words, not drawn


class Budget(NamedTuple):
    """A budget of the day, and what of it is spent."""

    name: str
    spent: str
    limit: str
    percent: int
    tone: str


class RangeLink(NamedTuple):
    """One of the ranges that the page offers."""

    href: str
    label: str
    here: bool


class DayRow(NamedTuple):
    """A day in the table."""

    day: str
    tiers: list[str]
    cost: str
    sessions: int


class ShareRow(NamedTuple):
    """A tier, model or trigger with its share of the whole."""

    name: str
    tone: str
    cost: str
    percent: float
    share: str
    sessions: int


class ShareTable(NamedTuple):
    """What the money went into, one way to look at it."""

    id: str
    title: str
    rows: list[ShareRow]


class ChainRow(NamedTuple):
    """One of the dearest chains."""

    id: int
    href: str
    prompt: str
    day: str
    sessions: int
    cost: str


class CostPage(NamedTuple):
    """The page's context. `empty`: no session has started in these days."""

    shell: shell.Shell
    stream: str
    ranges: list[RangeLink]
    span: str
    total: str
    change: str
    each_day: str
    sessions: str
    budgets: list[Budget]
    chart: Chart
    first_day: str
    last_day: str
    days: list[DayRow]
    shares: list[ShareTable]
    chains: list[ChainRow]
    estimated: int
    unknown: int
    empty: bool
    json_href: str


def read_days(query: Any) -> int:
    """The range in the address. CallError for what is none."""
    text = query.get("days", "").strip() or str(USUAL)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= cost.DAYS_MAX):
        message = f"days={text[:40]!r} is no number of days from 1 to {cost.DAYS_MAX}; take the page's own ranges."
        raise CallError(Code.INVALID, message)
    return int(text)


async def budgets_of_day(here: Parts) -> dict[str, float]:
    """The budgets that are set, by their settings' names, as they are now; those of the start while nobody answers."""
    known = {setting.name: setting.value for setting in await here.worker.settings()}
    found = {}
    for name in BUDGETS:
        try:
            found[name] = float(known.get(name) or getattr(here.settings, name))
        except ValueError:
            found[name] = float(getattr(here.settings, name))
    return {name: value for name, value in found.items() if value > 0}


def budgets(today: DayCost, limits: dict[str, float]) -> list[Budget]:
    """What of each budget the day has spent."""
    spent = dict(zip(BUDGETS, (today.usd, *today.tiers), strict=True))
    names = ("The day", "Tier 1", "Tier 2", "Tier 3")
    return [
        budget(name, spent[setting], limits[setting])
        for setting, name in zip(BUDGETS, names, strict=True)
        if setting in limits
    ]


def budget(name: str, spent: float, limit: float) -> Budget:
    """One budget. Used up is bad, most of it gone a warning, as the daemon warns."""
    percent = int(100 * spent / limit)
    tone = "bad" if percent >= 100 else "warn" if percent >= 80 else "ok"
    return Budget(name, formats.cost(spent), formats.cost(limit), percent, tone)


PERCENT_MAX = 1000  # beyond it, what it was says more


def change(now: float, before: float, days: int) -> str:
    """What differs from the days before, with sign and word."""
    span = "the day before" if days == 1 else f"the {days} days before"
    if before <= 0:
        return f"nothing was spent in {span}"
    difference = now - before
    percent = abs(round(100 * difference / before))
    if not percent:
        return f"as much as in {span}"
    sign, word = ("+", "more") if difference > 0 else ("\u2212", "less")
    if percent >= PERCENT_MAX:
        return f"{formats.cost(before)} in {span}"
    return f"{sign}{formats.cost(abs(difference))}, {percent} % {word} than in {span}"


def chart(report: CostReport, limit: float | None) -> Chart:
    """Bars by day, stacked by tier, with the day's budget across."""
    highest = max((day.usd for day in report.days), default=0.0)
    drawn = limit if limit is not None and (highest <= 0 or limit <= HIGH * highest) else None
    most = charts.nice(max(highest, drawn or 0.0))
    slots = [
        charts.Slot(
            number * charts.STEP,
            f"{day.day}: {formats.cost(day.usd)}, {_count(day.sessions, 'session')}"
            + "".join(f", tier {tier} {formats.cost(usd)}" for tier, usd in enumerate(day.tiers, 1) if usd > 0),
        )
        for number, day in enumerate(report.days)
    ]
    dearest = max(report.days, key=lambda day: day.usd)
    label = (
        f"Cost by day, {report.since} to {report.until}: {formats.cost(report.usd)} in all, "
        f"most on {dearest.day} with {formats.cost(dearest.usd)}."
    )
    return Chart(
        width=len(report.days) * charts.STEP,
        layers=charts.stacked([day.tiers for day in report.days], TONES, most),
        slots=slots,
        label=label,
        top=formats.cost(most),
        mark=None if drawn is None else charts.TALL * (1 - drawn / most),
        mark_text="" if limit is None else f"budget {formats.cost(limit)} a day",
    )


def _count(number: int, noun: str) -> str:
    return f"{formats.count(number)} {noun}{'' if number == 1 else 's'}"


def shares(report: CostReport) -> list[ShareTable]:
    """Tiers, models and triggers."""

    def rows(found: list[cost.Share], tones: dict[str, str], word: str = "") -> list[ShareRow]:
        return [
            ShareRow(
                name=f"{word}{share.name}",
                tone=tones.get(share.name, "info"),
                cost=formats.cost(share.usd),
                percent=round(100 * share.usd / report.usd, 1) if report.usd else 0.0,
                share=f"{100 * share.usd / report.usd:.1f} %" if report.usd else formats.NONE,
                sessions=share.sessions,
            )
            for share in found
        ]

    of_tier = {str(tier): tone for tier, tone in zip(cost.TIERS, TONES, strict=True)}
    return [
        ShareTable("tiers", "By tier", rows(report.tiers, of_tier, "Tier ")),
        ShareTable("models", "By model", rows(report.models, {})),
        ShareTable("kinds", "By trigger", rows(report.triggers, {})),
    ]


def _prompts(database: Database, chains: list[ChainCost]) -> dict[int, str]:
    """What the first session of each was asked."""
    found = {}
    for chain in chains:
        row = database.one("sessions.by_id", id=chain.id)
        if row is not None:
            found[chain.id] = session_rows.prompt_line(from_row(row))
    return found


def _chain_row(chain: ChainCost, prompts: dict[int, str]) -> ChainRow:
    href = f"/chains/{chain.id}" if chain.sessions > 1 else f"/sessions/{chain.id}"
    prompt = prompts.get(chain.id, formats.NONE)
    return ChainRow(chain.id, href, prompt, chain.day, chain.sessions, formats.cost(chain.usd))


async def show(request: web.Request) -> web.StreamResponse:
    """GET /cost."""
    here, now = parts(request), formats.now()
    days = read_days(request.query)

    def look(database: Database) -> tuple[CostReport, dict[int, str]]:
        report = cost.read(database, days, now.date())
        return report, _prompts(database, report.chains)

    (report, prompts), limits = await asyncio.gather(here.state.read(look), budgets_of_day(here))
    if is_json(request):
        return json_response({"cost": report, "budgets_of_day": limits})
    return shell.page(request, "cost.html", _page(request, report, prompts, limits))


def _page(request: web.Request, report: CostReport, prompts: dict[int, str], limits: dict[str, float]) -> CostPage:
    days = len(report.days)
    return CostPage(
        shell=shell.build(request, "Cost", "cost"),
        stream="/live?page=frame",
        ranges=[RangeLink(f"/cost?days={count}", f"{count} days", count == days) for count in RANGES],
        span="1 day" if days == 1 else f"{days} days",
        total=formats.cost(report.usd),
        change=change(report.usd, report.previous_usd, days),
        each_day=formats.cost(report.usd / days),
        sessions=formats.count(report.sessions),
        budgets=budgets(report.days[-1], limits),
        chart=chart(report, limits.get("budget_day_usd")),
        first_day=report.since,
        last_day=report.until,
        days=[
            DayRow(day.day, [formats.cost(usd) for usd in day.tiers], formats.cost(day.usd), day.sessions)
            for day in reversed(report.days)
        ],
        shares=shares(report),
        chains=[_chain_row(chain, prompts) for chain in report.chains],
        estimated=report.estimated,
        unknown=report.unknown,
        empty=not report.sessions,
        json_href=f"/cost.json?days={days}",
    )
