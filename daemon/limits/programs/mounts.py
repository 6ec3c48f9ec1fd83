"""What containers get from the host: its files, its variables, its network. docker and compose ask here."""

import posixpath
import re

from daemon.limits import paths
from daemon.limits.command import Command
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import Given
from daemon.limits.programs.entries import touched
from daemon.limits.words import Word, literal

# Files and directories by which a container changes the machine, or becomes it.
_HOST_FILES = re.compile(
    r"(/|~|\.\.)[^/]*/?|.*docker\.sock.*|/(etc|root|proc|sys|dev|boot|usr|var/run|run|var/lib)(/.*)?"
)
_VOLUMES = ("-v", "--volume", "--mount", "--mount-add")
HOST = "a container with the host's files or rights"


def mounted(command: Command, given: Given) -> list[Found]:
    """What the options of a new container give to it; nothing if it is harmless."""
    found: list[Found] = []
    for value in given.values(*_VOLUMES):
        found += _volume(command, value)
    for value in given.values("--env-file"):
        found += command.reads(value)
    for value in given.values("-e", "--env"):
        if value.is_open or "=" not in value.prefix:
            found.append(command.found(Kind.SECRET, "hands a variable of this environment to a container"))
    if given.has("--security-opt", "--privileged", "--cap-add", "--device", "--volumes-from", "--pid", "--userns"):
        found.append(command.found(Kind.HOST, HOST))
    if any(value.text in {None, "host"} for value in given.values("--network", "--net")):
        found.append(command.found(Kind.HOST, "a container in the host's network"))
    return found


def _volume(command: Command, value: Word) -> list[Found]:
    if value.text is None:
        return [command.found(Kind.HOST, HOST)]
    if re.search(r"volume-(opt|driver)", value.text):
        return [command.found(Kind.HOST, "a volume that may be any directory of the host")]
    source = _source(value.text)
    if source is None:
        return []
    if not source.startswith(("/", "~", ".")):  # a volume's name
        return [] if not re.search(r"docker\.sock", source) else [command.found(Kind.HOST, HOST)]
    path = re.sub("^//", "/", posixpath.normpath(source))
    word = literal(path)
    state = command.frame.state_dir if command.frame.local else ""
    above = (posixpath.normpath(state) + "/").startswith(path.rstrip("/") + "/") if state else False
    if path != "/" and (above or paths.is_daemons(word, command.frame.directories, state)):
        return [command.found(Kind.STEER, f"a container with {path}, where the daemon's own files are")]
    if _HOST_FILES.fullmatch(path):
        secret = [it for it in command.reads(word) if it.kind is Kind.SECRET]
        return [*secret, command.found(Kind.HOST, HOST)]
    return [it for it in command.reads_below(word) if it.kind is Kind.SECRET]


def _source(text: str) -> str | None:
    """The host's side of `-v source:target` or `--mount type=bind,source=…`; None where there is none."""
    if "=" not in text.partition(",")[0]:
        return text.partition(":")[0] if ":" in text else None
    fields = dict(field.partition("=")[::2] for field in text.replace('"', "").split(","))
    return fields.get("source", fields.get("src"))


def given_anywhere(command: Command) -> list[Found]:
    """The same for a command whose options aren't all known: every word behind one of these, or attached to it."""
    options: list[tuple[str, Word | None]] = []
    words = list(command.args)
    for at, word in enumerate(words):
        name, equals, value = (word.text or "").partition("=")
        if name not in {*_VOLUMES, "--env-file", "-e", "--env", "--network", "--cap-add", "--privileged"}:
            continue
        following = words[at + 1] if at + 1 < len(words) else None
        options.append((name, literal(value) if equals else following))
    return mounted(command, Given(options, [])) + touched(command, reads=True)
