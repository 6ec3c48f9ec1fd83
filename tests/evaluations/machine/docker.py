"""What `docker` is on PATH in an evaluation: shows the services of the world, and asks their engine to act.

Run by a small shell script as `python -S -m tests.evaluations.machine.docker WORLD ARGUMENTS`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.evaluations.machine.world import World

ACTS = frozenset({"restart", "start", "stop", "kill", "rm"})
TAKES_VALUE = frozenset(
    {"--tail", "-n", "--since", "--until", "--format", "-f", "--filter", "-t", "--time", "-s", "--signal", "-p",
     "--project-name", "--file", "--project-directory", "--timeout"}
)  # fmt: skip
# Of these the short options mean something else after certain words.
ALONE = {"logs": ("-f", "-t"), "rm": ("-f", "-s")}


def words(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """(words without options, options with their values)."""
    plain: list[str] = []
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            plain.append(word)
            continue
        name, given, value = word.partition("=")
        takes = name in TAKES_VALUE and name not in ALONE.get(plain[0] if plain else "", ())
        options[name] = value if given else rest.pop(0) if takes and rest else ""
    return plain, options


def table(world: World, *, stopped: bool) -> str:
    """What `docker ps` shows."""
    lines = [f"{'NAMES':<12}{'IMAGE':<20}{'STATUS':<34}STARTED"]
    for name in world.names():
        state = world.state(name)
        if state["state"] == "running":
            status = "Up" + (f" (restarted {state['restarts']} times)" if state["restarts"] else "")
        elif stopped:
            status = f"Exited ({state['exit_code']}) after {state['restarts']} restarts"
        else:
            continue
        lines.append(f"{name:<12}{'shop/' + name:<20}{status:<34}{state.get('started_at', '')}")
    return "\n".join(lines)


def inspected(world: World, name: str) -> str:
    """What `docker inspect` shows, whatever the format."""
    state = world.state(name)
    place = world.services / name
    facts = {
        "Name": name,
        "RestartCount": state["restarts"],
        "State": {
            "Status": state["state"],
            "Running": state["state"] == "running",
            "ExitCode": state["exit_code"],
            "StartedAt": state.get("started_at"),
        },
        "Mounts": [{"Source": str(place), "Destination": "/srv"}],
    }
    return json.dumps([facts], indent=2)


def log(world: World, name: str, options: dict[str, str]) -> str:
    """The end of a service's log."""
    path = world.services / name / "log"
    lines = path.read_text().splitlines() if path.exists() else []
    wanted = options.get("--tail") or options.get("-n") or "all"
    return "\n".join(lines[-int(wanted) :] if wanted.isdigit() else lines)


def act(world: World, verb: str, names: list[str]) -> int:
    """Has the engine do something to each."""
    for name in names:
        if name not in world.names():
            print(f"Error response from daemon: No such container: {name}", file=sys.stderr)
            return 1
        if not world.ask(verb, name):
            print(f"Error response from daemon: {verb} {name}: no answer", file=sys.stderr)
            return 1
        print(name)
    return 0


def show(world: World, verb: str, names: list[str], options: dict[str, str]) -> int:
    """What only reads."""
    for name in names:
        if name not in world.names():
            print(f"Error: No such object: {name}", file=sys.stderr)
            return 1
    if verb in {"ps", "stats", "top"}:
        print(table(world, stopped="-a" in options or "--all" in options))
    else:
        for name in names or world.names():
            print(log(world, name, options) if verb == "logs" else inspected(world, name))
    return 0


def main(world: World, arguments: Sequence[str]) -> int:
    """One command."""
    given = list(arguments)
    compose = given[:1] == ["compose"]
    if given[:1] in (["compose"], ["container"]):
        given.pop(0)
    plain, options = words(given)
    verb, names = (plain[0], plain[1:]) if plain else ("", [])
    if compose and verb in {"up", "down"}:
        return act(world, "up" if verb == "up" else "rm", names or world.names())
    if verb in ACTS:
        return act(world, verb, names or (world.names() if compose else []))
    if verb in {"ps", "logs", "inspect", "stats", "top"}:
        return show(world, verb, [] if verb in {"ps", "stats"} else names, options)
    print(f"docker: '{' '.join(arguments)}' is not possible on this host", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(World(Path(sys.argv[1])), sys.argv[2:]))
