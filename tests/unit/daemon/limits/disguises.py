"""Ways to hide a shell command that leave what it does as it was. Each takes a script and gives one."""

import shlex
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Disguise = Callable[[str], str]


def quoted(script: str) -> str:
    return shlex.quote(script)


def nested(opening: str, closing: str = "") -> Disguise:
    return lambda script: f"{opening}{script}{closing}"


def through(wrapper: str) -> Disguise:
    """A wrapper that takes a command as words: the script goes through a shell."""
    return lambda script: f"{wrapper} bash -c {quoted(script)}"


def as_text(before: str, after: str = "") -> Disguise:
    """A wrapper that takes a script as one word."""
    return lambda script: f"{before} {quoted(script)}{after}"


def here_document(shell: str) -> Disguise:
    return lambda script: f"{shell} <<'END_OF_IT'\n{script}\nEND_OF_IT"


def in_variable(script: str) -> str:
    return f'hidden={quoted(script)}\neval "$hidden"'


def in_function(script: str) -> str:
    return f"hidden_one() {{\n{script}\n}}\nhidden_one"


AROUND = [
    ("(", "\n)"), ("{ ", "\n}"), ("! ", ""), ("ls; ", ""), ("ls && ", ""), ("ls || ", ""), ("ls | {\n", "\n}"),
    ("ls & ", ""), ("ls\n", ""), ("", "\nls"), ("if true; then\n", "\nfi"), ("if ", "\nthen :; fi"),
    ("while ", "\ndo break; done"), ("until ", "\ndo break; done"), ("for i in 1 2; do\n", "\ndone"),
    ("case x in x)\n", "\n;; esac"), ("echo $(", "\n)"), ('echo "a $(', '\n)"'), ("cat <(", "\n)"), ("x=$(", "\n)"),
    ('[ -n "$(', '\n)" ]'), ("for i in $(", "\n); do :; done"), ("# a comment\n", ""),
    ("true; # it's a comment\n", ""), ("> /dev/null echo; ", ""), ("{\n", "\n} 2> /dev/null"),
    ("ls && {\n", "\n} > /dev/null"), ("! (", "\n) 2>&1"), ("ls && ls | {\n", "\n} 2>&1"),
]  # fmt: skip
GROUPS: list[Disguise] = [nested(before, after) for before, after in AROUND]
PREFIXES = [
    "sudo", "sudo -n", "sudo -u root --", "env", "env LANG=C", "nice -n 5", "nohup", "timeout 5", "timeout -s KILL 5",
    "time", "stdbuf -oL", "setsid", "command", "exec", "ionice -c3", "flock /tmp/x", "watch -x", "chroot /x",
    "docker exec web", "kubectl exec web --", "systemd-run --scope", "nsenter -t 1 -m", "busybox", "xargs -0",
    "/usr/bin/env", "runuser -u x --", "unshare -r", "taskset 1", "builtin command", "docker compose exec -T web",
]  # fmt: skip
TEXTS = [
    ("bash -c", ""), ("sh -c", ""), ("/bin/bash -ec", ""), ("eval", ""), ("ssh web1", ""), ("su -c", ""),
    ("bash <<<", ""), ("ssh -o BatchMode=yes root@web1", ""), ("flock /tmp/x -c", ""), ("find . -exec sh -c", " \\;"),
    ("echo x | xargs -I{} sh -c", ""),
]  # fmt: skip
WRAPPERS: list[Disguise] = [
    *(through(prefix) for prefix in PREFIXES),
    *(as_text(before, after) for before, after in TEXTS),
    *(here_document(shell) for shell in ("bash", "ssh web1", "sudo bash -s")),
    in_variable,
    in_function,
]
# Wrappers that lead to another file system: what is ours is only on this one.
ELSEWHERE = ("ssh ", "docker exec ", "kubectl exec ", "docker compose exec ")


@st.composite
def spelt(draw: Any, words: list[str]) -> str:
    """A simple command with its words quoted and split in any way."""
    return " ".join(
        draw(st.builds("".join, st.tuples(*(_piece(piece) for piece in _cut(draw, word))))) for word in words
    )


def _cut(draw: Any, word: str) -> list[str]:
    at = draw(st.integers(0, max(0, len(word) - 1)))
    return [piece for piece in (word[:at], word[at:]) if piece] or [""]


def _piece(text: str) -> st.SearchStrategy[str]:
    plain = all(char.isalnum() or char in "_-./:=@%+," for char in text)
    ways = [f"'{text}'", f'"{text}"', f"''{shlex.quote(text)}", f'{shlex.quote(text)}""']
    if text and text.isascii() and text.isprintable():
        ways.append("$'" + "".join(f"\\x{ord(char):02x}" for char in text) + "'")
        ways.append("$'" + "".join(f"\\{ord(char):03o}" for char in text) + "'")
    if plain:
        ways += [text, "".join("\\" + char for char in text)] if text else []
    if any(char in text for char in "'\"\\$`!~"):
        ways = [shlex.quote(text)]
    return st.sampled_from(ways)


@st.composite
def hidden(draw: Any, script: str, deepest: int = 3) -> str:
    """A script within up to three disguises."""
    for _ in range(draw(st.integers(0, deepest))):
        script = draw(st.sampled_from(GROUPS + WRAPPERS))(script)
    return script
