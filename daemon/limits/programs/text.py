"""Programs that transform text, and that can write files or run programs when told to: sed, awk, sort, tee, jq, yq."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import reader, writes_below
from daemon.limits.words import NotUnderstood, literal


def _sed_pattern(mark: str) -> str:
    """A regular expression for one of sed's that ends at a mark: one within brackets ends none."""
    return rf"(?:[^{mark}\\\n\[]|\\.|\[\^?\]?(?:\[:\w+:\]|[^\]{mark}\\\n\[])*\])*{re.escape(mark)}"


_SED_POINT = rf"(?:\d+(?:~\d+)?|\$|/{_sed_pattern('/')}I?)"
_SED_ADDRESS = rf"(?:{_SED_POINT}(?:,[+~]?{_SED_POINT})?\s*!?\s*)?"
_SED_CHANGES = "|".join(
    rf"s{re.escape(mark)}{_sed_pattern(mark)}(?:[^{mark}\\\n]|\\.)*{re.escape(mark)}[gpiI0-9]*" for mark in "/|#,"
)
_SED_BODY = rf"(?:[pdDPqQ=nNlhHgGx](?:\s*\d+)?|{_SED_CHANGES}|y/(?:[^/\\\n]|\\.)*/(?:[^/\\\n]|\\.)*/)"
# a, i and c take the rest of the line as text.
_SED_TEXT = rf"(?:{_SED_ADDRESS}[aic]\s*\\?\s*[^\\\n]+)?"
_SED = re.compile(rf"\s*(?:{_SED_ADDRESS}{_SED_BODY}\s*(?:[;\n]\s*|\Z))*\s*{_SED_TEXT}")
_SED_BLOCK = re.compile(rf"\s*{_SED_ADDRESS}\{{([^{{}}]*)\}}\s*;?\s*")
# What awk runs programs, reads files and sees the environment with.
_AWK_BARRED = re.compile(r"system|getline|close|fflush|@|\||ENVIRON|ARGV|PROCINFO|SYMTAB|FUNCTAB|INFILE|extension|\\\n")


def _sed(command: Command) -> list[Found]:
    given = read(
        command.args,
        options(
            "-n -E -r -s -u -z -e= --expression= --quiet --silent --regexp-extended -i?= --in-place?="
            " --null-data --posix --sandbox"
        ),
    )
    scripts = given.values("-e", "--expression")
    files = given.operands
    if not scripts:
        scripts, files = files[:1], files[1:]
    for script in scripts:
        if script.text is None or not _is_plain_sed(script.text):
            raise NotUnderstood("a script that may write or run something")
    if any("/" in (value.text or "/") for value in given.values("-i", "--in-place")):
        raise NotUnderstood("copies in another directory")
    if given.has("-i", "--in-place"):
        return command.writes(files)
    return [it for word in files for it in command.reads(word)] or [command.found(Kind.READ, "prints edited text")]


def _is_plain_sed(script: str) -> bool:
    if len(script) > 300:
        return False
    block = _SED_BLOCK.fullmatch(script)
    return bool(_SED.fullmatch(block[1] if block else script))


def _awk(command: Command) -> list[Found]:
    given = read(command.args, options("-F= -v= --field-separator= --assign="), first=True)
    if not given.operands:
        raise NotUnderstood("no program")
    script, *files = given.operands
    if any(value.text is None for value in given.values("-v", "--assign", "-F", "--field-separator")):
        raise NotUnderstood("a variable that can't be told")
    text = script.text
    # Where a string or a pattern ends is awk's secret: a > behind any print may be a redirection.
    if text is None or _AWK_BARRED.search(text.replace("||", " ")) or ">" in text.partition("print")[2]:
        raise NotUnderstood("a program that may write or run something")
    if any(word.may_be_option or word.prefix.startswith("/inet") for word in files):
        raise NotUnderstood("an option or a connection behind the program")
    return [it for word in files for it in command.reads(word)] or [command.found(Kind.READ, "prints fields of text")]


def _sort(command: Command) -> list[Found]:
    flags = "-b -d -f -g -i -M -h -n -R -r -V -c -C -m -s -u -z"
    given = read(
        command.args,
        options(
            f"{flags} -k= -t= -S= -o= --key= --field-separator= --output= --numeric-sort --reverse --unique"
            " --human-numeric-sort --version-sort --stable --ignore-case"
        ),
    )
    if given.has("-o", "--output"):
        written = command.writes(given.values("-o", "--output"))
        return [*written, *(it for word in given.operands for it in command.reads(word))]
    return [it for word in given.operands for it in command.reads(word)] or [command.found(Kind.READ, "sorts")]


def _tee(command: Command) -> list[Found]:
    given = read(command.args, options("-a -i -p --append --ignore-interrupts"))
    if all(word.text in {"/dev/null", "/dev/stderr", "/dev/stdout"} for word in given.operands):
        return [command.found(Kind.READ, "passes on what it is given")]
    return command.writes(given.operands)


def _jq(command: Command) -> list[Found]:
    """jq runs nothing; it prints files, and `env` and `$ENV` are the environment."""
    pairs = {"--arg", "--argjson", "--slurpfile", "--rawfile"}
    args = list(command.args)
    found: list[Found] = []
    while (at := next((n for n, word in enumerate(args) if word.text in pairs), None)) is not None:
        if args[at].text in {"--slurpfile", "--rawfile"}:
            found += [it for word in args[at + 2 : at + 3] for it in command.reads(word)]
        if any(word.splits for word in args[at + 1 : at + 3]):
            raise NotUnderstood("an argument that may fall apart")
        del args[at : at + 3]
    given = read(
        args,
        options(
            "-r -c -s -n -e -S -C -M -a -j -R --raw-output --compact-output --slurp --null-input --exit-status"
            " --sort-keys --tab --indent= --raw-input --join-output --stream --seq --color-output"
        ),
    )
    if not given.operands:
        return found or [command.found(Kind.READ, "prints JSON")]
    program, *files = given.operands
    if program.text is None or re.search(r"(?<![.\w])env\b|\$ENV|\binclude\b|\bimport\b|\$__prog", program.text):
        return [command.found(Kind.SECRET if program.text else Kind.UNKNOWN, "may print the environment")]
    found += [it for word in files for it in command.reads(word)]
    return found or [command.found(Kind.READ, "prints JSON")]


def _yq(command: Command) -> list[Found]:
    given = read(
        command.args,
        options(
            "-r -y -o= -P -e -j -M -C -N -I= -p= -i -s= --inplace --in-place --output-format= --prettyPrint"
            " --input-format= --unwrapScalar --no-colors"
        ),
    )
    if given.has("-s"):
        raise NotUnderstood("names of files from an expression")
    by_verb = given.operands[:1] and given.operands[0].text in {"e", "eval", "r", "ea", "eval-all"}
    words = given.operands[1:] if by_verb else given.operands
    text = words[0].text if words else ""
    if text is None or re.search(r"env|\bload|\bsystem|\bexec|\binput|\beval", text, re.IGNORECASE):
        raise NotUnderstood("an expression that may read the environment or other files")
    if given.has("-i", "--inplace", "--in-place"):
        return command.writes(words[1:] or words)
    found = [it for word in words[1:] or words for it in command.reads(word)]
    return found or [command.found(Kind.READ, "prints YAML")]


_SPLIT = options(
    "-l= -b= -C= -n= -a= -t= -d -x -e -u --lines= --bytes= --line-bytes= --number= --suffix-length= --separator="
    " --numeric-suffixes?= --hex-suffixes?= --additional-suffix= --verbose --elide-empty-files"
)


def _split(command: Command) -> list[Found]:
    """--filter runs a program and is not in the table."""
    given = read(command.args, _SPLIT)
    if any("/" in (value.text or "/") for value in given.values("--additional-suffix")):
        raise NotUnderstood("where the parts go can't be told")
    found = [it for word in given.operands[:1] for it in command.reads(word)]
    return found + command.writes(given.operands[1:] or [literal("xaa")])


def _csplit(command: Command) -> list[Found]:
    given = read(command.args, options("-f= -b= -n= -k -s -q -z --prefix= --digits= --keep-files --quiet --silent"))
    found = [it for word in given.operands[:1] for it in command.reads(word)]
    return found + command.writes(given.values("-f", "--prefix") or [literal("xx00")])


_PATCH = options(
    "-p= -i= -d= -o= -r= -R -N -f -s -b -E -u -c -l -t -F= -V= --strip= --input= --directory= --output= --reverse"
    " --reject-file= --forward --force --silent --quiet --dry-run --backup --verbose --fuzz= --unified --batch"
)


def _patch(command: Command) -> list[Found]:
    """Which files it writes stands in the patch: any below where it runs. -e, which runs ed, is not in the table."""
    given = read(command.args, _PATCH)
    read_ = [*given.values("-i", "--input"), *given.operands[1:2]]
    written = [*given.values("-o", "--output", "-r", "--reject-file"), *given.operands[:1]]
    found = [it for word in read_ for it in command.reads(word)]
    return (
        found + (command.writes(written) if written else []) + writes_below(command, given.values("-d", "--directory"))
    )


PROGRAMS: dict[str, Program] = {
    "sed": _sed,
    "awk": _awk,
    "gawk": _awk,
    "mawk": _awk,
    "nawk": _awk,
    "sort": _sort,
    "tee": _tee,
    "jq": _jq,
    "yq": _yq,
    "split": _split,
    "csplit": _csplit,
    "patch": _patch,
    "bc": reader("calculates", "-l -q", files=True),
}
