"""git, and the clients of forges: gh and tea."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, printed, reader, verbs
from daemon.limits.words import NotUnderstood

# Options by which a reading sub-command runs a program or writes a file.
_ACTS = re.compile(r"--(ou|op|ext|ex$|textc|up|rec|exe|index-f|no-ind|filt)|-O|-o")
_CHANGES = acts(Kind.CHANGE, "changes a repository")
_WRITES = acts(Kind.WRITE, "changes files of a repository")


def _looks(command: Command) -> list[Found]:
    for word in command.args:
        if word.splits or (word.text is None and word.may_be_option) or _ACTS.match(word.prefix):
            raise NotUnderstood(f"the option {word.show()}")
    # What a revision or path names is printed.
    words = [word.cut(word.prefix.rindex(":") + 1) if ":" in word.prefix else word for word in command.args]
    found = printed(command, words)
    return found or [command.found(Kind.READ, "looks at a repository")]


def _only(allowed: str, otherwise: Kind, reason: str) -> Program:
    """Looks while every word is one of these (or, where the last is `*`, an operand follows)."""
    pattern = re.compile(allowed)

    def judge(command: Command) -> list[Found]:
        if any(word.text is None for word in command.args):
            return command.unknown("an argument can't be told")
        if pattern.fullmatch(" ".join(word.text or "''" for word in command.args)):
            return [command.found(Kind.READ, "looks at a repository")]
        return [command.found(otherwise, reason)]

    return judge


def _push(command: Command) -> list[Found]:
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
        Kind.UNKNOWN,
        "a remote that may run something",
    ),
    "branch": _only(
        r"(-[avrl]+|--(list|all|remotes|show-current|merged|no-merged|contains|sort=\S+)|-vv| )*( \w[\w./-]*)?",
        Kind.CHANGE,
        "changes branches",
    ),
    "tag": _only(
        r"(-l|-n\d*|--list|--sort=\S+|--contains \S+|--points-at \S+| )*( ?[\w.*][\w.*-]*)?(?<=\*)"
        r"|(-l|-n\d*|--list|--sort=\S+| )*",
        Kind.CHANGE,
        "changes tags",
    ),
    "remote": _only(r"(-v|--verbose)?|get-url \w[\w-]*", Kind.CHANGE, "changes remotes"),
    "stash": _only(r"list|show( stash@\{\d+\})?( -p)?", Kind.CHANGE, "changes a repository"),
    "config": _only(
        r"(--(local|global|system) )?((--get|--get-all|get) (user|core|remote|branch|init)\.[\w.-]+|--list|-l|list)",
        Kind.CHANGE,
        "changes how git works",
    ),
    "worktree": _only(r"list", Kind.CHANGE, "changes a repository"),
    "submodule": _only(r"status|summary", Kind.CHANGE, "changes a repository"),
    "bisect": _only(r"log", Kind.CHANGE, "changes a repository"),
    "reflog": _only(r"(show)?( ?\w[\w/@{}.-]*)?(?<!expire)(?<!delete)", Kind.DESTROY, "forgets history"),
    "push": _push,
    "reset": _reset,
    **every(
        "commit add rm mv merge rebase cherry-pick revert fetch pull clone init am apply"
        " switch restore checkout notes gc",
        _CHANGES,
    ),
    **every("archive bundle format-patch", _WRITES),
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
    return (
        verbs(_GIT)(command.renamed(given.operands, "git"))
        if given.operands
        else [command.found(Kind.READ, "prints its version")]
    )


_GH_LOOKS = reader(
    "looks at a forge",
    (
        "-R= --repo= -L= --limit= --json= -q= --jq= -s= --state= -l= --label= -a= --assignee= -A= --author= -w="
        " --workflow= -b= --branch= -u="
        "  --user= --status= --event= -e= --log --log-failed -j= --job= -v --verbose -c --comments --search= -S="
        " --base= -B= --head= -H= --app="
        "  --patch --name-only --color= --exit-status --attempt= -t= --template= --watch --required -i="
        " --interval= --exclude-drafts --owner="
        "  --login= --output= --page= --sort= --order= --created= -o= -f= --fields= --remote= -r= --visibility="
        " --language= --archived --yaml"
    ),
)
_GH_CHANGES = acts(Kind.CHANGE, "changes something at a forge")
_LIST = every("list view status diff checks", _GH_LOOKS)


def _env_free(program: Program) -> Program:
    """gh's own jq knows the environment."""

    def judge(command: Command) -> list[Found]:
        if any(re.search(r"(?<![.\w])env\b|\$ENV", word.prefix) for word in command.args):
            return [command.found(Kind.SECRET, "may print the environment")]
        return program(command)

    return judge


def _gh_api(command: Command) -> list[Found]:
    table = options(
        "-q= --jq= --paginate -H= -i -t= --cache= --slurp -X= --method= --hostname= --silent --include"
        " --header= --template="
    )
    given = read(command.args, table)
    fixed = all(word.text is not None for word in command.args)
    gets = all((value.text or "").upper() == "GET" for value in given.values("-X", "--method"))
    override = any("method" in (value.text or "").lower() for value in given.values("-H", "--header"))
    if fixed and gets and not override and len(given.operands) == 1 and "graphql" not in (given.operands[0].text or ""):
        return [command.found(Kind.READ, "looks at a forge")]
    return command.unknown("a request that may change something")


def _destroys(reason: str) -> Program:
    return acts(Kind.DESTROY, reason)


_GH: dict[str, Program] = {
    "pr": verbs(
        {
            **_LIST,
            **every("create edit comment review ready reopen checkout update-branch", _GH_CHANGES),
            "merge": _destroys("merges for good"),
            "close": _GH_CHANGES,
        }
    ),
    "issue": verbs(
        {
            **_LIST,
            **every("create edit comment close reopen pin unpin lock", _GH_CHANGES),
            "delete": _destroys("deletes an issue"),
        }
    ),
    "run": verbs(
        {
            "list": _GH_LOOKS,
            "view": _GH_LOOKS,
            "watch": _GH_LOOKS,
            **every("rerun cancel", _GH_CHANGES),
            "delete": _destroys("deletes a run"),
            "download": _WRITES,
        }
    ),
    "workflow": verbs({"list": _GH_LOOKS, "view": _GH_LOOKS, **every("run enable disable", _GH_CHANGES)}),
    "release": verbs(
        {
            "list": _GH_LOOKS,
            "view": _GH_LOOKS,
            **every("create edit upload", _GH_CHANGES),
            "delete": _destroys("deletes a release"),
            "download": _WRITES,
        }
    ),
    "repo": verbs(
        {
            "list": _GH_LOOKS,
            "view": _GH_LOOKS,
            **every("create edit fork sync clone rename archive", _GH_CHANGES),
            "delete": _destroys("deletes a repository"),
        }
    ),
    "auth": verbs({"status": reader("asks who it is", "-h=")}),
    "search": verbs(every("issues prs repos commits code", _GH_LOOKS)),
    "status": _GH_LOOKS,
    "version": _GH_LOOKS,
    "api": _gh_api,
    "label": verbs({"list": _GH_LOOKS}),
    "cache": verbs({"list": _GH_LOOKS}),
    "gist": verbs({"list": _GH_LOOKS}),
}
_TEA_LIST = every("list ls", _GH_LOOKS)
_TEA: dict[str, Program] = {
    **every(
        "pr pulls pull",
        verbs(
            {
                **_TEA_LIST,
                **every("create review approve reject close reopen checkout clean", _GH_CHANGES),
                **every("merge", _destroys("merges for good")),
            },
            bare=_GH_LOOKS,
        ),
    ),
    **every("issue issues i", verbs({**_TEA_LIST, **every("create close reopen edit", _GH_CHANGES)}, bare=_GH_LOOKS)),
    **every(
        "repos repo",
        verbs(
            {
                **_TEA_LIST,
                "search": _GH_LOOKS,
                **every("create fork", _GH_CHANGES),
                "delete": _destroys("deletes a repository"),
            }
        ),
    ),
    **every(
        "releases release",
        verbs({**_TEA_LIST, **every("create edit", _GH_CHANGES), "delete": _destroys("deletes a release")}),
    ),
    "comment": _GH_CHANGES,
    "whoami": _GH_LOOKS,
    "labels": verbs(_TEA_LIST),
    "milestones": verbs(_TEA_LIST),
}

PROGRAMS: dict[str, Program] = {
    "git": _git,
    "gh": _env_free(verbs(_GH, options("--version"))),
    "tea": verbs(_TEA, options("--version -v")),
}
