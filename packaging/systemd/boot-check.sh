#!/usr/bin/env bash
# Boots a virtual machine with a real systemd, installs Claude Ops in it as docs/operations.md tells, and has
# boot/main.py look at the unit there. Called by `make unit-check`, as root; the machine has no network.
# UNIT_CHECK_ONLY=killed tries only the installation and the checks of the first boot with that word in their name.
set -euo pipefail
cd "$(dirname "$0")/../.."
kept=$PWD/.claudeops/unit-check
root=$kept/root
suite=${UNIT_CHECK_SUITE:-bookworm}
mirror=${UNIT_CHECK_MIRROR:-http://deb.debian.org/debian}
packages=systemd,systemd-sysv,dbus,udev,ca-certificates,curl,make,procps,python3,python3-venv,initramfs-tools,linux-image-cloud-amd64

[ "$(id -u)" = 0 ] || { echo "make unit-check makes a file system of its own, and needs root: sudo make unit-check" >&2; exit 1; }
[ "$(uname -m)" = x86_64 ] || { echo "make unit-check boots an x86_64 machine, and this is $(uname -m)" >&2; exit 1; }
for need in debootstrap:debootstrap qemu-system-x86_64:qemu-system-x86 mkfs.ext4:e2fsprogs; do
    command -v "${need%:*}" >/dev/null || bash packaging/install.sh "${need#*:}"
done
mkdir -p "$kept"

# Debian once; a tree that was not finished is made anew.
if [ "$(cat "$kept/made" 2>/dev/null)" != "$suite $packages" ]; then
    echo "making a Debian $suite in $root"
    rm -rf "$root" "$kept/made"
    debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$kept/debootstrap.log" 2>&1 ||
        { tail -5 "$kept/debootstrap.log" >&2; exit 1; }
    echo "$suite $packages" >"$kept/made"
fi

# The program as it lies here, without what git ignores.
opt=$root/opt/claudeops
mkdir -p "$opt"
find "$opt" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -rd '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
    tar --null -T - -c | tar -x -C "$opt"
echo "${UNIT_CHECK_ONLY:-}" >"$opt/only"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp /etc/resolv.conf "$root/etc/"
mapfile -t reach < <(env | grep -E '^(PIP_INDEX_URL|PIP_CERT|(HTTP|HTTPS|NO)_PROXY|(http|https|no)_proxy)=' || true)
chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 ${reach[@]+"${reach[@]}"} make -s -C /opt/claudeops setup
mkdir -p "$opt/.claudeops"
cp -a .claudeops/cli "$opt/.claudeops/"
chown -R root:root "$opt" && chmod -R a+rX "$opt"

# The check runs at each boot and goes on where it was; a journal that is kept tells of the boot before.
mkdir -p "$root/var/log/journal"
: >"$root/etc/machine-id"
cat >"$root/etc/systemd/system/unit-check.service" <<'UNIT'
[Unit]
Description=Look at claudeops.service
[Service]
ExecStart=/usr/bin/python3 -u /opt/claudeops/packaging/systemd/boot/main.py
StandardOutput=journal+console
[Install]
WantedBy=multi-user.target
UNIT
ln -sf ../unit-check.service -t "$root/etc/systemd/system/multi-user.target.wants/"

rm -f "$kept/disk"
truncate -s 4G "$kept/disk"
mkfs.ext4 -q -d "$root" "$kept/disk"
# Where the processor does not offer virtualisation, /dev/kvm may be there and never get anywhere.
accel=tcg
if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then accel=kvm; fi
echo "booting ($accel); the console is in $kept/console.log"
: >"$kept/result"
timeout "${UNIT_CHECK_SECONDS:-3600}" qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -m 2048 -nic none -display none \
    -drive file="$kept/disk",if=virtio,format=raw,cache=unsafe \
    -kernel "$(ls "$root"/boot/vmlinuz-*)" -initrd "$(ls "$root"/boot/initrd.img-*)" \
    -append "root=/dev/vda rw console=ttyS0 mitigations=off modprobe.blacklist=kvm panic=1" \
    -serial file:"$kept/console.log" -serial file:"$kept/result" &
machine=$!
trap 'kill "$machine" 2>/dev/null || true' EXIT
tail -f --pid="$machine" "$kept/result" | sed -u 's|\r||'
wait "$machine" || { echo "the machine did not end by itself; see $kept/console.log" >&2; exit 1; }
rm -f "$kept/disk"
grep -q '^all is well' "$kept/result"
