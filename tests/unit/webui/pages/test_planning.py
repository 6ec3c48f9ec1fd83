"""A maintenance window in the fields of its form and in words, and back."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules import windows
from schema.definitions import Window
from webui.pages import planning

ZONES = ("UTC", "Europe/Berlin", "America/New_York")


@given(
    days=st.lists(st.sampled_from("0123456"), min_size=1, max_size=7),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    zone=st.sampled_from(ZONES),
)
def test_weekly_fields_are_a_window_that_the_worker_takes_and_that_is_read_back_in_words(
    days: list[str], hour: int, minute: int, zone: str
) -> None:
    fields = {"title": "x", "when": "weekly", "time": f"{hour:02d}:{minute:02d}", "zone": zone, "tags": "*"}
    window, wrong = planning.read(fields, days)
    assert wrong == {}
    assert windows.problem(window) is None
    named = ", ".join(planning.DAYS[int(day)] for day in sorted(set(days)))
    assert planning.words(window) == f"every {named} at {hour:02d}:{minute:02d} {zone}"
    begins = windows.next_start(window, datetime(2026, 3, 14, 12, tzinfo=UTC))
    assert begins is not None
    # cron counts days from Sunday, Python from Monday
    assert str((begins.weekday() + 1) % 7) in days


@given(moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), zone=st.sampled_from(ZONES))
def test_a_time_of_the_form_is_that_of_its_zone(moment: datetime, zone: str) -> None:
    fields = {"title": "x", "when": "once", "starts_at": moment.strftime("%Y-%m-%dT%H:%M"), "zone": zone, "tags": "a"}
    window, wrong = planning.read(fields, [])
    assert wrong == {}
    apart = datetime.fromisoformat(window.starts_at).replace(tzinfo=None) - moment.replace(second=0, microsecond=0)
    hours = apart.total_seconds() / 3600
    assert hours in {"UTC": (0,), "Europe/Berlin": (-1, -2), "America/New_York": (4, 5)}[zone]


@given(st.dictionaries(st.sampled_from(("title", "when", "starts_at", "time", "cron", "zone", "minutes", "tags")),
                       st.text(max_size=30)), st.lists(st.text(max_size=3)))  # fmt: skip
def test_whatever_is_written_is_read_or_said_to_be_wrong(fields: dict[str, str], days: list[str]) -> None:
    window, wrong = planning.read(fields, days)
    assert wrong or isinstance(window, Window)
    assert planning.form(fields, days, wrong).wrong == wrong
