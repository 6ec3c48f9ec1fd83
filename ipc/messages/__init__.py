"""The contract between the processes: every request with its reply, and every event, as frozen structs.

One frame is a msgpack array (or the same array as JSON, when the first byte is `[`; the answer then is JSON too):

    [protocol, kind, type, id, sent, deadline, trace, body]

`kind` is `req`, `rep` or `err`; `id` is made by the client and echoed; `sent` and `deadline` are seconds on
CLOCK_MONOTONIC, which all processes of a host share; `trace` is a W3C traceparent or empty; `type` is the struct's
subject and `body` that struct. Fields are only ever added, with defaults, so that neighbours of different versions
understand each other.
"""
