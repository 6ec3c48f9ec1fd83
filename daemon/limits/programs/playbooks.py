"""Ansible: playbooks replace what runs; a module given on the command line is judged by the command in it."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import Given, options, read
from daemon.limits.programs.entries import elsewhere, touched, worse
from daemon.limits.words import NotUnderstood, literal

_PLAYBOOK = options(
    "-i= -l= -t= -e= -u= -b -K -k -C -D -v -vv -vvv -vvvv -f= --inventory= --limit= --tags= --skip-tags="
    " --extra-vars= --user= --become --check"
    "  --diff --syntax-check --list-tasks --list-hosts --list-tags --start-at-task= --forks="
    " --vault-password-file= --ask-become-pass"
    " --become-user= --flush-cache --force-handlers --version --step -T= --timeout="
)
_LISTS = ("--syntax-check", "--list-tasks", "--list-hosts", "--list-tags", "--version")


def _inventories(given: Given) -> None:
    """Raises NotUnderstood for an inventory that may be a program: it is run even to list hosts."""
    for value in given.values("-i", "--inventory"):
        if not re.fullmatch(r"[\w./-]+\.(ya?ml|ini)|[\w./-]*/?(hosts|inventory)|[\w.-]+,[\w.,-]*", value.text or ""):
            raise NotUnderstood("an inventory that may run a program")


def _playbook(command: Command) -> list[Found]:
    given = read(command.args, _PLAYBOOK)
    for word in given.operands:
        if word.text is None or re.match("-|//?(dev|proc)/", word.text):
            raise NotUnderstood("a playbook that can't be told may run anything")
    # Where a playbook is wrong its lines are printed.
    found = [it for word in given.operands for it in command.reads(word)]
    if given.has(*_LISTS):
        _inventories(given)
        # Variables may hold templates that run programs.
        if given.has("-e", "--extra-vars", "--vault-password-file"):
            raise NotUnderstood("variables that may run a program")
        return found or [command.found(Kind.READ, "lists what a playbook would do")]
    names = [word.text for word in given.operands if word.text]
    target = re.sub(r"\.ya?ml$", "", names[0].rsplit("/", 1)[-1]) if len(names) == 1 else None
    return [*found, command.found(Kind.REDEPLOYMENT, "runs a playbook", target)]


_ANSIBLE = options(
    "-m= -a= -i= -l= -u= -b -K -k -C -D -o -v -vv -vvv -f= -T= -t= --module-name= --args= --inventory= --limit= --user="
    " --become --become-user= --check --diff --one-line --forks= --timeout= --list-hosts --version"
)
_SHELLS = frozenset({"shell", "command", "raw"})


def _named_files(command: Command, script: str) -> list[Found]:
    """What the files mean that a module's arguments name: `src=` lies here, `dest=` and `path=` on the hosts."""
    found = touched(command)
    for name, path in re.findall(r"(\w+)=[\"']?([^\s\"']+)", script):
        if name in {"src", "content"}:
            found += command.reads_below(literal(path))
        elif name in {"dest", "path", "name"} and "/" in path:
            found += worse(elsewhere(command).writes([literal(path)]))
    return found


def _ansible(command: Command) -> list[Found]:
    given = read(command.args, _ANSIBLE)
    if given.has("--version"):
        return [command.found(Kind.READ, "prints its version")]
    if any(word.text is None for word in command.args):
        return command.unknown("what it runs can't be told")
    if given.has("-t") or any("{{" in (word.text or "") or "{%" in (word.text or "") for word in command.args):
        raise NotUnderstood("a template or directory that may be anything")
    _inventories(given)
    if given.has("--list-hosts"):
        return [command.found(Kind.READ, "lists hosts")]
    modules, arguments = given.values("-m", "--module-name"), given.values("-a", "--args")
    module = (modules[-1].text or "").rpartition(".")[2] if modules else "command"
    script = arguments[-1].text or "" if arguments else ""
    if module == "ping" and not script:
        return [command.found(Kind.READ, "asks hosts whether they answer")]
    found = [command.found(Kind.REDEPLOYMENT, "runs a module on hosts"), *_named_files(command, script)]
    if module not in _SHELLS:
        return found if module != "script" else command.unknown("a script that isn't in the command")
    if len(given.operands) != 1 or re.search(r"\b(chdir|creates|removes|executable|stdin|argv|cmd)=", script):
        raise NotUnderstood("where or how it runs can't be told")
    host = given.operands[0].text or ""
    frame = command.frame.within(f"ansible {host}", host=host, remote=True, posix=True, at=("~",))
    return found + [it for it in command.inner.script(script, frame) if it.kind is not Kind.READ]


PROGRAMS: dict[str, Program] = {"ansible-playbook": _playbook, "ansible": _ansible}
