#!/usr/bin/env bash
# Lint, types, import contracts and generated files, called by `make check` and `make test`.
set -euo pipefail
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/lint-imports --no-logo
$bin/python packaging/generate.py --check
