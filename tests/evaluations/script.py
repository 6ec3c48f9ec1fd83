"""The scripted model of a scenario: `script.toml` as turns that the demo's Messages API plays, tier by tier.

Texts may hold {world}, {web_url}, {web_dir} and so on, one pair for each service; everything else in braces stays.
"""

from collections.abc import Mapping
from typing import Any

from daemon.demo.turns import Script as Turns
from daemon.demo.turns import ToolUse, Turn
from tests.acceptance.real import say
from tests.evaluations.scenario import Call, Report, Script, TurnOf

# How the prompt of each tier begins, by which the API knows whose turn it is.
MARKS = {1: "# Tier 1: observe", 2: "# Tier 2: investigate", 3: "# Tier 3: remediate"}


def by_mark(script: Script, values: Mapping[str, str]) -> dict[str, Turns]:
    """The turns of each tier by the mark of its prompt."""
    tiers = {1: script.tier1, 2: script.tier2, 3: script.tier3}
    return {MARKS[tier]: [_turn(turn, values) for turn in turns] for tier, turns in tiers.items()}


def _turn(turn: TurnOf, values: Mapping[str, str]) -> Turn:
    if turn.report is not None:
        return Turn([ToolUse("StructuredOutput", _filled(_told(turn.report), values))])
    return say(_filled(turn.say, values), *(_call(call, values) for call in turn.calls))


def _call(call: Call, values: Mapping[str, str]) -> ToolUse:
    if call.bash:
        return ToolUse("Bash", _filled({"command": call.bash, "description": call.why}, values))
    return ToolUse(call.tool, _filled(call.input, values))


def _told(report: Report) -> dict[str, Any]:
    escalation: dict[str, Any] = {"needed": report.needed}
    if report.needed:
        failed = [name for name, status in report.status.items() if status != "healthy"]
        escalation |= {"reason": report.summary, "context": report.context, "failed_checks": failed}
    checked = [{"name": name, "status": status} for name, status in report.status.items()]
    return {"summary": report.summary, "events": [], "escalation": escalation, "services_checked": checked}


def _filled(content: Any, values: Mapping[str, str]) -> Any:
    if isinstance(content, str):
        for name, value in values.items():
            content = content.replace(f"{{{name}}}", value)
        return content
    if isinstance(content, Mapping):
        return {key: _filled(value, values) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_filled(value, values) for value in content]
    return content
