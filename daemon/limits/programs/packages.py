"""Package managers."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.programs.entries import every

# Options that run no program and change nothing about where things come from.
_HARMLESS = re.compile(
    r"--(installed|upgrade?able|all-versions|manual-installed|names-only|full|quiet|outdated|depth=\d+|json|format=json|all|available"
    r"|enabled|disabled|duplicates|showduplicates|global|local|no-cache|size|long)|-[aqnglvd]+"
)


def _manager(reads: str, changes: str) -> Program:
    """By the first operand: what it reads, what it changes; a flag such as dpkg's `-l` counts as well."""
    looking, changing = frozenset(reads.split()), frozenset(changes.split())

    def judge(command: Command) -> list[Found]:
        texts = [word.text for word in command.args]
        verb = next(
            (text for text in texts if text is not None and (text in looking | changing or not text.startswith("-"))),
            None,
        )
        options = [text or "-" for text in texts if text != verb and (text or "-").startswith("-")]
        rest = [text for text in texts if text != verb and not (text or "-").startswith("-")]
        if verb == "history" and rest and rest[0] not in {"list", "info", "userinstalled"}:
            return [command.found(Kind.PACKAGE, "changes which packages are installed")]
        if verb in looking and all(_HARMLESS.fullmatch(text) for text in options):
            return [command.found(Kind.READ, "looks at packages")]
        if verb in looking or (verb not in changing and verb is not None):
            return command.unknown(f"{verb} with what follows it may do anything")
        if verb is None and texts and set(texts) <= {"--version", "--help", "-V", "-v", "-h"}:
            return [command.found(Kind.READ, "prints its version")]
        return [command.found(Kind.PACKAGE, "changes which packages are installed")]

    return judge


_APT = "install remove purge update upgrade full-upgrade dist-upgrade autoremove autoclean"
" clean reinstall build-dep download source"

PROGRAMS: dict[str, Program] = {
    "apt": _manager("list show search policy depends rdepends", _APT),
    "apt-get": _manager("check", _APT),
    "apt-cache": _manager("show search policy depends rdepends madison pkgnames showpkg stats dump", ""),
    "apt-mark": _manager("showhold showmanual showauto", "hold unhold auto manual"),
    "dpkg": _manager(
        "-l -L -s -S --list --listfiles --status --search --get-selections --print-architecture --audit -C --verify -V",
        "-i -r -P --install --remove --purge --configure --unpack",
    ),
    "dpkg-query": _manager("-l -L -s -S -W --list --listfiles --status --search --show", ""),
    **every(
        "yum dnf",
        _manager(
            "list info search repolist history provides check-update deplist repoquery updateinfo",
            "install remove erase update upgrade downgrade reinstall autoremove clean makecache localinstall",
        ),
    ),
    "rpm": _manager("-q -qa -qi -ql -qf -qR -qc --query", "-i -U -e -F -ivh -Uvh --install --upgrade --erase --import"),
    "zypper": _manager(
        "search se info if list-updates lu repos lr packages pa", "install in remove rm update up dup patch refresh"
    ),
    "apk": _manager("info list search policy version stats", "add del update upgrade fix cache"),
    "pacman": _manager("-Q -Qi -Ql -Qo -Qs -Qu -Ss -Si", "-S -Sy -Syu -R -Rs -Rns -U"),
    "snap": _manager("list info find version services changes", "install remove refresh revert enable disable"),
    "flatpak": _manager("list info search remotes", "install uninstall update"),
    "brew": _manager("list info search outdated deps", "install uninstall upgrade update"),
    **every("pip pip3 pipx", _manager("list show freeze check --version", "install uninstall download wheel")),
    "npm": _manager("ls list view outdated --version", "install i ci update uninstall remove add publish link rebuild"),
    "gem": _manager("list search info --version", "install uninstall update"),
    "cargo": _manager("--version tree search", "install uninstall update"),
    "uv": _manager("--version", "add remove sync lock"),
    **every("update-alternatives", _manager("--display --list", "")),
}


def _never(command: Command) -> list[Found]:
    return [command.found(Kind.PACKAGE, "changes which packages are installed")]


PROGRAMS |= every("add-apt-repository apt-key dpkg-reconfigure", _never)
