"""Which files hold credentials, and whether a word may name one.

Programs that print what is in a file ask here for each path; so do the Read and Grep tools.
"""

import posixpath
import re
from collections.abc import Iterable

from daemon.limits.kinds import Kind
from daemon.limits.names import listed
from daemon.limits.words import Hole, Word

# Files of the daemon's own state that sessions may read.
OPEN_STATE = frozenset({"handoff.json", "cooldown.json"})
# Directories below it: where sessions run, and what an installation may keep there for them to read.
_OPEN_STATE_TREES = frozenset({"work", "app", "repos", "results"})
_BASENAMES = re.compile(
    r"environ|\.env(\..*)?|.*\.env|\.envrc|id_[\w-]+|.*\.(pem|key|p12|pfx|jks|kdbx|keytab|ppk)"
    r"|g?shadow-?|[._]netrc|\.pgpass|\.?my\.cnf|\.mylogin\.cnf|\.git-credentials|\.npmrc|\.pypirc|\.dockercfg|\.htpasswd"
    r"|\.vault-token|\.?credentials(\.\w+)?|\.?secrets?(\.\w+)?|tokens?(\.\w+)?|passwords?(\.\w+)?|kubeconfig.*"
    r"|\.?[a-z]*_history|claudeops\.db.*|master\.key|kcore|kmem|\.claude\.json|terraform\.tfstate.*|.*\.tfvars"
    r"|wp-config\.php|admin\.conf|k3s\.yaml|\.boto|\.s3cfg|rclone\.conf|vault[-_]pass.*|\.my_pass.*"
    r"|sudo_as_admin.*|ssh_host_\w+_key|krb5cc.*|.*\.agekey|auth\.json|hosts\.yml|application_default_.*"
    # What people call files of passwords, tokens and keys, where the name is not one of a program's source.
    r"|([\w.-]*[._-])?(secrets?|passwords?|passphrase|credentials?|tokens?|api_?key|(private|secret|deploy|access|signing"
    r"|encryption)[-_]?key\w*|service[-_]?account[\w-]*)(\.(txt|json|ya?ml|ini|conf|cfg|toml|xml|properties))?"
    r"|(.*[-_])?key\.json|.*adminsdk.*\.json|(debian|client)\.cnf|opasswd|\.?htpasswd|database\.ya?ml|grafana\.ini|gitlab\.rb"
    r"|appsettings.*\.json|local\.settings\.json|wpa_supplicant.*|.*\.ovpn|wallet\.dat|key[34]\.db|logins\.json"
    r"|.*\.tfstate(\..*)?|.*\.tfvars(\.json)?|\.vault_pass.*|\.yarnrc\.yml|nuget\.config|settings(-security)?\.xml"
    r"|kube[-_.]?config.*|user-data(\.txt)?|instance-data-sensitive\.json",
    re.IGNORECASE,
)
# What the name of a copy that is kept ends with.
_KEPT = re.compile(r"((\.(gz|bz2|xz|zst|lz4|txt|bak|old|orig|save|swp|\d+)|~)+)$", re.IGNORECASE)
_NO_SECRET = re.compile(r"(.*\.pub|known_hosts2?|.*\.(example|sample|template|dist))", re.IGNORECASE)
_DIRECTORIES = re.compile(
    r"(^|/)(\.ssh|\.aws|\.gnupg|\.kube|\.azure|\.docker|\.claude(?!/skills(/|$))|\.password-store|\.config/(gh|gcloud|tea|hub|rclone|op)"
    r"|\.local/share/keyrings|\.mozilla|\.chrome)(/|$)"
    r"|(^|/)\.?secrets/|^/etc/(pki/tls/private|pve/priv)(/|$)|^/var/lib/cloud(/|$)|^(/var)?/run/(secrets|credentials|user)(/|$)|/secrets/kubernetes\.io|^/etc/(ssl/private|wireguard|credstore)"
    r"|^/etc/NetworkManager/system-connections|^/var/lib/(kubelet|docker|containerd|rancher|etcd|vault|private)(/|$)"
    r"|^/etc/kubernetes/|^/etc/rancher/|^/proc/[^/]+/(task/[^/]+/)?(mem|fd|root|cwd|map_files|auxv|syscall)(/|$)"
    r"|^/proc/(kcore|keys|vmcore)|^/dev/(?!null$|zero$|stdin$|stdout$|stderr$|tty$|fd/(0|1|2|63)$)"
    r"|^/sys/firmware/efi/efivars|(^|/)\.git/config$|^/(root|home/[^/]+)/\.[a-z_]+_history$"
)
# Directories whose files are meant to be read; what a glob finds there is no credential.
_OPEN_TREES = re.compile(
    r"(/var/log|/usr/share|/usr/lib|/usr/local/share|/lib/systemd|/etc/systemd|/etc/nginx|/etc/cron\.[a-z]+|/repos|/results"
    r"|/sys/(class|block|fs|devices|kernel)|/proc/(sys|net|irq)|/etc/apt|/etc/logrotate\.d|/etc/haproxy|/etc/caddy"
    r"|/etc/apache2|/etc/prometheus|/etc/netplan|/etc/sysctl\.d|/app/(prompts|checks|playbooks|skills|schemas))(/|$)"
)
# Where credentials usually lie: what is above one of these may not be read through.
_SAMPLES = listed(
        "/proc/1/environ /proc/self/environ /root/.ssh/id_rsa /home/ops/.ssh/id_rsa /home/ops/.aws/credentials"
        " /etc/shadow /etc/ssl/private/site.key /run/secrets/db /var/run/secrets/kubernetes.io/token"
        " /var/lib/kubelet/config /var/lib/docker/volumes /state/claudeops.db ~/.ssh/id_rsa /dev/mem"
        " /etc/kubernetes/admin.conf /root/.bash_history /app/.env /proc/self/root/x /etc/letsencrypt/live/key.pem"
    )  # fmt: skip
_NAMES = listed(
        "environ prod.env server.key cert.pem id_rsa id_ed25519 shadow credentials credentials.json secrets.yml"
        " secrets.yaml secret token claudeops.db kubeconfig terraform.tfstate config.json .env .netrc .pgpass"
        " .git-credentials .vault-token .bash_history .npmrc auth.json store.jks"
    )  # fmt: skip
_DISKS = re.compile(r"/dev/(?!null$|zero$|stdin$|stdout$|stderr$|tty$|fd/|shm/)")
# Files by which the machine starts, signs people in, or runs things by itself.
_MACHINE = re.compile(
    r"^/(boot|proc|sys|usr|bin|sbin|lib\w*)(/|$)|^/etc/(passwd|group|g?shadow|sudoers|ssh|pam\.d|cron\w*|fstab|ld\.so|systemd|profile"
    r"|security|apt|init\w*|rc\w*|environment|bash\w*|hosts\.(allow|deny)|nsswitch|sysctl|modprobe|modules|udev|polkit-1"
    # What runs programs, or lets people or packets in.
    r"|anacrontab|nologin|doas\.conf|logrotate|x?inetd|update-motd|network|NetworkManager|dhcp|kernel|grub|default|binfmt"
    r"|tmpfiles|docker|containerd|rsyslog|zsh|shells|sub[ug]id|crypttab|exports|alternatives|ca-certificates|selinux"
    r"|apparmor|audit|nftables|iptables|ufw|sysconfig|yum|dnf|needrestart|acpi|ppp|ansible|gitconfig|wgetrc|inputrc)"
    r"|^(/var)?/run/nologin|(^|/)ansible\.cfg$"
    r"|(^|/)\.(ssh|bash\w*|profile|x?zsh\w*|gitconfig|claude|kube|docker|aws|gnupg|git/(hooks|config)|config|local/bin"
    r"|(curl|wget|psql|dig|sqlite|input|vim|screen|ansible|npm|pip|terraform|top)rc|my\.cnf|pam_environment|ansible(\.cfg)?)"
    r"(/|$)"
    r"|^/var/spool/cron|^/(lib|run)/systemd|claudeops|(^|/)authorized_keys$"
    # What later sessions are told, and the programs that they start.
    r"|(^|/)\.claude-ops(/|$)|(^|/)(?i:CLAUDE|CLAUDE-OPS)\.md$|(^|/)\.mcp\.json$|^/app/(prompts|checks|playbooks|skills|schemas)(/|$)"
)
# Files that can't be written without changing the machine: what is above one of these may not be written through.
_MACHINE_SAMPLES = listed(
    "/etc/passwd /boot/x /proc/x /sys/x /usr/x /bin/x /sbin/x /lib/x /root/.ssh/x /home/ops/.ssh/x ~/.ssh/x"
    " /var/spool/cron/x /run/systemd/x /app/prompts/x /dev/sda"
)
_CREDENTIALS = "may read credentials"


def judge(word: Word, directories: tuple[str, ...] = ("",), state_dir: str = "") -> tuple[Kind, str]:
    """READ, SECRET or UNKNOWN for printing the file that `word` names, and why.

    `directories`: where it may be read from, as far as known. `state_dir`: the daemon's own, if on this file system.
    """
    return _worst(_judge(word, directory, state_dir) for directory in directories)


def judge_tree(word: Word, directories: tuple[str, ...] = ("",), state_dir: str = "") -> tuple[Kind, str]:
    """The same for printing every file below a directory."""
    return _worst(_judge_tree(word, directory, state_dir) for directory in directories)


def judge_write(word: Word, directories: tuple[str, ...] = ("",), state_dir: str = "") -> tuple[Kind, str]:
    """WRITE, or what is worse than writing a file: to the machine's own files, to a disk, to the daemon's state."""
    if word.is_open:
        return Kind.UNKNOWN, f"which file {word.show()} is can't be told"
    text = _filled(word)
    places = _places(text, directories)
    if any(_DISKS.match(path) for path in places):
        return Kind.DESTROY, f"writes to the device {word.show()}"
    machine = {path for path in places if _MACHINE.search(_without(path, state_dir))}
    for path in places:
        part = _inside(path, state_dir)
        # What a session notes down where it runs is its own, but for what later sessions are told.
        if part not in (None, "repos", "work") or (part == "work" and path in machine):
            return Kind.STEER, f"writes {word.show()}, which belongs to the daemon"
    if machine:
        return Kind.HOST, f"writes {word.show()}, which changes the machine or what later sessions are told"
    return Kind.WRITE, f"writes the file {word.show()}"


def judge_write_below(word: Word, directories: tuple[str, ...] = ("",), state_dir: str = "") -> tuple[Kind, str]:
    """The same for writing any files below a directory: an archive unpacked, a tree copied."""
    kind, why = judge_write(word, directories, state_dir)
    if kind is not Kind.WRITE:
        return kind, why
    for directory in directories:
        above = _resolved(_filled(word), directory).rstrip("/") + "/"
        if any(sample.startswith(above) for sample in _MACHINE_SAMPLES):
            return Kind.HOST, f"writes below {word.show()}, where files of the machine are"
        if state_dir and (_resolved(state_dir, "") + "/").startswith(above):
            return Kind.STEER, f"writes below {word.show()}, where the daemon's own files are"
    return kind, why


def _places(text: str, directories: tuple[str, ...]) -> set[str]:
    """What a path may resolve to. One that climbs from where nobody knows, or stands there, may begin at the root."""
    places = {_resolved(text, directory) for directory in directories} | {text}
    if "?" in directories and not text.startswith(("/", "~")):
        places.add("/" + text)
    return places | {"/" + path.lstrip("./") for path in places if path.startswith("../")}


def is_daemons(word: Word, directories: tuple[str, ...] = ("",), state_dir: str = "") -> bool:
    """Whether a word names one of the daemon's own files that no session has to do with."""
    paths = {_resolved(_filled(word), directory) for directory in directories} if word.parts else set()
    return any(_inside(path, state_dir) not in {None, *_OPEN_STATE_TREES} for path in paths)


def _filled(word: Word) -> str:
    return "".join(part if isinstance(part, str) else "x" for part in word.parts)


def is_handoff(path: str, directories: tuple[str, ...], state_dir: str) -> bool:
    """Whether a path is the file by which a session hands over to the next tier."""
    wanted = posixpath.join(_resolved(state_dir, ""), "handoff.json")
    return bool(state_dir) and all(_resolved(path, directory) == wanted for directory in directories)


def _worst(judged: Iterable[tuple[Kind, str]]) -> tuple[Kind, str]:
    return next((it for it in judged if it[0] is not Kind.READ), (Kind.READ, ""))


def _judge(word: Word, directory: str, state_dir: str) -> tuple[Kind, str]:
    if word.is_open:
        return Kind.UNKNOWN, f"which file {word.show()} is can't be told"
    if word.text is not None:
        return _known(word.text, directory, state_dir)
    path = _resolved("".join(part if isinstance(part, str) else _mark(part) for part in word.parts), directory)
    if _OPEN_TREES.match(re.split("[\x01\x02]", path)[0].rpartition("/")[0] + "/"):
        return Kind.READ, ""
    kind, why = _known(re.sub("[\x01\x02]", "x", path), directory, state_dir)
    if kind is not Kind.READ:
        return kind, why
    if "\x02" in path and word.parts[1:] == (Hole.BELOW,) and isinstance(word.parts[0], str):
        return _judge_tree(Word((word.parts[0].rstrip("/") or "/",)), directory, state_dir)
    if "\x02" in path or path.count("\x01") > 12 or _may_match(path):
        return Kind.UNKNOWN, f"{word.show()} may stand for a file with credentials"
    if state_dir and path.startswith("/") and _may_be_below(path, _resolved(state_dir, "")):
        return Kind.UNKNOWN, f"{word.show()} may stand for one of the daemon's own files"
    return Kind.READ, ""


def _judge_tree(word: Word, directory: str, state_dir: str) -> tuple[Kind, str]:
    if word.text is None:
        return _judge(word, directory, state_dir)
    kind, why = _known(word.text, directory, state_dir)
    path = _resolved(word.text, directory)
    if kind is not Kind.READ or _OPEN_TREES.match(path + "/"):
        return kind, why
    inside = [*_SAMPLES, *([state_dir + "/x"] if state_dir else [])]
    climbs = path == ".." or path.startswith("../")
    # A relative path may be taken from the root: where the session stands isn't always known.
    above = {path.rstrip("/") + "/", "/" + path.lstrip("/").rstrip("/") + "/"} - {"/./"}
    if climbs or any(sample.startswith(tuple(above)) for sample in inside):
        return Kind.SECRET, f"files with credentials lie below {word.text}"
    return Kind.READ, ""


def _known(text: str, directory: str, state_dir: str) -> tuple[Kind, str]:
    path = _resolved(text, directory)
    if directory == "?" and not path.startswith(("/", "~")):
        return Kind.UNKNOWN, f"which directory {text} is in can't be told"
    name = path.rsplit("/", 1)[-1]
    part = _inside(path, state_dir)
    if part is not None and part not in _OPEN_STATE_TREES:
        allowed = path in {posixpath.join(_resolved(state_dir, ""), name) for name in OPEN_STATE}
        return (Kind.READ, "") if allowed else (Kind.SECRET, f"{text} belongs to the daemon's own state")
    if _NO_SECRET.fullmatch(name) and "/proc/" not in path:
        return Kind.READ, ""
    # Both as it stands and as it resolves: a link on the way may make ".." lead elsewhere.
    kept = _KEPT.sub("", name)
    # What is relative may be taken from the root: where it stands isn't always known, least of all in a container.
    spelt = {path, text, *(() if path.startswith(("/", "~")) else ("/" + path.lstrip("./"),))}
    if _BASENAMES.fullmatch(name) or _BASENAMES.fullmatch(kept) or any(_DIRECTORIES.search(it) for it in spelt):
        return Kind.SECRET, f"{text} {_CREDENTIALS}"
    return Kind.READ, ""


def _without(path: str, state_dir: str) -> str:
    """A path as seen from the daemon's directory, if it is below it: what that is called says nothing of a file."""
    home = _resolved(state_dir, "") if state_dir else ""
    return path[len(home) :] if home and path.startswith(home + "/") else path


def _inside(path: str, state_dir: str) -> str | None:
    """The first name below the daemon's directory on the way to a path; empty for the directory; None outside of it."""
    home = _resolved(state_dir, "") if state_dir else ""
    if not home or not (path + "/").startswith(home + "/"):
        return None
    return path[len(home) :].strip("/").partition("/")[0]


def _resolved(text: str, directory: str) -> str:
    if directory and directory != "?" and not text.startswith(("/", "~")):
        text = posixpath.join(directory, text)
    resolved = re.sub("^//", "/", posixpath.normpath(text)) if text else "."
    # What climbs out of a home may end anywhere.
    return "../" + resolved.lstrip("./") if text.startswith("~") and not resolved.startswith("~") else resolved


def _mark(hole: Hole) -> str:
    return {Hole.GLOB: "\x01", Hole.NUMBER: "1"}.get(hole, "\x02")


def _pattern(path: str) -> str:
    return re.escape(path).replace("\x01", "[^/]*").replace("\x02", ".*")


# Directories of credentials, by which a path with globs in it is measured.
_TREES = listed(
    "/run/secrets /run/credentials /run/user /var/run/secrets /var/run/user /etc/ssl/private /etc/wireguard /dev"
    " /etc/kubernetes /etc/rancher /etc/NetworkManager/system-connections /etc/credstore /var/lib/kubelet"
    " /var/lib/docker /var/lib/containerd /var/lib/rancher /var/lib/etcd /var/lib/vault /var/lib/private"
)


def _may_be_below(path: str, tree: str) -> bool:
    """Whether a path with globs may lead to a directory, or on the way to it."""
    pairs = list(zip(path.split("/"), tree.split("/"), strict=False))
    return "\x01" in path and len(pairs) > 1 and all(re.fullmatch(_pattern(part), name) for part, name in pairs)


def _may_match(path: str) -> bool:
    """Whether a path with globs may stand for a file with credentials, by examples."""
    *above, name = path.split("/")
    if "\x01" in name and any(re.fullmatch(_pattern(name), example) for example in _NAMES):
        return True
    if path.startswith("/") and any(re.fullmatch(_pattern(path), example) for example in _SAMPLES):
        return True
    if any(_may_be_below("/" + path.lstrip("./"), tree) for tree in _TREES):
        return True
    known = listed(
        ".ssh .aws .kube .gnupg .docker .config secrets private root fd kubelet mem cwd map_files auxv environ"
    )
    return any(
        "\x01" in part and any(re.fullmatch(_pattern(part), it) for it in known) for part in above if part != "\x01"
    )
