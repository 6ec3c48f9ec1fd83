"""The machine itself: power, disks, network, firewall, users, clocks; and processes on it."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, reader
from daemon.limits.words import Word

_HOST = acts(Kind.HOST, "changes the machine itself")
_DISKS = acts(Kind.DESTROY, "writes to disks")


def _only(reads: str, reason: str, otherwise: Kind = Kind.HOST) -> Program:
    """Reads when every word matches."""
    pattern = re.compile(reads)

    def judge(command: Command) -> list[Found]:
        text = "\0".join(word.text if word.text is not None else "\n" for word in command.args)
        if pattern.fullmatch(text.replace("\0", " ")) and "\n" not in text:
            return [command.found(Kind.READ, reason)]
        if any(word.text is None for word in command.args):
            return command.unknown("an argument can't be told")
        return [command.found(otherwise, f"{command.name} changes the machine itself")]

    return judge


def _haproxy(command: Command) -> list[Found]:
    """Where its configuration is wrong its lines are printed."""
    found = _only(r"-v|-vv|-c -f [\w./-]+", "looks at its configuration", Kind.UNKNOWN)(command)
    return found + (command.reads(command.args[2]) if len(command.args) == 3 else [])


_IP_OPTIONS = (
    r"(-(4|6|br|brief|s|stats|statistics|d|details|o|oneline|j|json|p|pretty|c|color|color=\w+|r|h|human|a|t|N|Numeric"
    r"|n \S+|f \w+|family \w+) )*"
)
_IP_OBJECTS = (
    r"(a|ad|add|addr|address|r|ro|route|l|li|link|n|ne|neigh|neighbor|neighbour|ru|rule|maddr|mroute|tunnel|netns|vrf|-V"
    r"|nexthop)"
)
# `s` is `show` to these, and `set` to `ip link`.
_IP_SHORT = r"(a|ad|add|addr|address|r|ro|route|n|ne|neigh) s( [\w.:/@%][\w.:/@%-]*)*"
_IP = (
    _IP_OPTIONS
    + _IP_OBJECTS
    + r"( (-\w+ )*(show|list|lst|ls|get)( (?!exec)[\w.:/@%][\w.:/@%-]*)*)?|"
    + _IP_OPTIONS
    + _IP_SHORT
)


def _sysctl(command: Command) -> list[Found]:
    given = read(
        command.args,
        options(
            "-a -n -e -N -A -X -w -p?= -r= --all --values --names --write --load?= --system -q --pattern= --ignore"
        ),
    )
    writes = given.has("-w", "-p", "--write", "--load", "--system") or any(
        "=" in (word.text or "=") for word in given.operands
    )
    return [
        command.found(
            Kind.HOST if writes else Kind.READ, "sets the kernel's parameters" if writes else "prints parameters"
        )
    ]


def _mount(command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    if not texts or texts == ["-l"] or (len(texts) == 2 and texts[0] == "-t"):
        return [command.found(Kind.READ, "lists what is mounted")]
    return [command.found(Kind.HOST, "mounts a file system")]


def _crontab(command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    named = [text for text in texts if text not in {"-l", "-u"} and re.fullmatch(r"[\w.][\w.-]*", text or "-")]
    if texts == ["-l"] or (len(texts) == 3 and len(named) == 1 and "-l" in texts and "-u" in texts):
        if texts[:2] == ["-u", "-l"]:
            return command.unknown("whose they are can't be told")
        return [command.found(Kind.READ, "lists scheduled commands")]
    return [command.found(Kind.DESTROY if "-r" in texts else Kind.HOST, "changes scheduled commands")]


def _own(command: Command) -> list[Found]:
    """The daemon's own command line: a session may look, and steer nothing."""
    texts = [word.text or "?" for word in command.args if not word.may_be_option]
    given: list[Word] = [word for word in command.args if word.may_be_option]
    noun, verb = [*texts, "", ""][:2]
    reads = {
        ("status", ""),
        ("version", ""),
        ("cooldowns", ""),
        ("sessions", "list"),
        ("sessions", "show"),
        ("triggers", "list"),
        ("events", "list"),
        ("memories", "list"),
        ("cooldowns", "list"),
        ("approvals", "list"),
    }
    plain = all(word.text in {"--json", "--help"} for word in given)
    if noun == "check-command" or ((noun, verb) in reads and plain):
        return [command.found(Kind.READ, "looks at the daemon")]
    return [command.found(Kind.STEER, "a session may not steer the daemon")]


PROGRAMS: dict[str, Program] = {
    **every("reboot shutdown halt poweroff init telinit kexec systemd-sysusers", _HOST),
    **every(
        "umount swapon swapoff losetup lvcreate lvextend vgcreate pvcreate resize2fs"
        " xfs_growfs growpart cryptsetup mdadm zpool",
        _HOST,
    ),
    **every("fsck e2fsck fsck.ext4 xfs_repair tune2fs hdparm", _HOST),
    **every(
        "mkfs mkfs.ext4 mkfs.ext3 mkfs.xfs mkfs.btrfs mkswap wipefs sgdisk shred blkdiscard lvremove vgremove pvremove",
        _DISKS,
    ),
    **every(
        "useradd userdel usermod adduser deluser groupadd groupdel groupmod passwd chpasswd chage visudo vipw gpasswd",
        _HOST,
    ),
    **every(
        "iptables-restore ip6tables-restore ipset ifup ifdown nmcli brctl modprobe rmmod insmod depmod setenforce",
        _HOST,
    ),
    **every("update-grub grub-install update-initramfs hwclock ntpdate netplan setcap at batch", _HOST),
    "ip": _only(_IP, "looks at the network"),
    "route": _only(r"(-n|-e|-ee| )*", "looks at the network"),
    "ifconfig": _only(r"(-a|-s)?( ?[a-z0-9.:]+)?", "looks at the network"),
    "arp": _only(r"(-[ane]+ ?)*", "looks at the network"),
    "iptables": _only(
        r"(-t \w+ )?(-[nvx]+ |--line-numbers )*(-[nvx]*L[nvx]*|-S|--list|--list-rules)"
        r"( \w[\w-]*)?( -[nvx]+| --line-numbers)*",
        "lists rules",
    ),
    "nft": _only(r"(-[ansj]+ )*list (ruleset|tables|chains|sets|table [\w ]+|chain [\w ]+)", "lists rules"),
    "ufw": _only(r"status( verbose| numbered)?|version", "lists rules"),
    "firewall-cmd": _only(r"(--zone=\w+ |--permanent )*--(list-[a-z-]+|state|get-[a-z-]+|info-\w+=\w+)", "lists rules"),
    "ethtool": _only(r"(-[iSkgac] )?[a-z0-9.]+", "looks at the network"),
    "nginx": _only(r"-[vVtT]|-t -q", "looks at its configuration", Kind.UNKNOWN),
    "haproxy": _haproxy,
    **every("apachectl apache2ctl httpd", _only(r"-[vVtSM]|configtest", "looks at its configuration", Kind.UNKNOWN)),
    "sshd": _only(r"-[tT]", "looks at its configuration", Kind.UNKNOWN),
    "getenforce": reader("looks at the system", ""),
    "sysctl": _sysctl,
    "mount": _mount,
    "crontab": _crontab,
    "fdisk": _only(r"-l( /dev/\w+)?", "lists disks", Kind.DESTROY),
    "parted": _only(r"-l", "lists disks", Kind.DESTROY),
    "sfdisk": _only(r"-l( /dev/\w+)?", "lists disks", Kind.DESTROY),
    "gdisk": _only(r"-l /dev/\w+", "lists disks", Kind.DESTROY),
    "smartctl": _only(r"(-[aHixAcl]|--all|--health|--info|-l \w+|--scan| )+( /dev/\w+)?", "looks at a disk"),
    "lvs": reader("lists disks", "-a -o= --units="),
    "vgs": reader("lists disks", "-a -o= --units="),
    "pvs": reader("lists disks", "-a -o= --units="),
    "lvdisplay": reader("lists disks", ""),
    "vgdisplay": reader("lists disks", ""),
    "atq": reader("lists scheduled commands", ""),
    "swapon": _only(r"(--show|-s|--summary)( --bytes| --noheadings)*", "lists swap"),
    "getfacl": reader("looks at names of files", "-p -a -R -t"),
    "chronyc": _only(r"(-n )?(tracking|sources|sourcestats|activity)( -v)?", "looks at the clock"),
    "ntpq": _only(r"-p|-pn|-np", "looks at the clock"),
    **every("claudeopsctl claudeops", _own),
}
