"""What the shim is told over its channel: one JSON document, complete or not at all."""

import json
import os


class Spec:
    """One command and its limits. Raises KeyError, TypeError or ValueError on a document that is not one."""

    def __init__(self, document: bytes) -> None:
        told = json.loads(document)
        self.run_id = str(told["run_id"])
        self.argv = [str(word) for word in told["argv"]]
        self.env = {str(name): str(value) for name, value in told["env"].items()}
        self.cwd = str(told["cwd"])
        self.stdin: str | None = told["stdin"]
        self.log_path = str(told["log_path"])
        self.timeout_s = float(told["timeout_s"])
        self.grace_int_s = float(told["grace_int_s"])
        self.grace_term_s = float(told["grace_term_s"])
        self.max_bytes = int(told["max_bytes"])
        self.disk_patience_s = float(told["disk_patience_s"])
        self.secrets = [(str(secret["name"]), str(secret["value"])) for secret in told["redactions"]]
        self.title_module: str | None = told.get("title_module")


def read_spec(channel: int) -> Spec | None:
    """Read to the end of what the worker sends on a descriptor. None when it died before it had told us all."""
    document = bytearray()
    while part := os.read(channel, 1 << 16):
        document += part
    try:
        return Spec(bytes(document))
    except ValueError:
        return None
