"""Cloud command lines, infrastructure as code, Ansible, Vault."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, reader, verbs

_SECRETS = re.compile(
    r"secret|password|credential|token|\bkms\b|keyvault|get-login|decrypt|access-key|private-key|connection-string|ssm|iam|sts|\bkeys?\b"
    r"|get-authorization|print-access|get-object|get-function|user-?data|get-export|get-sdk|with-decryption|batch-get|lambda|config-get|console-output"
    # What has user data, environments or passwords in its description.
    r"|launch-(template|config)|(task|job)-definition|user-pool-client|configuration-settings|access-details|thumbnail"
    r"|apprunner|amplify|codebuild|appsettings|\bglue\b|publishing",
    re.IGNORECASE,
)
_OPERATIONS = re.compile(r"(describe|list|get)-[a-z0-9-]+|describe|list|ls|show")
_GETS = re.compile(
    r"cloudwatch get-(metric-\w+|dashboard)|logs get-(log-events|query-results)|ce get-[a-z-]+|route53 get-[a-z-]+"
    r"|s3api get-bucket-[a-z-]+|sqs get-queue-attributes|sns get-topic-attributes|autoscaling get-[a-z-]+"
)
# What may stand before a verb: `gcloud compute ssh list` opens a shell on a machine named list.
_NOUNS = listed(
    "compute instances disks networks subnets firewall-rules addresses regions zones images snapshots"
    " container clusters services revisions sql databases projects config configurations logging logs dns"
    " managed-zones record-sets vm vmss group aks account network vnet nsg public-ip lb storage monitor"
    " metrics alert activity-log resource webapp run functionapp acr postgres mysql redis droplet droplets"
    " server servers volume volumes load-balancer firewall node-pools kubernetes cluster domain records"
    " database image"
)


_CLOUD_GLOBAL = frozenset({"--region", "--profile", "--output", "--query", "--project", "--format"})


def _cloud(command: Command) -> list[Found]:
    """`aws ec2 describe-instances`, `gcloud compute instances list`, `az vm show`: a reading verb among plain words."""
    texts = [word.text for word in command.args]
    if texts and set(texts) <= {"--version", "version", "help"}:
        return [command.found(Kind.READ, "prints its version")]
    if None in texts or any(_SECRETS.search(text or "") for text in texts):
        return command.unknown("an argument that can't be told, or something that may hold credentials")
    words: list[str] = []
    while len(texts) > 1 and texts[0] in _CLOUD_GLOBAL:
        del texts[:2]
    for text in texts:
        if (text or "").startswith("-"):
            break
        words.append(text or "")
    verb = next((word for word in words[1:] if command.name == "aws" or word not in _NOUNS), "")
    if command.name != "aws" and words[:1] and words[0] not in _NOUNS:
        verb = ""
    files = any(
        re.match(r"(file|fileb)://|@|--(cli-input|endpoint-url|flags-file|outfile|log-file|impersonate)", text or "")
        for text in texts
    )
    if words[:2] in (["logs", "tail"], ["logging", "read"]) and not files:
        return [command.found(Kind.READ, "prints logs")]
    # Many an aws get-… writes what it gets into the file behind it.
    gets = command.name == "aws" and verb.startswith("get-") and not _GETS.fullmatch(" ".join(words[:2]))
    if _OPERATIONS.fullmatch(verb) and not files and not gets:
        return [command.found(Kind.READ, "looks at a cloud")]
    if "delete" in " ".join(words) or "terminate" in " ".join(words) or words[:2] == ["s3", "rb"]:
        return [command.found(Kind.DESTROY, "deletes something in a cloud")]
    return command.unknown("not plainly a look")


def _tf_state(command: Command) -> list[Found]:
    verb = command.args[0].text if command.args else None
    if verb == "list":
        return [command.found(Kind.READ, "looks at infrastructure")]
    if verb in {"show", "pull"}:
        return [command.found(Kind.SECRET, "prints a state, where credentials are")]
    return [command.found(Kind.DESTROY, "changes a state")]


_TERRAFORM: dict[str, Program] = {
    "version": reader("prints its version", None),
    "state": _tf_state,
    "show": acts(Kind.SECRET, "prints a state, where credentials are"),
    "output": acts(Kind.SECRET, "prints outputs, where credentials are"),
    "workspace": verbs(
        {
            **every("list show", reader("looks at infrastructure", "")),
            **every("new select", acts(Kind.CHANGE, "changes a workspace")),
            "delete": acts(Kind.DESTROY, "deletes a workspace"),
        }
    ),
    "plan": acts(Kind.UNKNOWN, "a plan runs what the configuration names"),
    "apply": acts(Kind.REDEPLOYMENT, "changes infrastructure"),
    "destroy": acts(Kind.DESTROY, "destroys infrastructure"),
    **every("init get fmt", acts(Kind.WRITE, "writes files")),
    **every("import taint untaint refresh", acts(Kind.CHANGE, "changes a state")),
}


def _vault(command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    if texts in (["status"], ["version"], ["status", "-format=json"], ["--version"]):
        return [command.found(Kind.READ, "asks how it is")]
    if texts[:1] in (["read"], ["kv"], ["token"], ["print"], ["unwrap"], ["login"], ["list"]):
        return [command.found(Kind.SECRET, "reads secrets")]
    return command.unknown("which may change anything")


_PLAYBOOK = options(
    "-i= -l= -t= -e= -u= -b -K -k -C -D -v -vv -vvv -vvvv -f= --inventory= --limit= --tags= --skip-tags="
    " --extra-vars= --user= --become --check"
    "  --diff --syntax-check --list-tasks --list-hosts --list-tags --start-at-task= --forks="
    " --vault-password-file= --ask-become-pass"
    " --become-user= --flush-cache --force-handlers --version --step -T= --timeout="
)


def _playbook(command: Command) -> list[Found]:
    given = read(command.args, _PLAYBOOK)
    if given.has("--syntax-check", "--list-tasks", "--list-hosts", "--list-tags", "--version"):
        # An inventory that is a program is run even to list hosts.
        plain = all(
            re.fullmatch(r"[\w./-]+\.(ya?ml|ini)|[\w./-]*/?(hosts|inventory)", value.text or "")
            for value in given.values("-i", "--inventory")
        )
        # Variables may hold templates that run programs.
        if plain and not given.has("-e", "--extra-vars", "--vault-password-file"):
            return [command.found(Kind.READ, "lists what a playbook would do")]
        return command.unknown("an inventory or variables that may run a program")
    names = [word.text for word in given.operands if word.text]
    target = re.sub(r"\.ya?ml$", "", names[0].rsplit("/", 1)[-1]) if len(names) == 1 else None
    return [command.found(Kind.REDEPLOYMENT, "runs a playbook", target)]


def _ansible(command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    if texts == ["--version"] or (len(texts) == 2 and "--list-hosts" in texts):
        return [command.found(Kind.READ, "lists hosts")]
    if None in texts:
        return command.unknown("what it runs can't be told")
    plain = {"-m", "ping", "-o", "--one-line"} | {text for text in texts[:1] if re.fullmatch(r"[\w.-]+", text or "-")}
    if "ping" in texts and "-m" in texts and set(texts) <= plain:
        return [command.found(Kind.READ, "asks hosts whether they answer")]
    return [command.found(Kind.REDEPLOYMENT, "runs a module on hosts")]


PROGRAMS: dict[str, Program] = {
    **every("aws gcloud az doctl hcloud", _cloud),
    **every("terraform tofu", verbs(_TERRAFORM, options("-version --version"))),
    "vault": _vault,
    "ansible-playbook": _playbook,
    "ansible": _ansible,
    "ansible-inventory": acts(Kind.SECRET, "prints variables, where credentials are"),
    "ansible-vault": acts(Kind.SECRET, "reads secrets"),
    "ansible-galaxy": acts(Kind.PACKAGE, "installs roles"),
    "consul": verbs({**every("members version info", reader("looks at a cluster", None))}, options("-version")),
    "nomad": verbs(
        {
            **every("status version", reader("looks at a cluster", None)),
            "job": verbs({"status": reader("looks at a cluster", None)}),
        }
    ),
    "etcdctl": verbs(
        {
            "endpoint": verbs({**every("health status", reader("looks at a cluster", None))}),
            "member": verbs({"list": reader("looks", None)}),
        }
    ),
}
