"""Maintenance windows in words and in the fields of their form, and what the fields say as a window. Pure.

Used by `webui.pages.maintenance`. Weekly ones are cron expressions to the worker; here they are days and a time.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from schema import timestamps, zones
from schema.definitions import Window
from schema.monitored import PlannedWindow
from webui.pages import formats, service_form
from webui.pages.ansi import plain
from webui.pages.formats import At

DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
WHENS = (("now", "now"), ("once", "once, from a time on"), ("weekly", "every week"), ("cron", "by a cron expression"))
WEEKLY = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* (\d(?:,\d)*)")
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
MINUTES_NOW = 30


class Day(NamedTuple):
    """A day of the week in the form."""

    value: str
    label: str
    chosen: bool


class WindowForm(NamedTuple):
    """What stands in the form. `wrong`: what can't be so, by field; `error`: what is wrong with none of them."""

    title: str
    when: str
    whens: tuple[tuple[str, str], ...]
    starts_at: str
    days: list[Day]
    time: str
    cron: str
    zone: str
    minutes: str
    services: str
    tags: str
    wrong: dict[str, str]
    error: str


class WindowRow(NamedTuple):
    """A window in the list. `place`: now, coming or over."""

    id: int
    title: str
    place: str
    when: str
    next: At | None
    ends: At | None
    services: list[str]
    more: int
    tags: list[str]
    everything: bool
    by: str


NAMED = 12


def form(
    fields: Mapping[str, str], days: list[str], wrong: dict[str, str] | None = None, error: str = ""
) -> WindowForm:
    """The form with what was written in it."""
    when = fields.get("when", "now")
    return WindowForm(
        title=fields.get("title", ""),
        when=when if when in dict(WHENS) else "now",
        whens=WHENS,
        starts_at=fields.get("starts_at", ""),
        days=[Day(str(number), label, str(number) in days) for number, label in enumerate(DAYS)],
        time=fields.get("time", ""),
        cron=fields.get("cron", ""),
        zone=fields.get("zone", "UTC"),
        minutes=fields.get("minutes", str(MINUTES_NOW)),
        services=fields.get("services", ""),
        tags=fields.get("tags", ""),
        wrong=dict(wrong or {}),
        error=error,
    )


def read(fields: Mapping[str, str], days: list[str]) -> tuple[Window, dict[str, str]]:
    """What the fields say, and what is wrong with any of them by its name."""
    wrong: dict[str, str] = {}
    when, zone = fields.get("when", "now"), fields.get("zone", "").strip() or "UTC"
    minutes = service_form.WAYS["whole"].read(fields.get("minutes", str(MINUTES_NOW)).strip())
    title = fields.get("title", "").strip()
    starts_at = cron = ""
    if not title:
        wrong["title"] = "Say what is done; it stands on status pages too."
    if minutes < 1:
        wrong["minutes"] = "A whole number, such as 30."
    try:
        zones.zone(zone)
    except ValueError as error:
        wrong["zone"] = f"{error}."
    if when == "once":
        starts_at = _moment(fields.get("starts_at", ""), zone, wrong)
    elif when == "weekly":
        cron = _weekly(fields.get("time", ""), days, wrong)
    elif when == "cron":
        cron = fields.get("cron", "").strip()
        if not cron:
            wrong["cron"] = "Such as 0 2 * * 0: at 02:00 on Sundays."
    window = Window(
        title=title,
        minutes=minutes,
        starts_at=starts_at,
        cron=cron,
        zone=zone,
        services=service_form.WAYS["lines"].read(fields.get("services", "")),
        tags=service_form.WAYS["words"].read(fields.get("tags", "")),
    )
    return window, wrong


def _moment(text: str, zone: str, wrong: dict[str, str]) -> str:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        wrong["starts_at"] = "A date and a time, such as 2026-01-31T22:00."
        return ""
    if "zone" in wrong:
        return ""
    try:
        return timestamps.stamp(moment if moment.tzinfo else moment.replace(tzinfo=zones.zone(zone)))
    except (ValueError, OverflowError):
        wrong["starts_at"] = "A date that is nearer to now."
        return ""


def _weekly(time: str, days: list[str], wrong: dict[str, str]) -> str:
    chosen = sorted({day for day in days if day in map(str, range(len(DAYS)))})
    clock = CLOCK.fullmatch(time.strip())
    if not chosen:
        wrong["day"] = "Choose a day at least."
    if clock is None:
        wrong["time"] = "A time of day, such as 02:30."
    return f"{int(clock[2])} {int(clock[1])} * * {','.join(chosen)}" if chosen and clock else ""


def words(window: Window) -> str:
    """When it is: `once, 2026-01-31 22:00 UTC`, `Mon, Thu 02:30 Europe/Berlin`, or the cron expression."""
    if window.starts_at:
        return f"once, from {timestamps.stamp(timestamps.parse(window.starts_at))[:16].replace('T', ' ')} UTC"
    weekly = WEEKLY.fullmatch(window.cron)
    if weekly and all(int(day) < len(DAYS) for day in weekly[3].split(",")):
        named = ", ".join(DAYS[int(day)] for day in weekly[3].split(","))
        return f"every {named} at {int(weekly[2]):02d}:{int(weekly[1]):02d} {plain(window.zone)}"
    return f"by cron {plain(window.cron)}, {plain(window.zone)}"


def row(planned: PlannedWindow, now: datetime) -> WindowRow:
    """A window, seen at `now`."""
    window = planned.window
    place = "now" if planned.active else "coming" if planned.next_at else "over"
    names = [plain(name) for name in window.services]
    length = formats.span(window.minutes * 60)
    return WindowRow(
        id=planned.id,
        title=plain(window.title),
        place=place,
        when=f"{words(window)}, for {length}",
        next=At(planned.next_at, formats.until(planned.next_at, now)) if planned.next_at else None,
        ends=At(planned.ends_at, formats.until(planned.ends_at, now)) if planned.ends_at else None,
        services=names[:NAMED],
        more=max(0, len(names) - NAMED),
        tags=[plain(tag) for tag in window.tags if tag != "*"],
        everything="*" in window.tags,
        by=plain(planned.created_by),
    )
