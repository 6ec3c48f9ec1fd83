# Claude Ops as a container: `claudeops` is PID 1 and reaps, so no init is needed. docs/operations.md says how to run it.

# The claude CLI, pinned by its lock file; its own binary, so Node is only needed to install it.
FROM node:22-bookworm-slim AS cli
WORKDIR /opt/claude-cli
COPY packaging/claude-cli/package.json packaging/claude-cli/package-lock.json ./
RUN npm ci --no-audit --no-fund && node_modules/.bin/claude --version

# The virtual environment, at the path where it runs. The packages are linked from /opt/claudeops, not copied into it.
FROM python:3.11-slim-bookworm AS venv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
COPY requirements/run.txt /tmp/run.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/run.txt
WORKDIR /opt/claudeops
COPY pyproject.toml README.md LICENSE ./
COPY schema schema
COPY ipc ipc
COPY daemon daemon
COPY webui webui
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation -e . \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash schema ipc daemon webui \
    && /opt/venv/bin/python -m webui.rendering

FROM python:3.11-slim-bookworm
# What a session may look with, as far as it makes sense in a container.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl dnsutils iputils-ping iproute2 procps git jq ripgrep openssh-client \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 claudeops \
    && useradd --uid 10001 --gid 10001 --home-dir /state --no-create-home --shell /usr/sbin/nologin claudeops \
    && install -d -o claudeops -g claudeops -m 0750 /state /results /repos /run/claudeops
COPY --from=cli /opt/claude-cli /opt/claude-cli
COPY --from=venv /opt/venv /opt/venv
COPY --from=venv /opt/claudeops /opt/claudeops
# Where sessions start, and where the settings' defaults look; mount your own over any of these.
COPY daemon/prompts/tier1-observe.md daemon/prompts/tier2-investigate.md daemon/prompts/tier3-remediate.md daemon/prompts/agent.md /app/prompts/
COPY daemon/prompts/checks /app/checks
COPY daemon/prompts/playbooks /app/playbooks
COPY daemon/prompts/skills /app/skills
COPY daemon/prompts/guides /app/.claude/skills
COPY daemon/prompts/agent.md /app/CLAUDE.md
COPY daemon/prompts/agent-response.json /app/schemas/agent-response.json
ENV PATH=/opt/venv/bin:/opt/claude-cli/node_modules/.bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/state \
    CLAUDEOPS_RUNTIME_DIR=/run/claudeops
USER claudeops
WORKDIR /opt/claudeops
VOLUME ["/state", "/results", "/repos"]
EXPOSE 8080
# Unhealthy when no daemon runs; degraded counts as running, because the supervisor mends that by itself.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["claudeopsctl", "status"]
STOPSIGNAL SIGTERM
# PID 1 never hears a signal that comes before it has a handler: TERM waits until claudeops, which env becomes, has one.
ENTRYPOINT ["env", "--block-signal=TERM", "claudeops"]
