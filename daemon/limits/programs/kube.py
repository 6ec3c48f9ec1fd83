"""kubectl and helm."""

import re

from daemon.limits.command import Command, Program, named
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import configures
from daemon.limits.options import options, read
from daemon.limits.programs.copying import copied
from daemon.limits.programs.entries import acts, every, pieces, reader, told, touched, verbs, worse
from daemon.limits.words import NotUnderstood, Word, literal

_GLOBAL = (
    "  -n= --namespace= --context= --cluster= --kubeconfig= --request-timeout= -v= --user="
    " --insecure-skip-tls-verify --as= --as-group="
    " -A --all-namespaces"
)
_SECRETS = re.compile(r"(^|,)(secrets?|sealedsecrets?|externalsecrets?)([./,]|$)|^all$,", re.IGNORECASE)
_GET = options(
    "-o= -l= -w -L= -f= -k= -R --output= --selector= --field-selector= --watch --show-labels --sort-by="
    " --no-headers --label-columns="
    "  --ignore-not-found --show-kind --chunk-size= --watch-only --output-watch-events --subresource="
    " --server-print --recursive"
    " --show-managed-fields" + _GLOBAL
)
_LOGS = options(
    "-f -p -c= -l= --tail= --since= --since-time= --timestamps --previous --all-containers --container="
    " --selector= --follow --prefix"
    " --max-log-requests= --limit-bytes= --ignore-errors --all-pods" + _GLOBAL
)
_LOOKS = reader(
    "looks at the cluster",
    "--no-headers --containers --sort-by= -l= --selector= --client --short -o= --output= --recursive"
    "  --api-group= --namespaced --verbs= --list --revision= --watch -w --timeout= --api-version="
    " --cached -q --quiet"
    " --show-events --use-protocol-buffers" + _GLOBAL,
)
_APPLIES = acts(Kind.REDEPLOYMENT, "changes what the cluster runs", files=True)
_CHANGE = acts(Kind.CHANGE, "changes the cluster")


def _get(command: Command) -> list[Found]:
    raw = [word.text for word in command.args]
    if (
        len(raw) == 2
        and raw[0] == "--raw"
        and re.fullmatch(r"/(healthz|livez|readyz|version|metrics)(/[\w-]+)?", raw[1] or "")
    ):
        return [command.found(Kind.READ, "asks the cluster how it is")]
    given = read(command.args, _GET)
    if any(word.text is None and (not index or "," in word.prefix) for index, word in enumerate(given.operands)):
        raise NotUnderstood("which resource can't be told")
    secret = any(_SECRETS.search(word.text or word.prefix) for word in given.operands)
    if given.values("-f", "-k"):
        raise NotUnderstood("resources from a file")
    shapes = [value.text or "?" for value in given.values("-o", "--output")]
    if secret and any(shape not in {"name", "wide"} for shape in shapes):
        return [command.found(Kind.SECRET, "prints secrets")]
    if any("file" in shape for shape in shapes):
        raise NotUnderstood("a format from a file")
    return [command.found(Kind.READ, "looks at the cluster")]


def _logs(command: Command) -> list[Found]:
    read(command.args, _LOGS)
    return [command.found(Kind.READ, "prints logs")]


def _describe(command: Command) -> list[Found]:
    read(command.args, options("-l= --selector= --show-events --chunk-size=" + _GLOBAL))
    return [command.found(Kind.READ, "looks at the cluster")]


def _top(command: Command) -> list[Found]:
    return _LOOKS(command)


def _exec(command: Command) -> list[Found]:
    """What follows `--` runs in the container."""
    before = [at for at, word in enumerate(command.args) if word.text == "--"]
    head = command.args[: before[0]] if before else command.args
    given = read(head, options("-i -t -c= --stdin --tty --container= -q --quiet" + _GLOBAL))
    inner = list(command.args[before[0] + 1 :]) if before else given.operands[1:]
    if not given.operands or not inner:
        return command.unknown("a shell in a container")
    frame = command.frame.within(f"kubectl exec {given.operands[0].show()}", remote=True)
    return command.inner.argv(inner, frame, command.stdin)


def _resource(words: list[Word]) -> str | None:
    """The name in `deployment/web` or `deployment web`."""
    text = words[0].text if words else None
    if text is None or (len(words) < 2 and "/" not in text):
        return None
    return text.partition("/")[2] if "/" in text else named(words[1])


def _rollout(kind: Kind, reason: str) -> Program:
    def judge(command: Command) -> list[Found]:
        operands = read(
            command.args, options("--to-revision= -l= --selector= --timeout= -w --watch" + _GLOBAL)
        ).operands
        if len(operands) > 1 and all("/" in word.prefix for word in operands):
            return [command.found(kind, reason, _resource([word])) for word in operands]
        # `deployment web api` is two of them, `deployment` all.
        return [command.found(kind, reason, _resource([*operands[:1], it])) for it in operands[1:]] or [
            command.found(kind, reason, _resource(operands))
        ]

    return judge


def _set(command: Command) -> list[Found]:
    operands = read(command.args, options("--record --local -c= --containers= -l= --all" + _GLOBAL)).operands
    return [command.found(Kind.REDEPLOYMENT, "replaces what a workload runs", _resource(operands[1:]))]


def _delete(command: Command) -> list[Found]:
    """A pod comes back by itself; most else doesn't."""
    first, *more = [word.text or "" for word in command.args if not word.may_be_option] or [""]
    kinds = [kind for text in (first, *(it for it in more if "/" in it)) for kind in text.partition("/")[0].split(",")]
    everything = any(
        word.prefix in {"--all", "-A", "--all-namespaces"} or word.prefix.startswith("--all=") for word in command.args
    )
    if (
        all(kind in {"pod", "pods", "po"} for kind in kinds)
        and not everything
        and "-f" not in {w.text for w in command.args}
    ):
        return [command.found(Kind.CHANGE, "deletes pods")]
    return [command.found(Kind.DESTROY, "deletes resources")]


def _config(command: Command) -> list[Found]:
    table = options("--minify -o= --output= --no-headers --flatten --raw" + _GLOBAL)
    given = read(command.args, table)
    verb = given.operands[0].text if given.operands else None
    if verb not in {"view", "current-context", "get-contexts", "get-clusters", "get-users"}:
        return [command.found(Kind.CHANGE, "changes the client's configuration")]
    if given.has("--raw"):
        return [command.found(Kind.SECRET, "prints credentials")]
    return [command.found(Kind.READ, "prints the client's configuration")]


def _apply(command: Command) -> list[Found]:
    if any("://" in word.prefix for word in command.args):
        return command.unknown("resources from an address, which may be anything")
    return _APPLIES(command)


def _create(command: Command) -> list[Found]:
    if any(word.text in {None, "token"} for word in command.args if not word.may_be_option):
        return [command.found(Kind.SECRET, "may print a token")]
    return _apply(command)


def _run(command: Command) -> list[Found]:
    if any(re.match(r"--(ov|pri)", word.prefix) or (word.may_be_option and not word.prefix) for word in command.args):
        return command.unknown("a pod that may have the node's files or rights")
    return _apply(command)


def _copies(command: Command) -> list[Found]:
    """`namespace/pod:path` on one side."""
    given = read(command.args, options("-c= --container= --no-preserve --retries=" + _GLOBAL))
    return copied(command, [_without_namespace(word) for word in given.operands], tree=True)


def _without_namespace(word: Word) -> Word:
    match = re.fullmatch(r"[\w-]+/([\w.-]+:.*)", word.text or "", re.DOTALL)
    return literal(match[1]) if match else word


def _charts(command: Command) -> list[Found]:
    named = [word for word in pieces(command.args) if word.text is not None]
    return [command.found(Kind.WRITE, "writes charts"), *(worse(command.writes(named)) if named else [])]


def _auth(command: Command) -> list[Found]:
    verb = command.args[0].text if command.args else None
    if verb in {"can-i", "whoami"}:
        return [command.found(Kind.READ, "asks what it may do")]
    return command.unknown("which may change who may do what")


_KUBECTL: dict[str, Program] = {
    "get": _get,
    "logs": _logs,
    "describe": _describe,
    "exec": _exec,
    "set": _set,
    "delete": _delete,
    "config": _config,
    "auth": _auth,
    **every("top explain version api-resources api-versions events options", _LOOKS),
    "cluster-info": reader("looks at the cluster", _GLOBAL),
    "diff": reader("compares with the cluster", "-f= --server-side -R" + _GLOBAL),
    "rollout": verbs(
        {
            "status": _LOOKS,
            "history": _LOOKS,
            "restart": _rollout(Kind.RESTART, "restarts a workload"),
            "undo": _rollout(Kind.REDEPLOYMENT, "rolls a workload back"),
            **every("pause resume", _CHANGE),
        }
    ),
    **every("apply replace patch edit expose autoscale", _apply),
    "create": _create,
    "run": _run,
    **every("scale label annotate cordon uncordon taint certificate wait", _CHANGE),
    **every("drain", acts(Kind.HOST, "empties a node")),
    "cp": _copies,
}
_KUBECTL["wait"] = reader("waits for the cluster", "--for= --timeout= --all -l= --selector=" + _GLOBAL)

_HELM_GLOBAL = " -n= --namespace= --kube-context= --kubeconfig= --debug -A --all-namespaces"
_HELM_LOOKS = reader(
    "looks at releases",
    "-a -q -d -r -f= -o= -l= -m= --output= --max= --revision= --all --short --deployed --failed --pending"
    " --filter= --version= --values="
    "  --set= --set-string= --show-only= -s= --offset= --date --reverse --superseded --devel --versions"
    " --strict --include-crds --template="
    "  --show-desc --show-resources --client --time-format= --no-headers --selector= --repo= -c= --uninstalled"
    " --uninstalling --validate" + _HELM_GLOBAL,
)
_HELM_SET = options(
    "-i -f= -o= --install --values= --set= --set-string= --set-file= --version= --wait --timeout= --atomic"
    " --reuse-values --reset-values"
    "  --force --cleanup-on-fail --create-namespace --recreate-pods --history-max= --dry-run --wait-for-jobs"
    " --description= --devel --repo="
    " --no-hooks --reset-then-reuse-values --generate-name" + _HELM_GLOBAL
)


def _release(command: Command) -> list[Found]:
    operands = read(command.args, _HELM_SET).operands
    target = named(operands[0]) if operands else None
    return [*touched(command, reads=True), command.found(Kind.REDEPLOYMENT, "changes a release", target)]


def _fetched(command: Command) -> list[Found]:
    """A chart may be an address, to which it is asked for."""
    told(command)
    return _HELM_LOOKS(command)


def _template(command: Command) -> list[Found]:
    """Files of values are printed, a repository asked. --post-renderer and --output-dir are not in the table."""
    told(command)
    words = list(command.args)
    files = [words[at + 1] for at, word in enumerate(words[:-1]) if word.text in {"-f", "--values"}]
    files += [word.cut(word.prefix.index("=") + 1) for word in words if word.prefix.startswith(("-f=", "--values="))]
    return [it for word in files for it in command.reads(word)] or _HELM_LOOKS(command)


_HELM: dict[str, Program] = {
    **every("list ls status history version", _HELM_LOOKS),
    **every("show lint search", _fetched),
    "template": _template,
    "get": verbs(
        {
            **every("values notes metadata", _HELM_LOOKS),
            **every("manifest hooks all", acts(Kind.SECRET, "prints a release's resources, with its secrets")),
        }
    ),
    "repo": verbs(
        {
            **every("list ls", _HELM_LOOKS),
            **every("add remove update rm index", acts(Kind.CHANGE, "changes the repositories")),
        }
    ),
    **every("upgrade install rollback", _release),
    **every("uninstall delete del un", acts(Kind.DESTROY, "removes a release")),
    **every("test", acts(Kind.CHANGE, "runs a release's tests")),
    "dependency": verbs({**every("list ls", _HELM_LOOKS), **every("update build", acts(Kind.WRITE, "writes charts"))}),
    **every("pull fetch package create", _charts),
    "plugin": verbs({**every("list ls", _HELM_LOOKS)}),
}


def _configured(program: Program) -> Program:
    """A configuration may name a program that is run for its credentials: none that is made up on the spot is taken."""

    def judge(command: Command) -> list[Found]:
        words = [*command.args, Word(("",))]
        values = [words[at + 1] for at, word in enumerate(words) if word.text == "--kubeconfig"]
        values += [word.cut(len("--kubeconfig=")) for word in words if word.prefix.startswith("--kubeconfig=")]
        if not all(configures(value.text) for value in values):
            raise NotUnderstood("a configuration from what may be anything")
        return program(command)

    return judge


PROGRAMS: dict[str, Program] = {
    "kubectl": _configured(verbs(_KUBECTL, options(_GLOBAL))),
    "helm": _configured(verbs(_HELM, options(_HELM_GLOBAL))),
}
