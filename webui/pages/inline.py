"""A row of the list of services as fields: what stands in them, what is wrong, what somebody else has written. Pure.

Made by `webui.pages.inline_edit`; shown by `webui.pages.services`.
"""

from collections.abc import Mapping
from typing import NamedTuple

NAMES = ("name", "url", "interval", "tags")


class RowForm(NamedTuple):
    """The fields of one row. `theirs`: what is stored now of those that somebody else has changed meanwhile.

    `query` is the list that it stands in, `back` its address, `page` its page.
    """

    id: int
    version: int
    key: str
    values: dict[str, str]
    wrong: dict[str, str]
    theirs: dict[str, str]
    error: str
    query: dict[str, str]
    back: str
    page: str


def differing(stored: Mapping[str, str], mine: Mapping[str, str]) -> dict[str, str]:
    """What is stored of the fields that say something else."""
    return {name: stored[name] for name in NAMES if stored[name].strip() != mine.get(name, "").strip()}
