"""Programs that only look, whatever their options: reviewed one by one for any that write a file or run a program."""

import re

from daemon.limits.builtins import check_test
from daemon.limits.command import Command, Program
from daemon.limits.expansion import READABLE
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import options, read
from daemon.limits.programs.entries import every, printed, reader, told
from daemon.limits.words import NotUnderstood, Word, literal

_SYSTEM = reader("looks at the system")
_NAMES = reader("looks at names and sizes of files")
_ARGUMENTS = reader("prints its arguments")
_CONTENT = reader("prints what is in files", files=True)
_STREAM = reader("works on what it is given")


def _from_files(command: Command) -> list[Found]:
    """strings takes options from a file behind an `@`, hexdump formats from one behind `-f`."""
    for word in command.args:
        if word.prefix.startswith("@") or re.match(r"-\w*f|--f", word.prefix):
            raise NotUnderstood("words from a file")
    return _CONTENT(command)


def _uniq(command: Command) -> list[Found]:
    """Its second operand is a file that it writes."""
    given = read(command.args, options("-c -d -D -i -u -z -f= -s= -w= --count --repeated --unique --ignore-case"))
    if len(given.operands) > 1:
        return [*command.writes(given.operands[1:]), *command.reads(given.operands[0])]
    return [found for word in given.operands for found in command.reads(word)] or [
        command.found(Kind.READ, "prints what is in files")
    ]


_PS_VALUED = re.compile(
    r"-[A-Za-z]*[opuCUGgtqs]|o|p|[axuwfl]*o|--(p?pid|sort|format|user|User|group|Group|tty|sid|cols|columns|width|rows|lines)"
)


def ps(command: Command) -> list[Found]:
    """BSD's `e` prints the environment of processes; `ps -auxe` is read as BSD options when nothing else fits."""
    valued = False
    for word in command.args:
        text = word.text
        if text is None:
            if word.splits or "e" in word.prefix or word.may_be_option:
                return command.unknown("an option that can't be told may print environments")
            continue
        letters = text.lstrip("-")
        lists = not text.startswith("--") and re.fullmatch(r"-[AaNdefFjlLyHTwcMZ]*", text) is not None
        columns = re.fullmatch(r"-[AaNdefFjlLyHTwcM]*[oO](.*)", text)
        if "environ" in text or (text.startswith("--") and "env" in text):
            return [command.found(Kind.SECRET, "prints the environment of processes")]
        plain = lists or columns is not None or text.startswith("--") or valued
        if not plain and "e" in letters and re.fullmatch(r"[A-Za-z]+", letters):
            return [command.found(Kind.SECRET, "prints the environment of processes")]
        valued = bool(_PS_VALUED.fullmatch(text))
    return [command.found(Kind.READ, "lists processes")]


def _date(command: Command) -> list[Found]:
    words = command.args
    given = read(
        words, options("-u -R -d= --date= -I?= --iso-8601?= --rfc-3339= -r= --utc --rfc-email -s= --set= --universal")
    )
    plain = all((word.prefix.startswith("+") and not word.splits) for word in given.operands)
    if given.has("-s", "--set") or not plain:
        return [command.found(Kind.HOST, "sets the clock")]
    return [command.found(Kind.READ, "prints the time")]


def _hostname(command: Command) -> list[Found]:
    texts = {word.text for word in command.args}
    if texts <= set(listed("-f -s -i -I -d -A -a --fqdn --short --all-ip-addresses --ip-address --domain --long")):
        return [command.found(Kind.READ, "prints the host's name")]
    return [command.found(Kind.HOST, "sets the host's name")]


def _printenv(command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    if texts and all(text in READABLE | {"HOME", "PWD"} for text in texts):
        return [command.found(Kind.READ, "prints harmless variables")]
    return [command.found(Kind.SECRET, "prints the environment, where credentials are")]


def _numactl(command: Command) -> list[Found]:
    """It runs its operands."""
    if read(command.args, options("-H -s --hardware --show")).operands:
        return command.unknown("what it runs isn't looked at")
    return [command.found(Kind.READ, "looks at the system")]


def _getent(command: Command) -> list[Found]:
    if command.args and command.args[0].text in {"shadow", "gshadow"}:
        return [command.found(Kind.SECRET, "prints hashes of passwords")]
    if not command.args or command.args[0].text not in {"hosts", "ahosts", "ahostsv4", "passwd", "group", "services"}:
        return command.unknown("a database that may hold credentials")
    if (command.args[0].text or "").startswith(("hosts", "ahosts")):
        told(command)
    return [command.found(Kind.READ, "looks up a name")]


def _xxd(command: Command) -> list[Found]:
    given = read(command.args, options("-l= -s= -c= -g= -p -b -u -i"))
    if len(given.operands) > 1:
        return [*command.writes(given.operands[1:]), *command.reads(given.operands[0])]
    return printed(command, given.operands) or [command.found(Kind.READ, "prints what is in a file")]


def _test(command: Command) -> list[Found]:
    words = list(command.args[:-1] if command.name == "[" else command.args)
    check_test(words)
    return [command.found(Kind.READ, "tests")]


def _printf(command: Command) -> list[Found]:
    if command.args and command.args[0].may_be_option and command.args[0].text != "--":
        return command.unknown("printf with an option")
    return [command.found(Kind.READ, "prints its arguments")]


def _sleep(command: Command) -> list[Found]:
    for word in command.args:
        match = re.fullmatch(r"(\d{1,6})(\.\d+)?([smh]?)", word.text or "")
        if not match or int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[3]] > 3600:
            return command.unknown("sleeps for a time that can't be told, or more than an hour")
    return [command.found(Kind.READ, "waits")]


def _top(command: Command) -> list[Found]:
    read(command.args, options("-b -c -H -i -S -n= -d= -p= -u= -U= -o= -w?= -1 -E= -e= -s"))
    return [command.found(Kind.READ, "lists processes")]


def _less(command: Command) -> list[Found]:
    """Without a terminal they only print; but -o writes and +! runs."""
    given = read(command.args, options("-F -R -X -S -N -n -i -e -E -f -r"))
    if any(not word.prefix or word.prefix.startswith("+") for word in given.operands):
        return command.unknown("a command for the pager")
    return [it for word in given.operands for it in command.reads(word)] or [command.found(Kind.READ, "prints files")]


def _dmesg(command: Command) -> list[Found]:
    table = (
        "-T -H -k -x -L -r -t -u -w -P -W -l= -f= --ctime --human --kernel --decode --level="
        " --facility= --since= --until="
    )
    read(command.args, options(table + " --time-format= --color?= --nopager -e --reltime --follow --json -J --notime"))
    return [command.found(Kind.READ, "prints the kernel's messages")]


def _grep(command: Command) -> list[Found]:
    """No option of grep writes or runs anything; but what it prints comes from files, after the pattern."""
    table = options(
        "-e= -f= -A= -B= -C= -m= -d= -D= --regexp= --include= --exclude= --exclude-dir= --context= --file= --color?="
        "  --after-context= --before-context= --max-count= --label= --binary-files= --colour?="
        " --directories="
        + " "
        + " ".join(f"-{letter}" for letter in "EFGPivwxcLlnoqsHhbrRTUZzyaIV0123456789")
        + " --recursive --ignore-case --count --quiet --silent --no-messages --line-number --only-matching"
        "  --extended-regexp --fixed-strings --perl-regexp --word-regexp --invert-match"
        " --files-with-matches"
        " --files-without-match --no-filename --with-filename --text --null --line-buffered --version --help"
    )
    args, open_tail = _without_open_tail(command.args)
    given = read(args, table)
    operands = given.operands
    has_pattern = given.has("-e", "-f", "--regexp", "--file")
    files = operands if has_pattern or open_tail else operands[1:]
    found = [it for word in given.values("-f", "--file") for it in command.reads(word)]
    recursive = given.has("-r", "-R", "--recursive") or any(
        value.text not in {"skip", "read"} for value in given.values("-d", "--directories")
    )
    for word in files + open_tail or ([literal(".")] if recursive else []):
        found += command.reads_below(word) if recursive else command.reads(word)
    return found or [command.found(Kind.READ, "searches in files")]


def _without_open_tail(args: tuple[Word, ...]) -> tuple[list[Word], list[Word]]:
    """Words that may stand for several files, apart: to grep they are files or harmless options."""
    closed = [word for word in args if not (word.text is None and word.may_be_option and not word.prefix)]
    return closed, [word for word in args if word not in closed]


def _diff(command: Command) -> list[Found]:
    """Two directories are compared file by file, and with -N printed."""
    return printed(command, list(command.args), below=True) or [command.found(Kind.READ, "compares files")]


def _rg(command: Command) -> list[Found]:
    flags = " ".join(f"-{letter}" for letter in "iSsvwxcnNlLoqFPUauHIhp0.")
    given = read(
        command.args,
        options(
            flags + " -e= -A= -B= -C= -m= -g= -t= -T= -d= -j= --glob= --type= --files --hidden --no-ignore"
            "  --json --stats --count --ignore-case --smart-case --max-count= --no-heading --color="
            " --sort= --max-depth="
            " --line-number --no-line-number --files-with-matches --version --context= --type-list --multiline"
        ),
    )
    files = given.operands if given.has("-e", "--files") else given.operands[1:]
    found = [it for word in files or [literal(".")] for it in command.reads_below(word)]
    return found or [command.found(Kind.READ, "searches in files")]


# --files0-from would print lines of its file as names that it can't find.
_DU = (
    "-a -b -c -h -H -k -L -l -m -P -S -s -x -0 -D -d= -t= -B= --max-depth= --all --total --human-readable --summarize"
    " --one-file-system --apparent-size --exclude= --threshold= --time?= --si --bytes --block-size= --separate-dirs"
    " --inodes"
)

PROGRAMS: dict[str, Program] = {
    **every("df free uptime vmstat iostat mpstat nproc lscpu lsblk lsmod lspci lsusb lsns lsipc", _SYSTEM),
    **every(
        "w who last lastlog users id groups whoami logname uname arch getconf tty locale pgrep pidof pstree", _SYSTEM
    ),
    **every("ipcs lsof netstat lslocks lslogins cal tput", _SYSTEM),
    **every("ls dir vdir stat readlink realpath basename dirname namei mountpoint pwd which whereis type", _NAMES),
    **every("echo true false seq factor expr numfmt", _ARGUMENTS),
    **every("hexdump strings", _from_files),
    **every("cat tac nl head tail wc od cksum md5sum sha1sum sha256sum sha512sum b2sum sum", _CONTENT),
    **every(
        "zcat bzcat xzcat zstdcat cmp comm join paste fold fmt expand unexpand base64 base32 rev look tsort pr",
        _CONTENT,
    ),
    **every("cut column", _CONTENT),
    **every("tr", _STREAM),
    "diff": _diff,
    "egrep": _grep,
    "fgrep": _grep,
    "grep": _grep,
    "zgrep": _grep,
    "rg": _rg,
    "file": reader("looks at the kind of files", "-b -i -L -s -z -k --brief --mime --mime-type --mime-encoding"),
    "ps": ps,
    "top": _top,
    "date": _date,
    "hostname": _hostname,
    "printenv": _printenv,
    "uniq": _uniq,
    "test": _test,
    "[": _test,
    "printf": _printf,
    "sleep": _sleep,
    "less": _less,
    "more": _less,
    "dmesg": _dmesg,
    "du": reader("looks at sizes of files", _DU),
    "tree": reader(
        "looks at names of files", "-a -d -L= -f -h -s -D -p -u -g -I= -P= -C -n -i --dirsfirst --du -t -r -F"
    ),
    "ss": reader(
        "lists sockets",
        "-t -u -l -n -p -a -s -4 -6 -e -i -m -o -r -x -w -h -H -O -f= -A= -Z -N= --tcp --udp --listening"
        " --numeric --processes --all --summary --extended --info --memory --no-header --oneline --unix --options",
    ),
    "pidstat": reader("lists processes", "-d -h -l -r -s -t -u -v -w -I -p= -C= -U?= -T="),
    "findmnt": reader(
        "looks at the system",
        "-a -A -b -D -f -i -J -k -l -m -M= -n -N= -o= -O= -P -r -R -S= -t= -T= -u -U -v --all --bytes --df --json"
        " --kernel --list --mtab --noheadings --output= --output-all --raw --real --pseudo --source= --target= --types="
        " --verify",
    ),
    "numactl": _numactl,
    "sensors": reader("looks at the system", "-u -j -f -A"),
    "blkid": reader("looks at the system", "-p"),
    "getent": _getent,
    "xxd": _xxd,
    "yes": reader("prints its arguments", ""),
}
