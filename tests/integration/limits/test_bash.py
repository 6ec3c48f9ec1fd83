"""What a real bash or dash starts is what was found, or else the command wasn't understood."""

import random
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.limits.understanding import understand
from tests.fixtures.commands.corpus import cases
from tests.integration.limits.bash_run import Stage, may_run, unseen
from tests.integration.limits.scripts import counting, feeding

# Pieces of scripts, put together at random: most make no sense, some make another one to bash than it seems.
PIECES = [
    "docker ps", "docker logs a", "docker", " logs", "ls", "df", "cat a", "uptime", "echo", "echo a", " a", " b", " ",
    " ", "\n", "\n", ";", ";", "&", "&&", "||", "|", "(", ")", "{ ", "}", "{", "'", "'", '"', '"', "\\", "$", "`",
    "$(", ")", "$((", "))", "<<E", "<<'E'", "<<-E", "\nE\n", "\nE", "\tE\n", "#", " #", "=", "X=", "X=ls",
    "X='docker ps'", "$X", '"$X"', "${X}", "if ", "then ", "fi", "else ", "for i in ", "do ", "done", "while ",
    "case a in ", "a)", ";;", "esac", "[ ", "]", "[[ ", "]]", "! ", "<", "> /dev/null", " >o", " 2>&1", "~", "*", "?",
    "function f ", "f() ", "f", "time ", "-n", "<<<", "<(", "\t", "eval ", "\\\n", "$'", "\\x41", '$"', "{a,b}",
    "{1..3}", "$1", '"$@"', "$*", "'a b'", '"a b"', "xargs ", "bash -c ", "timeout 5 ", "a=(", ")", "+=", "[0]", "&>",
    "|&", ">&", "!", "''", '""', "%", "^", "-eq 1", "-f ", "= ", "set -e", "local x", "read X", " \\ ", "\\'", '\\"',
    "${X:-a}", "${#X}", "${X%a}", "$?", "$[1]", "in ", "return", "break", "unset X", "declare X=ls", "a;b", "shift",
    "X=docker",
]  # fmt: skip
FRAMES = [
    "{0}", "{0};{1}", "{0}\n{1}", "if {0}; then {1}; fi", "f() {{ {0}; }}; f", 'echo "$({0})"', "cat <<E\n{0}\nE\n{1}",
    "cat <<'E'\n{0}\nE\n{1}", "for i in a b; do {0}; done", "case a in a) {0};; b) {1};; esac", "( {0} ) && {1}",
    "{{ {0}; }} | {1}", "X={0}; {1}", "[ {0} ] && {1}", "[[ {0} ]] || {1}", "bash -c '{0}'", 'eval "{0}"',
    "while {0}; do {1}; break; done", "`{0}`", "$({0})", "{0} # {1}", "echo '{0}' \"{1}\"", "! {0}", "{0} & {1}",
    "X=docker; {0}", "X=ls; {0}; $X", "X=docker; if {0}; then X=ls; fi; $X", "f() {{ $1 {0}; }}; f ls docker",
    "X=ls; for i in 1 2; do $X; {0}; done", "X=docker; {{ X=ls; {0}; }}; $X",
]  # fmt: skip


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(Path(tmp_path_factory.mktemp("bash")))


def scripts(seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    while True:
        first, second = ("".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(2))
        yield chance.choice(FRAMES).format(first, second) if chance.random() < 0.7 else first + second


def mutated(seed: int) -> Iterator[str]:
    """Scripts of the corpus with pieces put in, taken out or repeated."""
    chance = random.Random(seed)
    known = [case.command for case in cases() if case.file != "mutating"]
    while True:
        script = chance.choice(known)
        for _ in range(chance.randint(1, 3)):
            at, to = sorted(chance.choices(range(len(script) + 1), k=2))
            what = chance.choice([chance.choice(PIECES), "", script[at:to]])
            script = script[:at] + what + script[at if chance.random() < 0.7 else min(at + 1, len(script)) :]
        yield script


def test_the_stage_shows_what_bash_starts(stage: Stage) -> None:
    """Or the comparison would prove nothing."""
    assert stage.run("X=docker; $X 'a b' | cat; echo $(ls)") != []
    assert ["docker", "a b"] in stage.run("X=docker; $X 'a b'")
    assert ["docker", "a", ""] in stage.run("echo a | xargs -I{} timeout 5 bash -c 'docker {} \"\"'")
    # What takes the next line of a script has the shell run what was text.
    taken = "bash <<'E'\nhead -1\n: <<'X'\ndocker logs b\nX\nE"
    assert ["docker", "logs", "b"] in stage.run(taken)
    assert ["docker", "logs", "b"] not in stage.run(taken.replace("-1", "-1 /etc/hosts"))
    assert unseen([["docker", "stop", "a"]], understand("docker logs a")) == [["docker", "stop", "a"]]
    assert unseen([["docker", "logs", "a"]], understand("docker logs a")) == []


def test_what_the_corpus_starts_was_found(stage: Stage) -> None:
    run = 0
    for case in cases():
        found = understand(case.command)
        if may_run(case.command, found):
            run += 1
            assert unseen(stage.run(case.command), found) == [], case.command
    assert run >= 200


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("make", [scripts, mutated, feeding, counting])
def test_what_scripts_at_random_start_was_found(stage: Stage, make: object, shell: str) -> None:
    """What is for `sh` must mean the same to dash, which knows less than bash and so runs more."""
    assert callable(make)
    understood = started = 0
    for script in make(7):
        found = understand(script if shell == "bash" else f"sh -c {shlex.quote(script)}")
        if may_run(script, found):
            understood += 1
            calls = stage.run(script, shell)
            started += bool(calls)
            assert unseen(calls, found) == [], script
        if understood == 300:
            break
    assert started >= 50
