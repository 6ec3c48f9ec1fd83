"""git: what looks, what changes a repository, and the many ways in which it runs another program."""

import posixpath
import re
from dataclasses import replace

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, pieces, printed, touched, verbs, worse, writes_below
from daemon.limits.words import NotUnderstood

# Options by which a reading sub-command runs a program or writes a file.
_ACTS = re.compile(r"--(bat|std|ou|op|ext|ex$|textc|up|rec|exe|index-f|no-ind|filt)|-O|-o")
# Where options of sub-commands that change something run a program, as far as git takes them shortened.
_RUNS = {
    "clone": r"-u|-c|--upl|--up$|--conf|--template|--te|--bundle-u",
    "init": r"--template|--te",
    "fetch": r"--upl|--up$",
    "pull": r"--upl|--up$",
    "push": r"--rece|--rec=|--rec$|--exe|--ex",
    "archive": r"--exe|--ex|--remote|--rem",
    "rebase": r"-\w*x|--exe|--ex",
    "gc": r"--cruft-exec",
}
# A remote such as `ext::sh -c …` is a program.
_TRANSPORT = re.compile(r"(.*=)?[\w+-]+::")
_CONNECTS = frozenset({"clone", "fetch", "pull", "push", "remote", "submodule", "archive"})


# What these name, other than names within a repository, is written.
_PLACES = frozenset({"clone", "init", "worktree", "apply", "mv", "rm"})


def _checked(command: Command) -> None:
    """Raises NotUnderstood where git would run a program that its options or addresses name."""
    verb = command.path[-1] if command.path else ""
    runs = re.compile(_RUNS.get(verb, r"(?!)"))
    for word in command.args:
        if word.splits or (word.text is None and word.may_be_option) or runs.match(word.prefix):
            raise NotUnderstood(f"the option {word.show()}")
        if verb in _CONNECTS and _TRANSPORT.match(word.prefix):
            raise NotUnderstood(f"the address {word.show()}")


def _changes(command: Command) -> list[Found]:
    _checked(command)
    found = touched(command)
    if command.path and command.path[-1] in _PLACES:
        named = pieces(word for word in command.args if "://" not in word.prefix)
        found += worse(command.writes([word for word in named if word.text is not None])) if named else []
    for at, word in enumerate(command.args):
        match = re.match(r"(-F|-t|--file=?|--template=?)(.*)", word.text or "", re.DOTALL)
        if match and command.path[-1:] in {("commit",), ("notes",), ("tag",), ("merge",)}:
            files = [word.cut(len(match[1]))] if match[2] else list(command.args[at + 1 : at + 2])
            found += [it for file in files for it in command.reads(file)]
    return [*found, command.found(Kind.CHANGE, "changes a repository")]


def _writes(command: Command) -> list[Found]:
    _checked(command)
    named = [word.cut(2) for word in command.args if re.match("-o.", word.prefix)]
    for at, word in enumerate(command.args):
        if word.text in {"-o", "--output", "--output-directory"}:
            named += command.args[at + 1 : at + 2]
        elif re.match("--ou[a-z-]*=", word.prefix):
            named.append(word.cut(word.prefix.index("=") + 1))
    if command.path[-1:] == ("bundle",):
        named += command.args[1:2]
    return command.writes(named)


def _submodule(command: Command) -> list[Found]:
    verb = next((word.text for word in command.args if not word.may_be_option), None)
    if verb in {"add", "update", "init", "sync", "deinit", "absorbgitdirs", "set-branch"}:
        return _changes(command)
    return command.unknown("which runs a command for each of them")


def _bisect(command: Command) -> list[Found]:
    verb = command.args[0].text if command.args else None
    if verb in {"start", "good", "bad", "new", "old", "skip", "reset", "next", "replay", "terms"}:
        return _changes(command)
    return command.unknown("which runs a program")


# What is set otherwise may be a program that a later look starts.
_CONFIG = re.compile(
    r"((--(local|global|system)|set|unset|--unset|--add|--replace-all) )*"
    r"(user\.(name|email)|init\.defaultBranch|pull\.(rebase|ff)|push\.default|fetch\.prune|color\.\w+|core\.(autocrlf|filemode))"
    r"( .*)?"
)


def _config(command: Command) -> list[Found]:
    if any(word.text in {"-l", "--list", "list"} for word in command.args):
        return [command.found(Kind.SECRET, "prints the headers by which git signs in")]
    if _CONFIG.fullmatch(" ".join(word.text or "''" for word in command.args)):
        return [command.found(Kind.CHANGE, "changes how git works")]
    return command.unknown("what git may run by it can't be told")


def _remote(command: Command) -> list[Found]:
    return _changes(command)


def _looks(command: Command) -> list[Found]:
    for word in command.args:
        if word.splits or (word.text is None and word.may_be_option) or _ACTS.match(word.prefix):
            raise NotUnderstood(f"the option {word.show()}")
    # What a revision or path names is printed.
    words = [word.cut(word.prefix.rindex(":") + 1) if ":" in word.prefix else word for word in command.args]
    found = printed(command, words, below=True)  # two directories are compared with all their files
    return found or [command.found(Kind.READ, "looks at a repository")]


def _only(allowed: str, otherwise: Program) -> Program:
    """Looks while every word is one of these (or, where the last is `*`, an operand follows)."""
    pattern = re.compile(allowed)

    def judge(command: Command) -> list[Found]:
        if any(word.text is None for word in command.args):
            return command.unknown("an argument can't be told")
        if pattern.fullmatch(" ".join(word.text or "''" for word in command.args)):
            return [command.found(Kind.READ, "looks at a repository")]
        return otherwise(command)

    return judge


def _push(command: Command) -> list[Found]:
    _checked(command)
    forced = r"-\w*f|--forc|--mir|--del|--prune|-\w*d|\+|:"
    if any(word.text is None or re.match(forced, word.text) for word in command.args):
        return [command.found(Kind.DESTROY, "overwrites or deletes what others have")]
    return [command.found(Kind.CHANGE, "pushes to a repository")]


def _reset(command: Command) -> list[Found]:
    hard = any(word.text is None or word.text.startswith("--har") for word in command.args)
    return [
        command.found(Kind.DESTROY if hard else Kind.CHANGE, "throws changes away" if hard else "changes a repository")
    ]


_GIT: dict[str, Program] = {
    **every(
        "log show diff status blame rev-parse rev-list ls-files ls-tree describe shortlog cat-file name-rev merge-base",
        _looks,
    ),
    **every("show-ref for-each-ref count-objects diff-tree diff-index whatchanged cherry version show-branch", _looks),
    "grep": _looks,
    "ls-remote": _only(
        r"(--(heads|tags|refs|exit-code|quiet|symref) )*(origin|upstream)?( [\w./*][\w./*-]*)*",
        acts(Kind.UNKNOWN, "a remote that may run something"),
    ),
    # Without one of the options that look for branches, a name makes one.
    "branch": _only(
        r"(-[avr]+|-vv|--(all|remotes|show-current|sort=\S+|no-color)| )*"
        r"((-[avr]*l[avr]*|--list|--(merged|no-merged|contains|no-contains|points-at)( \w[\w./-]*)?)"
        r"( (-[avrl]+|-vv|--(all|remotes|sort=\S+|no-color)|\w[\w./*-]*))*)?",
        _changes,
    ),
    "tag": _only(
        r"(-l|-n\d*|--list|--sort=\S+|--contains \S+|--points-at \S+| )*( ?[\w.*][\w.*-]*)?(?<=\*)"
        r"|(-l|-n\d*|--list|--sort=\S+| )*",
        _changes,
    ),
    "remote": _only(r"(-v|--verbose)?|get-url \w[\w-]*", _changes),
    "stash": _only(r"list|show( stash@\{\d+\})?( -p)?", _changes),
    "config": _only(
        r"(--(local|global|system) )?((--get|--get-all|get) (user|core|remote|branch|init)\.[\w.-]+)",
        _config,
    ),
    "worktree": _only(r"list", _changes),
    "submodule": _only(r"status|summary", _submodule),
    "bisect": _only(r"log", _bisect),
    "reflog": _only(r"(show)?( ?\w[\w/@{}.-]*)?(?<!expire)(?<!delete)", acts(Kind.DESTROY, "forgets history")),
    "push": _push,
    "reset": _reset,
    **every(
        "commit add rm mv merge rebase cherry-pick revert fetch pull clone init am apply"
        " switch restore checkout notes gc",
        _changes,
    ),
    **every("archive bundle format-patch", _writes),
    **every("clean filter-branch", acts(Kind.DESTROY, "throws changes away")),
}


def _git(command: Command) -> list[Found]:
    """-c and --exec-path may make any sub-command run a program."""
    given = read(
        command.args,
        options("-C= -P -p --no-pager --git-dir= --work-tree= --bare --no-optional-locks --version --help -v"),
        first=True,
    )
    if any(value.text is None for value in given.values("-C", "--git-dir", "--work-tree")):
        raise NotUnderstood("which repository can't be told")
    if not given.operands:
        return [command.found(Kind.READ, "prints its version")]
    # One that isn't called so may be any directory, with a configuration by which git runs programs.
    if any(not re.search(r"(^|/|\.)git/?$", value.text or "") for value in given.values("--git-dir")):
        raise NotUnderstood("a repository that may be anything")
    directories = command.frame.directories
    for value in given.values("-C", "--work-tree"):
        directories = tuple(posixpath.join(it if it != "?" else "", value.text or "") for it in directories)
    base = replace(command, frame=replace(command.frame, directories=directories))
    found = verbs(_GIT)(base.renamed(given.operands, "git"))
    if any(it.kind is not Kind.READ for it in found):
        where = given.values("-C", "--git-dir", "--work-tree")
        found += worse(writes_below(command, where)) if where else []
    return found


PROGRAMS: dict[str, Program] = {"git": _git}
