"""docker and podman: what looks, what restarts, what replaces, what destroys."""

import posixpath
import re
from dataclasses import replace

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import compose_services
from daemon.limits.options import options, read
from daemon.limits.programs.compose import compose_of, inside
from daemon.limits.programs.entries import acts, elsewhere, every, reader, touched, verbs, worse, writes_below
from daemon.limits.programs.mounts import given_anywhere, mounted
from daemon.limits.programs.plain import ps
from daemon.limits.words import NotUnderstood, literal

_LOOKS = reader("looks at containers")
# Where a format shows what a container has in its environment, or all that is known of it.
_SHOWS = re.compile(
    r"\bEnv\b|\.(Config|ContainerConfig|Spec|PreviousSpec|TaskTemplate|ContainerSpec)\b(?!\.\w)|(?<![\w)])[.$](?![\w.])"
)


def _shows_environment(text: str | None) -> bool:
    actions = re.findall(r"\{\{(.*?)\}\}", text or "{{.}}", re.DOTALL)
    return any(_SHOWS.search(re.sub(r'"[^"]*"|`[^`]*`', " ", action)) for action in actions)


def _inspect(command: Command) -> list[Found]:
    """All of a container has its environment in it, among much else; a format that asks for it is a question for it."""
    words = [*command.args, literal("")]
    formats = [words[at + 1] for at, word in enumerate(words[:-1]) if word.text in {"-f", "--format"}]
    formats += [word.cut(word.prefix.index("=") + 1) for word in words if word.prefix.startswith(("--format=", "-f="))]
    formats += [word.cut(2) for word in words if re.match("-f[^=]", word.prefix)]
    if any(_shows_environment(value.text) for value in formats):
        return [command.found(Kind.SECRET, "prints the environment of containers, where credentials are")]
    return _LOOKS(command)


# The beginning of a container's id, by which it would be counted apart from its name. `db1` is a name.
_ID = re.compile(r"(?=.*\d)(?![a-f]+\d{1,2}$)[0-9a-f]+|[0-9a-f]{12}|[0-9a-f]{64}")


_SERVICES_MAX = 5


def _by_name(program: Program) -> Program:
    """Containers count as the services of compose that they are instances of, as each if that can't be told. Those that
    are given by their ids, or may be of too many, have no target: they can't be counted for a service."""

    def judge(command: Command) -> list[Found]:
        return [one for it in program(command) for one in _counted(it)]

    return judge


def _counted(item: Found) -> list[Found]:
    if not item.target:
        return [item]
    name = item.target.lstrip("/")
    if _ID.fullmatch(name):
        return [item._replace(target=None)]
    services = compose_services(name)
    if len(services) > _SERVICES_MAX:
        return [item._replace(target=None)]
    if len(services) < 2:
        return [item._replace(target=services[0] if services else name)]
    return [item._replace(target=one, reason=f"{item.reason}, perhaps of the service {one}") for one in services]


_RESTART = _by_name(
    acts(Kind.RESTART, "restarts a container", targets="each", table="-t= -s= --time= --timeout= --signal=")
)
_START = _by_name(acts(Kind.RESTART, "starts a container", targets="each", table=""))
_STOPS = acts(Kind.CHANGE, "stops or changes a container", targets="each", table="-t= -s= --time= --timeout= --signal=")
_CHANGES = acts(Kind.CHANGE, "changes containers, networks or images")
_REMOVES = acts(Kind.REDEPLOYMENT, "removes a container", targets="each", table="-f -l --force --link")
_PRUNES = acts(Kind.DESTROY, "deletes what can't be brought back")
_VOLUMES = acts(Kind.DESTROY, "deletes volumes")


def _rm(command: Command) -> list[Found]:
    """With -v the container's anonymous volumes go too."""
    if any(re.match(r"-\w*v|--vol", word.prefix) for word in command.args):
        return [command.found(Kind.DESTROY, "deletes a container and its volumes")]
    return _REMOVES(command)


_RUN = options(
    "-d -i -t -P --rm --detach --interactive --tty --init --read-only --publish-all -e= -p= -v= -w= -u= -l="
    " -h= -m= --name= --env= --publish="
    "  --volume= --workdir= --user= --label= --network= --net= --restart= --memory= --cpus= --entrypoint="
    " --mount= --hostname= --pull="
    "  --env-file= --add-host= --dns= --expose= --log-driver= --log-opt= --platform= --ulimit= --tmpfs="
    " --health-cmd= --network-alias="
    " --stop-timeout= --shm-size= --cap-drop= --security-opt= --gpus= --link= --ip="
)


def _run(command: Command) -> list[Found]:
    """A new container. With the host's files or rights in it, it is the host that changes."""
    given = read(command.args, _RUN, first=True)
    names = given.values("--name")
    return mounted(command, given) or [
        command.found(Kind.REDEPLOYMENT, "makes a new container", names[0].text if names else None)
    ]


def _new_volume(command: Command) -> list[Found]:
    """With options it may be any directory of the host."""
    if any(
        re.match(r"-\w*[od]|--o|--d", word.prefix) or (word.may_be_option and not word.prefix) for word in command.args
    ):
        return [command.found(Kind.HOST, "a volume that may be any directory of the host")]
    return _CHANGES(command)


def _top(command: Command) -> list[Found]:
    """What follows the container goes to ps."""
    return ps(replace(command, name="ps", args=command.args[1:])) if len(command.args) > 1 else _LOOKS(command)


def _copies(command: Command) -> list[Found]:
    """One side is a path here, the other `container:path`."""
    operands = read(command.args, options("-a -L -q --archive --follow-link --quiet")).operands
    if len(operands) != 2 or any(word.text is None for word in operands):
        raise NotUnderstood("which files can't be told")
    source, into = operands
    found: list[Found] = []
    for word, is_read in ((source, True), (into, False)):
        inside = re.fullmatch(r"[^/.:][^/:]*:(.*)", word.text or "", re.DOTALL)
        side = elsewhere(command) if inside else command
        path = literal(inside[1] or ".") if inside else word
        if path.text == "-":
            found += [] if is_read else [command.found(Kind.READ, "prints files of a container")]
        elif is_read:
            found += side.reads_below(path)
        else:
            name = posixpath.basename((source.text or "x").rstrip("/"))
            found += side.writes([path]) + worse(writes_below(side, [literal(f"{path.text}/{name}")]))
    return list(dict.fromkeys(found))


def _saves(command: Command) -> list[Found]:
    given = read(command.args, options("-o= --output= --platform= -f= --format="))
    return [*command.writes(given.values("-o", "--output"))]


def _service(command: Command) -> list[Found]:
    return given_anywhere(command) or [command.found(Kind.REDEPLOYMENT, "changes a service")]


_BUILD = options(
    "-f= -t= -o= -q -m= --file= --tag= --output= --quiet --no-cache --pull --build-arg= --target= --platform= --label="
    " --network= --progress= --secret= --rm --force-rm --squash --cache-from= --load --push --add-host= --iidfile="
    " --metadata-file= --memory= --cpuset-cpus= --shm-size= --ulimit= --compress --provenance= --build-context="
)


def _build(command: Command) -> list[Found]:
    given = read(command.args, _BUILD)
    found = touched(command, reads=True)
    for value in given.values("-o", "--output"):
        fields = dict(field.partition("=")[::2] for field in (value.text or "").split(","))
        place = fields.get("dest", value.text if "=" not in (value.text or "=") else None)
        found += worse(writes_below(command, [literal(place)] if place not in {None, "-"} else [value]))
    written = given.values("--iidfile", "--metadata-file")
    found += worse(command.writes(written)) if written else []
    contexts = [word for word in given.operands if ":" not in (word.text or "") and word.text != "-"]
    found += [it for word in contexts for it in command.reads_below(word)]
    if any("=" not in value.prefix for value in given.values("--build-arg")):
        found.append(command.found(Kind.SECRET, "hands a variable of this environment to a build"))
    return [*found, command.found(Kind.CHANGE, "changes images")]


_CARRIES = acts(Kind.CHANGE, "changes images", files=True)

_CONTAINER: dict[str, Program] = {
    **every("ps ls list logs stats port diff events", _LOOKS),
    "inspect": _inspect,
    "restart": _RESTART,
    "start": _START,
    "rm": _rm,
    "remove": _rm,
    "run": _run,
    "create": _run,
    "exec": inside,
    "top": _top,
    **every("stop kill pause unpause", _STOPS),
    **every("rename update attach commit", _CHANGES),
    "prune": _PRUNES,
    "cp": _copies,
    "export": _saves,
}
_IMAGES: dict[str, Program] = {
    **every("ls list history", _LOOKS),
    "inspect": _inspect,
    **every("pull tag push", _CHANGES),
    "build": _build,
    **every("load import", _CARRIES),
    "save": _saves,
    **every("rm remove prune", _PRUNES),
}


def _named(*names: str, table: dict[str, Program]) -> Program:
    """`docker container restart` is `docker restart`."""
    inner = verbs(table)
    return lambda command: inner(command.renamed(command.args, *names))


_SUB: dict[str, Program] = {
    **_CONTAINER,
    "container": _named("docker", table=_CONTAINER),
    **every("images history version info", _LOOKS),
    "search": reader("looks for images", fixed=True),
    "manifest": verbs({"inspect": reader("looks at an image", "-v --verbose --insecure", fixed=True)}),
    "plugin": verbs({**every("ls list", _LOOKS)}),
    "buildx": verbs({**every("ls version du", _LOOKS)}),
    "compose": compose_of,
    "image": _named("docker", "image", table=_IMAGES),
    "network": verbs(
        {**every("ls list inspect", _LOOKS), **every("create connect disconnect rm remove", _CHANGES), "prune": _PRUNES}
    ),
    "volume": verbs({**every("ls list inspect", _LOOKS), "create": _new_volume, **every("rm remove prune", _VOLUMES)}),
    "system": verbs({**every("df info events", _LOOKS), "prune": _PRUNES}),
    "context": verbs({**every("ls list show inspect", _LOOKS), "use": _CHANGES}),
    "builder": verbs({"du": _LOOKS, "prune": _PRUNES}),
    "node": verbs(
        {**every("ls inspect ps", _LOOKS), **every("update promote demote rm", acts(Kind.HOST, "changes the swarm"))}
    ),
    "service": verbs(
        {
            **every("ls ps logs", _LOOKS),
            "inspect": _inspect,
            **every("update scale rollback create", _service),
            "rm": acts(Kind.REDEPLOYMENT, "removes a service"),
        }
    ),
    "stack": verbs(
        {**every("ls ps services", _LOOKS), **every("deploy rm up down", acts(Kind.REDEPLOYMENT, "changes a stack"))}
    ),
    "swarm": acts(Kind.HOST, "changes the swarm"),
    "rmi": _PRUNES,
    **every("pull push tag", _CHANGES),
    "build": _build,
    **every("load import", _CARRIES),
    "cp": _copies,
    **every("save export", _saves),
    **every("login logout", acts(Kind.CHANGE, "changes how it signs in")),
}
_BEFORE = options("-H= --host= -c= --context= -l= --log-level= -D --debug --tls --tlsverify -v --version")


def docker(command: Command) -> list[Found]:
    """docker with its own options; `-H` is the host."""
    given = read(command.args, _BEFORE, first=True)
    if given.has("-v", "--version") and not given.operands:
        return [command.found(Kind.READ, "prints its version")]
    hosts = given.values("-H", "--host", "-c", "--context")
    if any(
        not re.fullmatch(r"(\w+://)?(?!-)[\w.@:/\[\]-]+", value.text or "") or "://-" in (value.text or "")
        for value in hosts
    ):
        raise NotUnderstood("which host can't be told")
    base = command.renamed(given.operands, "docker" if command.name == "docker" else command.name)
    found = verbs(_SUB)(base)
    host = re.sub(r"^\w+://", "", hosts[-1].text or "") if hosts else None
    return [it._replace(host=it.host or host) for it in found]


PROGRAMS: dict[str, Program] = {
    "docker": docker,
    "podman": docker,
}
