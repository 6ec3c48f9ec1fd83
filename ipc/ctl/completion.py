"""Completion for bash, zsh and fish, and the manual page: generated from the table of commands."""

import argparse

from ipc.ctl.commands import COMMANDS
from ipc.ctl.connection import Connection
from ipc.ctl.grammar import Command
from ipc.ctl.terminal import show_json

EVERYWHERE = ("--json", "--runtime-dir", "--help")


def _setting_names() -> list[str]:
    from schema.configuration import DECLARATIONS

    return list(DECLARATIONS)


def words_after(path: tuple[str, ...]) -> list[str]:
    """What may follow the words typed so far."""
    following = {
        command.words[len(path)] for command in COMMANDS if command.words[: len(path)] == path != command.words
    }
    for command in COMMANDS:
        if command.words == path:
            following |= set(_options(command))
    return sorted(following)


def _options(command: Command) -> list[str]:
    found = [name for argument in command.arguments for name in argument.names if name.startswith("--")]
    for argument in command.arguments:
        found += [
            str(choice) for choice in argument.options.get("choices", ()) if not argument.names[0].startswith("-")
        ]
        if argument.choices_of == "settings":
            found += _setting_names()
    return [*found, *EVERYWHERE]


def choices_after(path: tuple[str, ...]) -> dict[str, list[str]]:
    """The options of a command that take one word of a list, with that list."""
    return {
        name: [str(choice) for choice in argument.options["choices"]]
        for command in COMMANDS
        if command.words == path
        for argument in command.arguments
        if "choices" in argument.options
        for name in argument.names
        if name.startswith("--")
    }


def _groups() -> list[str]:
    return sorted({command.words[0] for command in COMMANDS if len(command.words) > 1})


def _paths() -> list[tuple[str, ...]]:
    commands = {command.words for command in COMMANDS}
    return [(), *((group,) for group in _groups() if (group,) not in commands), *sorted(commands)]


def bash() -> str:
    """For bash; zsh reads it through bashcompinit."""
    cases = "\n".join(f'        "{" ".join(path)}") words="{" ".join(words_after(path))}" ;;' for path in _paths())
    values = "\n".join(
        f'        "{" ".join(path)} {name}") words="{" ".join(choices)}" ;;'
        for path in _paths()
        for name, choices in choices_after(path).items()
    )
    known = "|".join(" ".join(path) for path in _paths() if path)
    return f"""# Completion of claudeopsctl; generated, see `claudeopsctl completion`.
_claudeopsctl() {{
    local typed="" word words="" last="${{COMP_WORDS[COMP_CWORD-1]}}"
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ $word == -* ]] && continue
        [[ "|{known}|" == *"|${{typed:+$typed }}$word|"* ]] || continue
        typed="${{typed:+$typed }}$word"
    done
    case "$typed" in
{cases}
    esac
    case "$typed $last" in
{values}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -F _claudeopsctl claudeopsctl
"""


def zsh() -> str:
    """For zsh."""
    return "#compdef claudeopsctl\nautoload -U +X bashcompinit && bashcompinit\n" + bash()


def fish() -> str:
    """For fish."""
    lines = ["# Completion of claudeopsctl; generated, see `claudeopsctl completion`.", "complete -c claudeopsctl -f"]
    for path in _paths():
        condition = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in path) or "__fish_use_subcommand"
        after = [word for word in words_after(path) if not word.startswith("-")]
        if path in {command.words[:-1] for command in COMMANDS if len(command.words) > 1}:
            condition += f"; and not __fish_seen_subcommand_from {' '.join(after)}"
        elif len(path) == 1:
            condition += f"; and not __fish_seen_subcommand_from {' '.join(_groups())}"
        lines.append(f"complete -c claudeopsctl -n '{condition}' -a '{' '.join(words_after(path))}'")
        for name, choices in choices_after(path).items():
            lines.append(f"complete -c claudeopsctl -n '{condition}' -l {name[2:]} -x -a '{' '.join(choices)}'")
    return "\n".join(lines) + "\n"


def manual() -> str:
    """The manual page, section 1."""
    lines = [
        '.TH CLAUDEOPSCTL 1 "" "Claude Ops" "User Commands"',
        ".SH NAME",
        "claudeopsctl \\- ask and command the Claude Ops daemon",
        ".SH SYNOPSIS",
        ".B claudeopsctl\n[\\-\\-runtime\\-dir DIR] COMMAND [\\-\\-json] ...",
        ".SH COMMANDS",
    ]
    for command in COMMANDS:
        lines += [".TP", f".B {' '.join(command.words)}".replace("-", "\\-"), command.doc]
        for argument in command.arguments:
            name = ", ".join(argument.names).replace("-", "\\-")
            lines += [".RS", ".TP", f".I {name}", str(argument.options.get("help", "")), ".RE"]
    lines += [
        ".SH EXIT STATUS",
        "0 done; 1 refused, or the session did not complete; 2 usage; 3 the daemon is not running and 4 nothing is"
        " known of one (status); 5 the daemon can't be reached; 130 interrupted. Of check\\-command: 0 allow; 1 deny;"
        " 2 ask; 64 usage; 70 no verdict; 5 the daemon can't be reached.",
        ".SH ENVIRONMENT",
        ".TP",
        ".B CLAUDEOPS_RUNTIME_DIR",
        "The daemon's runtime directory; without it, the usual places are looked through.",
    ]
    return "\n".join(lines) + "\n"


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """Prints completion for a shell."""
    script = {"bash": bash, "zsh": zsh, "fish": fish}[arguments.shell]()
    show_json({"shell": arguments.shell, "script": script}) if arguments.json else print(script, end="")
    return 0


def version(connection: Connection, arguments: argparse.Namespace) -> int:
    """Prints the version."""
    from schema.version import VERSION

    show_json({"version": VERSION}) if arguments.json else print(f"claudeopsctl {VERSION}")
    return 0
