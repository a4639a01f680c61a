#!/usr/bin/env python3
"""check-hundred.py REPORT STATUS: what `cpuherd probe --json` says of the bad hundred."""

import json
import re
import sys

# what each bad node's reason must say
BAD = {
    "10.99.0.11": r"no answer in time",
    "10.99.0.12": r"no answer in time",
    "10.99.0.13": r"no answer in time",
    "127.2.0.1:23": r"handshake.*not done within 10 s",
    "127.2.0.2:23": r"handshake.*not done within 10 s",
}


def complaints(report, status):
    nodes = {node["name"]: node for node in report["nodes"]}
    if len(nodes) != 100:
        yield "%d nodes in the report, wanted 100" % len(nodes)
    if status == 0 or status > 100:
        yield "exit status %d: a failure that is none, or no end of its own" % status
    for name, node in nodes.items():
        error = (node["error"] or {}).get("text", "")
        if name not in BAD and (error or not node["facts"]):
            yield "%s is good, but: %s" % (name, error or "it has neither facts nor a reason")
        if name in BAD and (node["facts"] or not re.search(BAD[name], error)):
            yield "%s: wanted %r, got %r" % (name, BAD[name], error)


with open(sys.argv[1], encoding="utf-8") as text:
    found = list(complaints(json.load(text), int(sys.argv[2])))
for line in found[:12]:
    print(line)
if len(found) > 12:
    print("and %d more" % (len(found) - 12))
if not found:
    print("95 with facts, 5 with a reason")
sys.exit(bool(found))
