"""Archives and compressed files: what is put into them may hold credentials, what comes out may go anywhere."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import every, printed, worse, writes_below
from daemon.limits.words import NotUnderstood, Word, literal

_TAR = options(
    "-t -v -z -j -J -a -f= -C= -x -c -r -u -p -k -h -m -S -l -O --list --verbose --gzip --bzip2 --xz --zstd --file="
    " --directory= --exclude= --strip-components= --wildcards --create --extract --get --append --update"
    " --to-stdout --no-same-owner --no-same-permissions --keep-old-files --overwrite --one-file-system --totals"
    " --preserve-permissions --numeric-owner --sparse --dereference --touch --unlink-first"
)
_MAKES = ("-c", "-r", "-u", "--create", "--append", "--update")
_TAKES = ("-x", "--extract", "--get")


def _tar(command: Command) -> list[Found]:
    """Options that run programs (-I, --to-command, -F) or take names from files are not in the table."""
    args = list(command.args)
    if any(word.text is None and not word.prefix and word.may_be_option for word in args):
        raise NotUnderstood("an option that can't be told")
    if args and not args[0].prefix.startswith("-"):
        # An old bundle takes its values from the words behind it, in order; one at its end is like the new kind.
        bundle = args[0].text or "?"
        if re.search("[fC].", bundle):
            raise NotUnderstood("options in the old style")
        args[0] = Word(("-" + bundle,))
    given = read(args, _TAR)
    archives = given.values("-f", "--file")
    if any(":" in (value.text or ":") for value in archives if not value.prefix.startswith("/")):
        return command.unknown("an archive on another host")
    places = given.values("-C", "--directory")
    makes, takes = given.has(*_MAKES), given.has(*_TAKES)
    members = [_joined(place, word) for word in given.operands for place in places or [literal("")]]
    if makes == takes:
        listed = given.has("-t", "--list") and not makes
        found = [it for word in archives for it in command.reads(word)]
        return found or ([command.found(Kind.READ, "lists an archive")] if listed else command.unknown("which way"))
    if makes:
        found = [it for word in members for it in command.reads_below(word)]
        written = [word for word in archives if word.text not in {"-", "/dev/stdout", "/dev/null"}]
        printed_ = [] if written else [command.found(Kind.READ, "prints an archive")]
        return found + (command.writes(written) if written else printed_)
    found = [it for word in archives for it in command.reads(word)]
    if given.has("-O", "--to-stdout"):
        found += [it for word in given.operands for it in command.reads(word)]
        return found or [command.found(Kind.WRITE, "takes files out of an archive")]
    return found + writes_below(command, places)


def _joined(place: Word, name: Word) -> Word:
    if name.text is None or place.text is None or name.text.startswith("/") or not place.text:
        return name
    return literal(f"{place.text.rstrip('/')}/{name.text}")


_LEVELS = " ".join(f"-{digit}" for digit in range(10))
_COMPRESS = options(
    f"{_LEVELS} -c -d -z -t -l -k -f -q -v -n -N -r -T= -o= -p= --stdout --decompress --compress --test --list --keep"
    " --force --quiet --verbose --no-name --name --recursive --best --fast --extreme -e --threads= --rm --long?="
    " --ultra --no-check --no-progress --rsyncable --to-stdout --version --help -V -h"
)


def _compresses(command: Command) -> list[Found]:
    """Puts a file in the place of another, or prints it."""
    given = read(command.args, _COMPRESS)
    tree = given.has("-r", "--recursive")
    found = [it for word in given.operands for it in (command.reads_below if tree else command.reads)(word)]
    into = [word for word in given.values("-o") if command.name.startswith("zstd")]
    if given.has("-o", "--rm") or not (
        command.name.endswith("cat") or given.has("-c", "--stdout", "--to-stdout", "-t", "-l", "--test", "--list")
    ):
        written = [word for word in given.operands if given.has("--rm") or not into]
        found += command.writes(into + written)
        # What is found in a directory is replaced as well.
        return found + (worse(writes_below(command, written)) if tree else [])
    return found or [command.found(Kind.READ, "prints or tests what is in files")]


_UNZIP = options("-p -o -n -q -j -u -a -b -C -L -V -X -d= -x= -P= -f")


def _unzip(command: Command) -> list[Found]:
    """`-:`, by which names may lead out of the directory, is not understood."""
    first = command.args[0] if command.args else literal("")
    if re.fullmatch(r"-[lvtZ]+", first.text or "") and not any(word.may_be_option for word in command.args[1:]):
        return printed(command, list(command.args[1:2])) or [command.found(Kind.READ, "lists an archive")]
    given = read(command.args, _UNZIP)
    if given.has("-p"):
        return printed(command, given.operands) or [command.found(Kind.READ, "prints files of an archive")]
    found = [it for word in given.operands[:1] for it in command.reads(word)]
    return found + writes_below(command, given.values("-d"))


_ZIP = options(f"{_LEVELS} -r -q -v -j -u -f -d -y -x= -i= -P= -e -g -D -X -m -s= --recurse-paths --quiet --junk-paths")


def _zip(command: Command) -> list[Found]:
    """-TT and --unzip-command run a program and are not in the table; nor is -T, of which a bundle makes -TT."""
    given = read(command.args, _ZIP)
    archive, members = given.operands[:1], given.operands[1:]
    tree = given.has("-r", "--recurse-paths")
    found = [it for word in members for it in (command.reads_below if tree else command.reads)(word)]
    return found + command.writes(archive) + (worse(command.writes(members)) if given.has("-m") else [])


def _ar(command: Command) -> list[Found]:
    if any(word.prefix.startswith("@") for word in command.args):
        raise NotUnderstood("words from a file")
    verb, *words = [*command.args, literal("")]
    if not re.fullmatch("-?[tp]v?", verb.text or ""):
        return command.writes([word for word in words if word.text])
    return [it for word in words if word.text for it in command.reads(word)] or [
        command.found(Kind.READ, "lists an archive")
    ]


def _cpio(command: Command) -> list[Found]:
    """It takes names from its input, and what it unpacks may go anywhere."""
    if command.args and all(re.fullmatch("-[itv]*t[itv]*|--list|-i", word.text or "") for word in command.args):
        return [command.found(Kind.READ, "lists an archive")]
    return command.unknown("files that its input names")


def _zipinfo(command: Command) -> list[Found]:
    given = read(command.args, options("-1 -2 -s -m -l -v -h -t -T -z"))
    found = [it for word in given.operands[:1] for it in command.reads(word)]
    return found or [command.found(Kind.READ, "lists an archive")]


PROGRAMS: dict[str, Program] = {
    **every("gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd pigz unpigz zcat bzcat xzcat zstdcat", _compresses),
    "tar": _tar,
    "unzip": _unzip,
    "zipinfo": _zipinfo,
    "zip": _zip,
    "ar": _ar,
    "cpio": _cpio,
}
