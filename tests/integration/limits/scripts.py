"""Scripts at random in which shells and programs read from one another, or count: redirections, lists, sums.

`test_bash` runs them. What reads the script of the shell around it takes lines away, and what stood there as text is
run: `docker logs` followed by a letter stands in such places. A sum that is none has bash leave out the rest of its
line, and a variable stays what it was.
"""

import random
import re
from collections.abc import Iterator

_SIMPLE = [
    "docker ps", "docker logs a", "ls", "df", "uptime", "echo a", "head -1", "head -1 /etc/hosts", "cat",
    "cat /etc/hosts", "grep a", "grep a /etc/hosts", "sed -n 1p /etc/hosts", "true", "read x", "wc -l", "exec",
    ": <<'X'\ndocker logs b\nX", ": <<X\ndocker logs c\nX", "cat <<'X'\ndocker logs d\nX", "cat <<X | head -1\nls\nX",
]  # fmt: skip
_REDIRECTIONS = [
    "< /etc/hosts", "</dev/null", "<<< a", "<<< 'ls'", "< <(ls)", "2>&1", "> /dev/null", "0<&0", "<&0", "3<&0", "<&3",
    "3</etc/hosts", "<o", ">o", "2>/dev/null <o", "<'o'", "< /dev/stdin", "< /proc/self/fd/0", "<&-", "{v}<o",
]  # fmt: skip
_JOINTS = [";", "\n", "&&", "||", "|", "&", " |& ", "\n\n", " # x\n"]
_AROUND = [
    "{0}", "( {0} )", "{{ {0}; }}", "! {0}", "if {0}; then {1}; fi", "while {0}; do {1}; break; done",
    "for i in 1 2; do {0}; done", "f() {{ {0}; }}; f", "x=$({0})", 'echo "$({0})"', "echo `{0}`", "timeout 5 {0}",
    "nice {0}", "nohup {0}", "case a in a) {0};; b) {1};; esac", "eval '{0}'", "time {0}",
    "until {0}; do {1}; break; done", "{0} &", '[ -n "$({0})" ]', "[[ a ]] && {0}", "bash -c '{0}'", "sh -c '{0}'",
    "xargs {0}", "cat <({0})", "{{ {0}\n}}", "(\n{0}\n)",
]  # fmt: skip
_SHELLS = ["bash <<'E0'\n{0}\nE0", "bash -s <<'E0'\n{0}\nE0\n", "sh <<'E0'\n{0}\nE0", "{0}"]


def _statement(chance: random.Random, depth: int = 0) -> str:
    text = chance.choice(_SIMPLE)
    if depth < 3 and chance.random() < 0.5:
        text = chance.choice(_AROUND).format(_statement(chance, depth + 1), _statement(chance, depth + 1))
    if chance.random() < 0.45:
        redirections = " ".join(chance.choices(_REDIRECTIONS, k=chance.randint(1, 2)))
        first, line_end, rest = text.partition("\n")
        within = "<<" in first and chance.random() < 0.7
        text = f"{first} {redirections}{line_end}{rest}" if within else f"{text} {redirections}"
    return text


def feeding(seed: int) -> Iterator[str]:
    """Without an end."""
    chance = random.Random(seed)
    while True:
        text = _statement(chance)
        for _ in range(chance.randint(0, 3)):
            joint = "\n" if "<<" in text and chance.random() < 0.6 else chance.choice(_JOINTS)
            text += joint + _statement(chance)
        yield chance.choice(_SHELLS).format(text)


# NUMBER and SUM stand for one of these.
_NUMBERS = ["0", "1", "7", "08", "010", "$?", "$#", "${#X}", "$((SUM))", "$i", "$j", "0$i", "{1..3}"]
_SUMS = ["i", "$i", "${j}", "j+1", "i/j", "1/$i", "7 % j", "i-j", "i*1", "(i+1)", "08", "1/0", "4-$j", "i/2", "1$i"]
_COUNTING = [
    "i=NUMBER", "j=NUMBER", "true && i=NUMBER", "false && j=NUMBER", "i=$((1)) || j=NUMBER", "unset j",
    "for i in NUMBER NUMBER; do j=NUMBER; done", "for j in {0..2}; do i=NUMBER; done", "i=NUMBER; j=NUMBER",
    "for i in {08..09}; do j=NUMBER; done", "if true; then i=NUMBER; fi", "f() { i=NUMBER; }; f",
    "while true; do i=NUMBER; break; done", "[[ NUMBER -gt 0 ]]", "for i in {1..3}; do j=$((SUM)); done",
]  # fmt: skip


def counting(seed: int) -> Iterator[str]:
    """Without an end: what is in front of `X=ls` may keep it from being run, and `docker` is what X holds then."""
    chance = random.Random(seed)
    while True:
        steps = "; ".join(chance.choices(_COUNTING, k=chance.randint(0, 3)))
        script = f"X=docker; i=1; j=2; {steps}; Y=$((SUM)); X=ls\n$X logs a".replace("; ;", ";")
        script = re.sub("NUMBER", lambda _: chance.choice(_NUMBERS), script)
        yield re.sub("SUM", lambda _: chance.choice(_SUMS), script)
