"""The clients of forges: gh and tea."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, reader, verbs, writes_below

_DOWNLOAD = options(
    "-R= --repo= -D= --dir= -n= --name= -p= --pattern= -O= --output= -A= --archive= --clobber --skip-existing"
)


def _download(command: Command) -> list[Found]:
    given = read(command.args, _DOWNLOAD)
    written = given.values("-O", "--output")
    return (command.writes(written) if written else []) + writes_below(command, given.values("-D", "--dir"))


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
_GH_CHANGES = acts(Kind.CHANGE, "changes something at a forge", files=True)
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
            "download": _download,
        }
    ),
    "workflow": verbs({"list": _GH_LOOKS, "view": _GH_LOOKS, **every("run enable disable", _GH_CHANGES)}),
    "release": verbs(
        {
            "list": _GH_LOOKS,
            "view": _GH_LOOKS,
            **every("create edit upload", _GH_CHANGES),
            "delete": _destroys("deletes a release"),
            "download": _download,
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
    "gh": _env_free(verbs(_GH, options("--version"))),
    "tea": verbs(_TEA, options("--version -v")),
}
