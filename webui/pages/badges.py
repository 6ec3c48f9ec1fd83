"""Badges (SVG) and the feed (RSS 2.0) of a status page. Pure; used by `webui.pages.public_status`."""

from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from schema import timestamps
from webui.pages import formats
from webui.pages.public_read import Outage, Snapshot

# As in packaging/css/theme.css, the light fills: white is read on each of them.
COLOURS = {
    "ok": "#266a46",
    "warn": "#9b5300",
    "bad": "#c5002b",
    "info": "#065fe0",
    "plan": "#6f1fb2",
    "neutral": "#5b6370",
}
GOOD, FAIR = 0.999, 0.99
CHARACTER = 6.6
LABEL_MAX = 60
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label={title}>'
    "<title>{text}</title>"
    '<rect width="{width}" height="20" rx="3" fill="{colour}"/>'
    '<path d="M3 0h{inner}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#333a44"/>'
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
    '<text x="6" y="14" textLength="{label_length}">{label}</text>'
    '<text x="{at}" y="14" textLength="{value_length}">{value}</text></g></svg>\n'
)


def tone_of(share: float | None) -> str:
    """The tone of an uptime."""
    if share is None:
        return "neutral"
    return "ok" if share >= GOOD else "warn" if share >= FAIR else "bad"


def draw(label: str, value: str, tone: str) -> str:
    """A badge: a label, and a value on the tone's colour."""
    label = printable(label)
    label = label if len(label) <= LABEL_MAX else f"{label[: LABEL_MAX - 1]}…"
    lengths = [round(len(text) * CHARACTER) for text in (label, value)]
    left = lengths[0] + 12
    return SVG.format(
        width=left + lengths[1] + 12,
        inner=left - 3,
        title=quoteattr(f"{label}: {value}"),
        text=escape(f"{label}: {value}"),
        colour=COLOURS[tone],
        label=escape(label),
        label_length=lengths[0],
        at=left + 6,
        value=escape(value),
        value_length=lengths[1],
    )


def printable(text: str) -> str:
    """Without what XML can't hold."""
    return "".join(one if one.isprintable() else " " for one in text)


def feed(found: Snapshot, address: str) -> str:
    """The incidents of a page as RSS."""
    items = "".join(_item(one, address) for one in found.outages)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(printable(found.title))}</title><link>{escape(address)}</link>"
        f"<description>{escape(printable(found.description or found.title))}</description>"
        f"<lastBuildDate>{_date(found.at)}</lastBuildDate>{items}</channel></rss>\n"
    )


def _item(one: Outage, address: str) -> str:
    name = printable(one.service)
    text = "It goes on."
    if one.ended_at:
        length = timestamps.parse(one.ended_at) - timestamps.parse(one.began_at)
        text = f"It is over; it lasted {formats.duration(length.total_seconds())}."
    elif one.seen:
        text = "It goes on; somebody looks after it."
    title = f"{name} was down" if one.ended_at else f"{name} is down"
    # Another guid once it is over: readers of feeds show an item once.
    mark = escape(f"{address}#{name}-{one.began_at}{'-over' if one.ended_at else ''}")
    return (
        f"<item><title>{escape(title)}</title><link>{escape(address)}</link><description>{escape(text)}</description>"
        f'<guid isPermaLink="false">{mark}</guid><pubDate>{_date(one.ended_at or one.began_at)}</pubDate></item>'
    )


def _date(stored: str) -> str:
    return format_datetime(timestamps.parse(stored))
