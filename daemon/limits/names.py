"""Names of programs, variables and containers: which may stand for what they seem to be."""

import re


def listed(text: str) -> frozenset[str]:
    """The words of a text: how long lists of names are written here."""
    return frozenset(text.split())


# Directories whose programs are those of the system. Anything else with a slash is a file somebody may have written.
_DIRECTORIES = listed("/usr/local/bin/ /usr/local/sbin/ /usr/bin/ /usr/sbin/ /bin/ /sbin/ /snap/bin/")
_NAME = re.compile(r"[a-z_\[:.][A-Za-z0-9_.+\[-]*", re.ASCII)
_NAME_MAX = 255
_INSTANCE = re.compile(r"(?P<stem>.+)(?P<mark>[-_])\d+", re.ASCII)
# Harmless to the programs that get them.
_EXPORTABLE = listed(
    "LANG LC_ALL LC_CTYPE LC_TIME LC_NUMERIC LC_MESSAGES LC_COLLATE TZ COLUMNS LINES TERM NO_COLOR"
    " FORCE_COLOR CLICOLOR KUBECONFIG SYSTEMD_COLORS DEBIAN_FRONTEND AWS_REGION"
    " AWS_DEFAULT_REGION AWS_PROFILE DOCKER_CONTEXT GIT_TERMINAL_PROMPT HELM_NAMESPACE"
    " CLOUDSDK_CORE_PROJECT ANSIBLE_NOCOLOR PYTHONIOENCODING PYTHONUNBUFFERED BLOCK_SIZE"
    " TIME_STYLE GREP_COLORS JQ_COLORS KUBE_NAMESPACE NS NAMESPACE DOCKER_CLI_HINTS"
)
# Names that a shell, or a program through an environment that is there already, gives a meaning.
_SPECIAL = re.compile(
    r"(LD_|DYLD_|GIT_|BASH|DOCKER_|KUBE_|AWS_|AZURE_|GOOGLE_|SSH_|PERL|PYTHON|RUBY|NODE|NPM_|PG|MYSQL|CURL_|LESS|MAN|SYSTEMD_"
    r"|COMPOSE_|HELM_|ANSIBLE_|CLAUDE|ANTHROPIC|TAR_|GZIP|XZ_|BZIP|ZSTD|LC_|LUA|JAVA|_JAVA|GLIBC|MALLOC_|NLS|TERMINFO"
    r"|TERMCAP|RIPGREP_|OPENSSL|SSL_|REQUESTS_|HTTP|NO_PROXY|ALL_PROXY|FTP_|RSYNC_|CVS|SUDO|VAULT_|TF_|CONSUL_|GH_|GITHUB_"
    r"|GITEA_|XDG_|DBUS_|DISPLAY|PROMPT_|HIST|COMP_|FC|EPOCH|BROWSER|APT_|DPKG_|PIP_|UV_|CARGO|GO[A-Z]|JQ_|PARALLEL|WATCH"
    r"|REDISCLI|SQLITE|MONGO|INPUTRC|READLINE|OPT[AEI]|PS[0-9]|MAIL)[A-Z0-9_]*"
    r"|PATH|HOME|IFS|ENV|PAGER|EDITOR|VISUAL|SHELL|TERM|LANG|LANGUAGE|CDPATH|PWD|OLDPWD|SHELLOPTS|GLOBIGNORE|FIGNORE"
    r"|EXECIGNORE|TMPDIR|TMP|TEMP|TMOUT|TIMEFORMAT|POSIXLY_CORRECT|RANDOM|SRANDOM|SECONDS|LINENO|UID|EUID|PPID|GROUPS|DIRSTACK"
    r"|FUNCNAME|FUNCNEST|HOSTNAME|HOSTTYPE|HOSTALIASES|MACHTYPE|OSTYPE|PIPESTATUS|REPLY|COLUMNS|LINES|COPROC|MAPFILE|SHLVL"
    r"|USER|LOGNAME|TZ|TZDIR|IGNOREEOF|CHILD_MAX|LOCPATH|LOCALDOMAIN|RES_OPTIONS|GETCONF_DIR|NETRC|KRB5_?\w*|KUBECONFIG"
    r"|auto_resume|histchars|_|.*_proxy|.*_PROXY|.*_PAGER|.*_EDITOR|.*_COMMAND|.*PRELOAD.*|.*PATH",
    re.ASCII,
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def program_name(word: str) -> str | None:
    """The program that a first word names, without the system's directories; None if it may be anything."""
    for directory in _DIRECTORIES:
        if word.startswith(directory):
            word = word[len(directory) :]
            break
    return word if _NAME.fullmatch(word) else None


def compose_services(container: str) -> tuple[str, ...]:
    """The services of compose that a container may be of, by its name: project, service, number, with - or _ between.

    One where neither project nor service has such a mark of its own, else each that it can be; none for other names.
    """
    found = _INSTANCE.fullmatch(container) if len(container) <= _NAME_MAX else None
    parts = found["stem"].split(found["mark"]) if found else []
    return tuple(found["mark"].join(parts[at:]) for at in range(1, len(parts)) if all(parts)) if found else ()


def assignable(name: str) -> bool:
    """Whether a script may set a variable of that name without changing what the shell or a program does."""
    return bool(_VARIABLE.fullmatch(name)) and (name in {"NS", "NAMESPACE"} or not _SPECIAL.fullmatch(name))


def exportable(name: str, value: str | None) -> bool:
    """Whether a variable is harmless in the environment of a program. `value`: None if it can't be told."""
    return name in _EXPORTABLE and (name != "KUBECONFIG" or configures(value))


# Where a file may come from anybody.
_ANYBODYS = re.compile(r"/+(dev|proc|tmp|var/tmp|run|repos|results)(/|$)|.*/\.\.?(/|$)|.*//")


def configures(value: str | None) -> bool:
    """Whether a cluster's client may take its configuration from there: it may name a program that is run for its
    credentials, so none that is made up on the spot, or that lies where anybody may put one."""
    places = (value or "-").split(":")
    return all(place.startswith(("/", "~/")) and not _ANYBODYS.match(place) for place in places)
