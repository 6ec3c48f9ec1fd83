"""A script of the demo played without a server: each turn gets what its calls return in a made-up world."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from daemon.demo.services import Service
from daemon.demo.speech import REPORT_TOOL
from daemon.demo.turns import Conversation, Script, Text, ToolResult, ToolUse, Turn, play

SERVICES = [Service("shop", "http://s"), Service("search", "http://t"), Service("payments", "http://p")]
OK = "ok\nstatus=200 time=0.004s"
SLOW = '{"index": "rebuilding"}\nstatus=200 time=0.8s'
DOWN = '{"cause": "no ledger"}\nstatus=503 time=0.002s'
COOLING = "restart of payments: 2 of 2 used in 4 h, next at 12:44 UTC"
LOG = "9 minutes ago  payments started\n2 minutes ago  ERROR connection to ledger:5432 lost"
PS = "NAME        STATUS\nshop        Up 9 minutes (healthy)\npayments    Up 9 minutes (unhealthy)\n"

Tool = Callable[[ToolUse], tuple[str, bool]]


class World:
    """What calls return: `texts` by command, each with the answers to come (the last one stays)."""

    def __init__(self, **services: str | list[str]) -> None:
        """`services`: what curl returns for each, one text or several in order."""
        told = {"shop": OK, "search": SLOW, "payments": DOWN, **services}
        self.looks = {name: [text] if isinstance(text, str) else list(text) for name, text in told.items()}
        self.approvals = "ID  STATUS\n"
        self.others: dict[str, tuple[str, bool]] = {"docker ps": (PS, False), "uptime": ("load average: 0.10", False)}
        self.others["docker logs --tail 3 payments"] = (LOG, False)

    def __call__(self, made: ToolUse) -> tuple[str, bool]:
        """The answer to a call, and whether it is an error."""
        command = made.input["command"]
        if command == "claudeopsctl approvals list":
            return self.approvals, False
        if not command.startswith("curl"):
            return self.others[command]
        name = next(service.name for service in SERVICES if command.endswith(service.url))
        answers = self.looks[name]
        return (answers.pop(0) if len(answers) > 1 else answers[0]), False


class Played:
    """A conversation that was played to its end."""

    def __init__(self, turns: Sequence[Turn], conversation: Conversation) -> None:
        self.turns = turns
        self.conversation = conversation

    @property
    def words(self) -> str:
        """Everything that was said."""
        return "\n".join(block.text for turn in self.turns for block in turn.blocks if isinstance(block, Text))

    @property
    def commands(self) -> list[str]:
        """Every command that was asked for, in order."""
        return [str(made.input["command"]) for turn in self.turns for made in calls(turn)]

    @property
    def acts(self) -> list[str]:
        """The commands among them that change something."""
        return [command for command in self.commands if command.startswith(("docker restart", "docker compose"))]

    @property
    def reported(self) -> dict[str, Any]:
        """The structured output."""
        last = self.turns[-1].blocks[-1]
        assert isinstance(last, ToolUse)
        assert last.name == REPORT_TOOL
        return last.input

    @property
    def statuses(self) -> dict[str, str]:
        """The services of the report."""
        return {service["name"]: service["status"] for service in self.reported["services_checked"]}


def calls(turn: Turn) -> list[ToolUse]:
    """The calls of a turn but for the report."""
    return [block for block in turn.blocks if isinstance(block, ToolUse) and block.name != REPORT_TOOL]


def through(
    script: Script,
    tool: Tool,
    asked: str = "x",
    *,
    tools: frozenset[str] = frozenset({REPORT_TOOL}),
    before: Sequence[ToolResult] = (),
) -> Played:
    """Plays a script until a turn asks for nothing. `before`: what the tiers before have seen."""
    conversation = Conversation(asked, 0, tools=tools, results=before)
    turns: list[Turn] = []
    while not turns or calls(turns[-1]):
        assert len(turns) < len(script), "the script is too short for this"
        turn = play(script, replace(conversation, turn=len(turns)))
        turns.append(turn)
        answers = [ToolResult(made, *tool(made)) for made in calls(turn)]
        conversation = replace(conversation, results=[*conversation.results, *answers])
    return Played(turns, conversation)
