"""The dates of a cron expression. Pure: the moment to count from comes as an argument.

Called by the rules of the schedule, of maintenance windows and of heartbeats. The library that reads expressions is
loaded with the first one.
"""

from collections.abc import Iterator
from datetime import datetime


def following(expression: str, moment: datetime) -> datetime:
    """The first date after a moment, in that moment's zone. ValueError says what is wrong with the expression."""
    for date in _dates(expression, moment):
        return date
    raise ValueError(f"{expression!r} never comes within 50 years")


def preceding(expression: str, moment: datetime) -> datetime | None:
    """The last date before a moment, in that moment's zone; None if none was within 50 years. ValueError as above."""
    return next(_dates(expression, moment, reverse=True), None)


def _dates(expression: str, moment: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    from cronsim import CronSim, CronSimError

    try:
        return CronSim(expression, moment, reverse=reverse)
    except CronSimError as error:
        raise ValueError(f"{expression!r}: {error}") from None
