"""Whether a program may read its standard input.

Where a shell takes its script from there (`ssh host <<END`), a program that reads on takes the next lines away from the
shell: what stood there as the text of a here-document is then run. `shell` asks here for each program of such a script.
"""

import re
from collections.abc import Sequence

from daemon.limits.names import listed
from daemon.limits.words import Word

_WHATEVER = listed("echo printf true false test [ pwd whoami uptime")
# Programs that read no input, and those that run another one, which is asked for itself.
_NEVER = listed(
    "arch basename date df dig dirname du find free getent host hostname hostnamectl id"
    " iostat ip journalctl last ls lsblk lscpu lsof mpstat netstat nproc pgrep pidof ping ps readlink"
    " realpath service sleep ss stat systemctl timedatectl tree uname vmstat w which who"
    " command env ionice nice nohup setsid stdbuf sudo time timeout"
)
# Those that read it when they run, load or ask something: what they look with, and what must not be among their words.
_CLIENTS = listed("docker podman docker-compose kubectl helm")
_LOOKS = listed(
    "ps ls list logs inspect stats top port diff images history version info df events exec get describe explain"
    " api-resources rollout restart status cluster-info"
)
_TAKES = re.compile(
    r"run|attach|load|import|login|build|create|apply|edit|replace|patch|set|start|prune|rmi?|remove|delete|cp|up|down"
    r"|install|upgrade|debug|proxy|deploy|-[A-Za-z]*i[A-Za-z]*|--(interactive|stdin)(=.*)?"
)
# Those that read it where they are given no file.
_PRINTS = listed("cat head tail wc md5sum sha256sum")
_FILTERS = listed("grep egrep fgrep zgrep sed")
_FILTER_FLAGS = re.compile(r"-[ivnchlqowxEFHrRsa]+|-[ABCm]\d+")
_CURL_FLAGS = re.compile(
    r"-[sSfLkiIvgmow46]+|--(fail|silent|show-error|max-time|connect-timeout|location|head|insecure|output|write-out)(=.*)?"
)
# Standard input by a name, an option that takes from there, and find's way to ask.
_NAMED = re.compile(r".*-|.*stdin.*|.*/(dev|proc)/(?!null$).*|-ok.*", re.DOTALL)


def may_read(name: str, args: Sequence[Word]) -> bool:
    """Whether a program, started with these arguments, may read what its shell would read next."""
    if name in _WHATEVER:
        return False
    texts = [word.text for word in args if word.text is not None]
    if len(texts) < len(args) or any(_NAMED.fullmatch(text) for text in texts):
        return True
    flags = [text for text in texts if text.startswith("-")]
    if name == "curl":
        return not all(_CURL_FLAGS.fullmatch(text) for text in flags)
    if name in _CLIENTS:
        # compose hands it to what it runs without being asked.
        composed = "exec" in texts and (name == "docker-compose" or "compose" in texts)
        return composed or not _LOOKS & set(texts) or any(_TAKES.fullmatch(text) for text in texts)
    if name == "ssh":
        return texts[:1] != ["-n"]
    if name in _PRINTS or name in _FILTERS:
        least = 2 if name in _FILTERS else 1
        plain = name in _PRINTS or all(_FILTER_FLAGS.fullmatch(text) for text in flags)
        return not (plain and len(texts) - len(flags) >= least and texts[-1].startswith("/"))
    return name not in _NEVER
