"""Writes what is made from the code: reference pages, annotated environment file, completion, manual page.

`make docs` calls it; with `--check` it writes nothing, names what is stale and exits 1, as `make check` wants it.
Needs the run requirements alone, and gives the same bytes on every machine.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

from reference_pages import KINDS, messages_page, page, routes_page, table  # noqa: E402 - beside this script: found by the line above

from daemon.limits import kinds  # noqa: E402 - found by the line above, installed or not
from daemon.limits import rules as policy  # noqa: E402 - as above
from daemon.runs import states as runs  # noqa: E402 - as above
from daemon.supervisor import rules as processes  # noqa: E402 - as above
from ipc.ctl import completion  # noqa: E402 - as above
from schema import audit_actions, states  # noqa: E402 - as above
from schema.configuration import DECLARATIONS, Declaration  # noqa: E402 - as above


def sections() -> dict[str, list[Declaration]]:
    """Settings by section, in the order of their declaration."""
    found: dict[str, list[Declaration]] = {}
    for declaration in DECLARATIONS.values():
        found.setdefault(declaration.meta.section, []).append(declaration)
    return found


def default_text(declaration: Declaration) -> str:
    """A default as it stands in an environment file."""
    value = declaration.default
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def values_text(declaration: Declaration) -> str:
    """What a setting may hold: its kind, unit and bounds."""
    meta = declaration.meta
    if meta.choices:
        return " or ".join(meta.choices)
    text = KINDS[declaration.kind] + (f", {meta.unit}" if meta.unit else "")
    if meta.low is not None and meta.high is not None:
        return f"{text}, {meta.low:g} to {meta.high:g}"
    return text if meta.low is None else f"{text}, at least {meta.low:g}"


def settings_page() -> str:
    """docs/settings.md."""
    parts = [
        "Each setting has one environment variable and one flag of `claudeops`. What counts, weakest first: the"
        " default, the environment, the flag, the file that `CLAUDEOPS_ENV_FILE` names, the override set by"
        " `claudeopsctl config set` or in the dashboard. Empty means not set. A *live* setting takes effect at the next"
        " session and can be overridden; any other wants a new start. A *secret* has no flag, can't be overridden, is"
        " never shown, and is also read from the file that `<VARIABLE>_FILE` names.",
    ]
    for section, declarations in sections().items():
        parts.append(f"## {section}")
        for declaration in declarations:
            secret, live = declaration.meta.secret, declaration.meta.live
            default = f"`{default_text(declaration)}`" if default_text(declaration) else "not set"
            facts = [
                f"`{declaration.name}`",
                *([] if secret else [f"`{declaration.flag}`"]),
                values_text(declaration),
                "live" if live else "at start",
                *(["secret"] if secret else []),
                f"default: {default}",
            ]
            parts.append(f"### `{declaration.env}`\n\n{declaration.meta.doc}\n\n{' · '.join(facts)}")
    return page("Settings", *parts)


def environment_file() -> str:
    """packaging/systemd/claudeops.env."""
    lines = [
        "# Settings of Claude Ops: NAME=value lines, each with its default. Take the # away to change one. Read at",
        "# start and at every reload (`systemctl reload claudeops`, `claudeopsctl reload`): what is live counts from",
        "# the next session on, the rest from the next start. The unit sets some places differently from the defaults",
        "# below; what stands here wins. Generated from the program: docs/settings.md says the same.",
    ]
    for section, declarations in sections().items():
        lines += ["", "", f"# {section}"]
        for declaration in declarations:
            if declaration.env == "CLAUDEOPS_ENV_FILE":
                continue  # it names this file
            live = "live" if declaration.meta.live else "at start"
            lines += ["", f"# {declaration.meta.doc}", f"# ({values_text(declaration)}; {live})"]
            lines.append(f"#{declaration.env}={default_text(declaration)}")
            if declaration.meta.secret:
                lines.append(f"#{declaration.env}_FILE=")
    return "\n".join(lines) + "\n"


def diagram(arrows: Iterable[tuple[str, str, str]], first: str) -> str:
    """A Mermaid state diagram of (from, to, label)."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {before} --> {after}{f' : {label}' if label else ''}" for before, after, label in arrows]
    return "\n".join([*lines, "```"])


def follows(order: Iterable[Enum], after: Mapping[Any, Iterable[Enum]]) -> list[tuple[str, str, str]]:
    """The arrows of a table of what may follow, in the order of the Enum."""
    members = list(order)
    return [(str(one.value), str(two.value), "") for one in members for two in members if two in set(after[one])]


def remarks(kind: type[Enum]) -> dict[str, str]:
    """The remark behind each member in its source."""
    found = re.findall(r"^    (\w+) = .*?(?:  # (.*))?$", inspect.getsource(kind), re.MULTILINE)
    return {str(kind[name].value): remark for name, remark in found if name in kind.__members__}


def states_page() -> str:
    """docs/states.md."""
    session = _rows(states.SessionStatus, states.MEANING, states.SESSION)
    process = _rows(processes.ProcessState, processes.MEANING, processes.TRANSITIONS)
    approval = _rows(states.ApprovalStatus, states.APPROVAL_MEANING, states.APPROVAL)
    stages = [
        (before.value, after.value, event.value)
        for (before, event), after in runs.TRANSITIONS.items()
        if before != after
    ]
    return page(
        "States",
        "Each life cycle is one table in the code. What is not listed can't happen: it raises, and nothing changes.",
        "## Sessions",
        "`schema/states.py`; the database refuses any other status.",
        table(["status", "means", "may become"], session),
        diagram(follows(states.SessionStatus, states.SESSION), states.SessionStatus.RUNNING.value),
        "## Triggers",
        "`schema/states.py`: what asks for a session, in the queue.",
        table(["status", "means", "may become"], _rows(states.TriggerStatus, states.TRIGGER_MEANING, states.TRIGGER)),
        diagram(follows(states.TriggerStatus, states.TRIGGER), states.TriggerStatus.WAITING.value),
        "## Approvals",
        "`schema/states.py`: a call that waits for a person. `used` comes once at most.",
        table(["status", "means", "may become"], approval),
        diagram(follows(states.ApprovalStatus, states.APPROVAL), states.ApprovalStatus.WAITING.value),
        "## Deliveries",
        "`schema/states.py`: a notification's way to one channel.",
        table(
            ["status", "means", "may become"],
            _rows(states.DeliveryStatus, states.DELIVERY_MEANING, states.DELIVERY),
        ),
        diagram(follows(states.DeliveryStatus, states.DELIVERY), states.DeliveryStatus.PENDING.value),
        "## Processes",
        "`daemon/supervisor/rules.py`: worker and web process, as `claudeopsctl status` shows them.",
        table(["state", "means", "may become"], process),
        diagram(follows(processes.ProcessState, processes.TRANSITIONS), processes.ProcessState.STOPPED.value),
        "## Runs",
        "`daemon/runs/states.py`: one command under its shim. Arrows carry the event that leads on; an event that "
        "leaves the stage as it is, is left out.",
        diagram(stages, runs.Stage.RUNNING.value),
        "Why a run ended, as its exit record says:",
        table(["reason", "means"], [[f"`{name}`", remark] for name, remark in remarks(runs.EndReason).items()]),
    )


def policy_page() -> str:
    """docs/policy.md."""
    said = remarks(kinds.Kind)
    rows = [
        [f"`{kind.value}`", said[kind.value], *(decision.value for decision in policy.POLICY[kind])]
        for kind in kinds.Kind
    ]
    return page(
        "Policy",
        "What becomes of a call, by what it does and by the tier of its session. `ask` means that a person decides; "
        "cooldowns come on top of an allowed restart or redeployment. What is around it is in [limits.md](limits.md).",
        table(["kind", "what it does", "tier 1", "tier 2", "tier 3"], rows),
        "In a dry run everything but `read` is denied at every tier.",
    )


def audit_page() -> str:
    """docs/audit.md."""
    rows = [[f"`{action.value}`", audit_actions.MEANING[action]] for action in audit_actions.Action]
    return page(
        "Audit log",
        "What can stand in the audit log: `/audit`, `claudeopsctl audit list --action …`. Each line has its time, who "
        "did it, to what, and where it applies the session and the rule. How the lines prove one another, and who is "
        "who: [access.md](access.md).",
        table(["action", "tells that"], rows),
    )


def _rows(kind: type[Enum], meaning: Mapping[Any, str], after: Mapping[Any, Iterable[Enum]]) -> list[list[str]]:
    return [[f"`{state.value}`", meaning[state], _names(after[state])] for state in kind]


def _names(found: Iterable[Enum]) -> str:
    return ", ".join(sorted(f"`{state.value}`" for state in found)) or "–"


def generated() -> dict[str, str]:
    """Every generated file, by its path below the root."""
    return {
        "docs/settings.md": settings_page(),
        "docs/messages.md": messages_page(),
        "docs/states.md": states_page(),
        "docs/policy.md": policy_page(),
        "docs/audit.md": audit_page(),
        "docs/routes.md": routes_page(),
        "packaging/systemd/claudeops.env": environment_file(),
        "packaging/completion/claudeopsctl.bash": completion.bash(),
        "packaging/completion/_claudeopsctl": completion.zsh(),
        "packaging/completion/claudeopsctl.fish": completion.fish(),
        "packaging/man/claudeopsctl.1": completion.manual(),
    }


def stale(root: Path, files: Mapping[str, str]) -> list[str]:
    """The files below `root` that are missing or hold something else."""
    return [
        name
        for name, text in files.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]


def main(argv: list[str]) -> int:
    """Writes, or checks with `--check`; 1 if something is stale, 2 for other arguments."""
    if argv not in ([], ["--check"]):
        print("usage: python packaging/generate.py [--check]", file=sys.stderr)
        return 2
    files = generated()
    found = stale(ROOT, files)
    if argv:
        for name in found:
            print(f"{name} is stale; run: make docs", file=sys.stderr)
        return 1 if found else 0
    for name in found:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(files[name], encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
