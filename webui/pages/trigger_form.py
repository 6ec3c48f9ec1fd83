"""The form that asks for a session, on the overview and on the queue's page. Pure."""

import uuid
from typing import NamedTuple

from schema.settings import Settings


class TriggerForm(NamedTuple):
    """What stands in the form, and what was wrong with it."""

    prompt: str
    tier: str
    error: str | None
    key: str


class TierChoice(NamedTuple):
    """A tier that a session can be of."""

    tier: str
    model: str
    busy: bool


def begun() -> TriggerForm:
    """An empty form."""
    return TriggerForm("", "1", None, uuid.uuid4().hex)


def choices(settings: Settings, busy: set[int]) -> list[TierChoice]:
    """The tiers up to the highest that may run."""
    models = (settings.tier1_model, settings.tier2_model, settings.tier3_model)
    return [TierChoice(str(tier), models[tier - 1], tier in busy) for tier in range(1, settings.max_tier + 1)]
