"""The models that chats name: each is a tier to start at. Pure; used by `webui.api.openai` and `webui.api.ollama`."""

from ipc.errors import CallError, Code

TIERS = {"claude-ops": 1, "claude-ops-tier1": 1, "claude-ops-tier2": 2, "claude-ops-tier3": 3}
LATEST = ":latest"
OWNER = "claude-ops"


def names(max_tier: int) -> list[str]:
    """The models whose tier may run."""
    return [name for name, tier in TIERS.items() if tier <= max_tier]


def tier_of(model: str, max_tier: int) -> int:
    """The tier to start at. CallError names the models that there are."""
    tier = TIERS.get(model.strip().removesuffix(LATEST))
    if tier is None:
        there = ", ".join(names(max_tier))
        raise CallError(Code.NOT_FOUND, f"There is no model {model[:60]!r}; choose one of {there}.")
    if tier > max_tier:
        raise CallError(Code.INVALID, f"Tier {tier} may not run: CLAUDEOPS_MAX_TIER is {max_tier}.")
    return tier
