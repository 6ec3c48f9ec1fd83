#!/usr/bin/env bash
# Installs Debian packages, called by the Makefile for what a fresh machine lacks; without the right to, says the line that does.
set -euo pipefail
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; then
        echo "Could not install: $*." >&2
        case " $* " in *" chromium "*)
            echo "Ubuntu has no package chromium, only a snap: install Debian's, or any Chromium as /usr/bin/chromium." >&2 ;;
        esac
        exit 1
    fi
else
    echo "Missing: $*. Install it with: sudo apt-get install $*" >&2
    exit 1
fi
