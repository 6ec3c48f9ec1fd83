"""Services of a host: systemctl, service, journalctl and what belongs to them."""

import fnmatch
import re
from collections.abc import Iterable

from daemon.limits.command import Command, Program, named
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import Given, options, read
from daemon.limits.programs.entries import acts, every, reader, verbs
from daemon.limits.words import NotUnderstood, Word

_SYSTEMCTL = options(
    "-l -a -q -t= -p= -P= -n= -o= -H= -M= -r -T --full --all --quiet --type= --state= --property= --value"
    " --lines= --output= --no-pager"
    "  --plain --no-legend --legend= --user --system --host= --machine= --failed --recursive --reverse --after"
    " --before --no-block --wait"
    "  --now --with-dependencies --show-types --no-ask-password --job-mode= --runtime --version --help -h"
    " --timestamp= --firmware-setup"
    " --no-reload --what= -f --force -i -s= --signal= --kill-who= --kill-whom= --no-wall --global --check-inhibitors="
)
_UNIT_READS = listed(
    "status is-active is-enabled is-failed is-system-running list-units list-unit-files list-timers"
    " list-sockets list-jobs list-dependencies list-machines list-automounts list-paths show cat"
    " get-default help"
)
_UNIT_RESTARTS = listed(
    "restart start try-restart reload reload-or-restart try-reload-or-restart reload-or-try-restart"
)
_UNIT_CHANGES = listed(
    "stop enable disable mask unmask preset kill reset-failed daemon-reload daemon-reexec revert"
    " set-property freeze thaw reenable preset-all add-wants add-requires clean cancel log-level log-target"
)
_UNIT_HOST = listed(
    "reboot poweroff halt kexec suspend hibernate hybrid-sleep rescue emergency isolate default"
    " set-default exit switch-root soft-reboot suspend-then-hibernate sleep edit link bind mount-image"
    " import-environment set-environment unset-environment service-watchdogs"
)
# Units whose start is the machine's end, wherever that stands in their names.
_TARGETS = re.compile(
    r"(^|.*[-_.@/])(reboot|poweroff|halt|rescue|emergency|shutdown|kexec|suspend|hibernate|hybrid-sleep|factory-reset"
    r"|debug-shell|systemd-exit|killprocs|sendsigs|umountfs|umountroot|umountnfs|ctrl-alt-del|runlevel\d|switch-root)([-_.@]|$)"
    r"|(exit|umount|final|default|sleep|initrd[\w-]*|system-update[\w-]*|sigpwr)(\.target)?$|(single|rc\w?)$"
    r"|.*\.(mount|swap|automount)$|init\.scope$|(system|user|machine|-)\.slice$"
)
# Units that install packages when they are started.
_UPGRADES = re.compile(r"(apt-daily|unattended-upgrade|dnf-|yum-|packagekit-offline|fwupd|snapd\.(autoimport|seeded))")
# As which units the daemon may run: a pattern that fits one of them fits it.
_OWN = ("claudeops.service", "claude-ops.service", "claudeops", "claude-ops")
_JOB_MODES = frozenset({"replace", "fail", "ignore-dependencies", "ignore-requirements"})


def _systemctl(command: Command) -> list[Found]:
    args = command.args
    verb = next((word.text for word in args if not word.may_be_option), None)
    if verb in _UNIT_READS and any(word.splits or (word.may_be_option and not word.prefix) for word in args):
        # A unit's name that can't be told: no option turns a look into a change, but the verb must come first.
        position = next(at for at, word in enumerate(args) if not word.may_be_option)
        if any(word.text not in {"--user", "--system", "--no-pager", "-l", "--full"} for word in args[:position]):
            raise NotUnderstood("which command can't be told")
        # What isn't known may be a unit; what is must be an option that only looks.
        read([word for word in args if word.text is not None], _SYSTEMCTL)
        if any(re.match("-H|-M|--h|--ma", word.prefix) for word in args):
            raise NotUnderstood("what it says to another host can't be told")
        return [_shown(command, args)]
    given = read(args, _SYSTEMCTL)
    hosts = given.values("-H", "--host", "-M", "--machine")
    if any(value.text is None for value in hosts):
        raise NotUnderstood("which host can't be told")
    host = (hosts[-1].text or "").rpartition("@")[2] if hosts else None
    base = command.renamed(given.operands, "systemctl")
    return [it._replace(host=it.host or host) for it in _units(base, given)]


def _shown(command: Command, words: Iterable[Word]) -> Found:
    if any("Environment" in word.prefix for word in words):
        return command.found(Kind.SECRET, "prints the environment of services, where credentials are")
    return command.found(Kind.READ, "looks at services")


def _units(command: Command, given: Given) -> list[Found]:
    modes = [value.text for value in given.values("--job-mode")]
    if given.has("--firmware-setup") or any(mode not in _JOB_MODES for mode in modes):
        return [command.found(Kind.HOST, "changes how the machine starts, or stops all else")]
    if not given.operands:
        return [command.found(Kind.READ, "lists services")]
    verb, *units = given.operands
    if verb.text is None:
        raise NotUnderstood("which command can't be told")
    if verb.text in _UNIT_READS:
        return [_shown(command, given.values("-p", "-P", "--property"))]
    if verb.text == "show-environment":
        return [command.found(Kind.SECRET, "prints the environment")]
    if verb.text in _UNIT_HOST or any(_TARGETS.match(unit.text or "") for unit in units):
        return [command.found(Kind.HOST, f"{verb.text} changes the machine itself")]
    if any(_fits_own(unit) for unit in units):
        return [command.found(Kind.STEER, "a session may not steer the daemon")]
    if verb.text in _UNIT_RESTARTS:
        if any(unit.text is None or not re.fullmatch(r"[\w@.:\\-]+", unit.text) for unit in units):
            raise NotUnderstood("which services are meant can't be told")
        if any(_UPGRADES.match(unit.text or "") for unit in units):
            return [command.found(Kind.PACKAGE, "has packages installed")]
        if any((unit.text or "").endswith(".target") for unit in units):
            raise NotUnderstood("a target, which stands for any services")
        return [command.found(Kind.RESTART, "restarts a service", _unit(unit)) for unit in units] or command.unknown(
            "no unit"
        )
    if verb.text in _UNIT_CHANGES:
        files = [unit for unit in units if unit.text is None or "/" in unit.text]
        if files and verb.text in {"enable", "reenable", "preset"}:
            return [command.found(Kind.HOST, "has the machine start what a file says")]
        return [command.found(Kind.CHANGE, f"{verb.text} changes services")]
    raise NotUnderstood(f"{verb.text} is no command that is known here")


def _fits_own(word: Word) -> bool:
    """Whether a pattern of units fits the daemon's."""
    pattern = "".join(part if isinstance(part, str) else "*" for part in word.parts)
    if not word.parts or (pattern == "*" * len(pattern) and word.text is None):
        return False  # nothing is known of it: any unit
    return bool(re.search(r"[*?\[]", pattern)) and any(fnmatch.fnmatchcase(name, pattern) for name in _OWN)


def _unit(word: Word) -> str | None:
    name = named(word)
    return name.removesuffix(".service") if name else None


def _service(command: Command) -> list[Found]:
    """`service web restart`: the verb comes last."""
    texts = [word.text for word in command.args]
    if texts == ["--status-all"]:
        return [command.found(Kind.READ, "looks at services")]
    # Its name is a file's in a directory of programs.
    if len(texts) != 2 or not re.fullmatch(r"\w[\w@.:+-]*", texts[0] or ""):
        return command.unknown("which service or what for can't be told")
    if texts[1] == "status":
        return [command.found(Kind.READ, "looks at services")]
    if _TARGETS.match(texts[0] or ""):
        return [command.found(Kind.HOST, f"{texts[0]} changes the machine itself")]
    if texts[1] in {"restart", "start", "reload", "force-reload", "condrestart", "try-restart"}:
        return [command.found(Kind.RESTART, "restarts a service", texts[0])]
    if texts[1] == "stop":
        return [command.found(Kind.CHANGE, "stops a service")]
    return command.unknown("which may do anything")


_JOURNAL = options(
    "-u= -n= -f -e -x -r -k -b?= -o= -p= -S= -U= -t= -g= -a -l -q -m -D= -M= -c= -N -F= --unit= --lines="
    " --follow --reverse --dmesg --boot?="
    "  --output= --priority= --since= --until= --identifier= --grep= --all --full --quiet --no-pager"
    " --user-unit= --system --user --no-hostname"
    "  --list-boots --disk-usage --utc --no-tail --catalog --pager-end --output-fields= --case-sensitive?="
    " --merge --facility= --fields --field="
    "  --show-cursor --after-cursor= --header --verify --version --directory= --root= --machine="
    " --truncate-newline -i= --invocation="
)


def _journalctl(command: Command) -> list[Found]:
    words = list(command.args)
    texts = [word.prefix for word in words]
    if any(re.match(r"--(vac|rot|fl|sync|rel|sm|setup|upd|new|cursor-f|force)", text) for text in texts):
        return [command.found(Kind.CHANGE, "changes the journal")]
    if any("COREDUMP_ENV" in text for text in texts):
        return [command.found(Kind.SECRET, "prints the environment of processes")]
    read([word for word in words if not re.fullmatch(r"-n?\d+", word.text or "")], _JOURNAL)
    return [command.found(Kind.READ, "prints logs")]


_LOOKS = reader(
    "looks at the system", "--no-pager --all -a -p= --property= --no-legend -l --full -H= -M= --output= -o= --json="
)
_SETS = acts(Kind.HOST, "changes the machine itself")


def _looking(reads: str, sets: str) -> Program:
    return verbs({**every(reads, _LOOKS), **every(sets, _SETS)}, options("--no-pager --all -a -H= -M="), bare=_LOOKS)


_restarts = acts(Kind.RESTART, "restarts a service", targets="each", table="")


def _supervised(command: Command) -> list[Found]:
    """`all` and `group:*` are any number of services."""
    if any(not re.fullmatch(r"(?!all$)[\w.-]+(:[\w.-]+)?", word.text or "") for word in command.args):
        return [command.found(Kind.CHANGE, "restarts any number of services")]
    return _restarts(command)


PROGRAMS: dict[str, Program] = {
    "systemctl": _systemctl,
    "service": _service,
    "journalctl": _journalctl,
    "invoke-rc.d": _service,
    "rc-service": _service,
    "rc-status": reader("looks at services", "-a -s -l --all --servicelist"),
    "systemd-analyze": verbs(
        {**every("blame time critical-chain security verify calendar timespan timestamp", _LOOKS)}, bare=_LOOKS
    ),
    "systemd-cgls": _LOOKS,
    "systemd-detect-virt": _LOOKS,
    "systemd-cgtop": reader("looks at services", "-b -n= --batch --iterations= -1"),
    "timedatectl": _looking(
        "status show list-timezones timesync-status show-timesync", "set-time set-timezone set-ntp set-local-rtc"
    ),
    "hostnamectl": _looking("status", "set-hostname set-icon-name set-chassis set-deployment set-location"),
    "loginctl": _looking(
        "list-sessions list-users list-seats session-status show-session user-status show-user seat-status",
        "terminate-session terminate-user kill-session kill-user lock-sessions enable-linger disable-linger",
    ),
    "resolvectl": _looking("status query statistics service", "flush-caches reset-statistics"),
    "networkctl": _looking("list status lldp", "up down reload reconfigure renew delete"),
    "coredumpctl": verbs({**every("list info", _LOOKS)}, bare=_LOOKS),
    "supervisorctl": verbs(
        {
            **every("status tail avail pid version maintail", reader("looks at services", "")),
            **every("restart start", _supervised),
            **every(
                "stop update reload reread add remove clear signal shutdown", acts(Kind.CHANGE, "changes services")
            ),
        },
        options("-c="),
    ),
}
