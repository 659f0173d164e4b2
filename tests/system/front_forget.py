#!/usr/bin/env python3
"""At Front a contact is named by conversations and by messages alike: what is forgotten goes with all of them, and none comes back."""
# run-tests: beside others
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from front import *  # noqa: E402,F403
import bytesearch  # noqa: E402

report = Report("whoever is forgotten is nowhere on the disk, with all threads that name him", "no sync brings it back, and the rest is the truth")  # noqa: F405

NAMED = ["contacts", "conversations", "messages"]


def held(daemon):
    client = daemon.client()
    rows = {r: {row["id"]: row for row in client.rows(r, fields=["parent", "doc"] + ["contact"] * (r in ("conversations", "messages")))} for r in RESOURCES if r != "links"}  # noqa: F405
    client.close()
    return rows


def under(rows, contact):
    threads = {i for i, row in rows["conversations"].items() if contact in (row.get("contact") or [])} | \
        {row["parent"] for row in rows["messages"].values() if contact in (row.get("contact") or [])}
    return [("contacts", contact)] + [("conversations", i) for i in sorted(threads)] + \
        [("messages", i) for i, row in rows["messages"].items() if row["parent"] in threads]


with workplace() as (folder, started):  # noqa: F405
    sim = Front(folder, "--seed", 5, "--conversations", 150, "--contacts", 80, "--companies", 10, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = front_daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    sim.mutate(40, 1)
    daemon.sync()
    state, rows = os.path.join(folder, "state"), held(daemon)
    contact = max(sorted(rows["contacts"]), key=lambda c: len(under(rows, c)))
    going = under(rows, contact)
    texts = bytesearch.own_texts(rows, going)
    found, _ = bytesearch.find(state, texts)
    assert len(going) > 4 and len(texts) > 10 and len(found) == len(texts), (going[:9], len(texts), len(found))
    done = daemon.call("forget", resource="contacts", id=contact)
    counts = {row["resource"]: row["records"] for row in done["erased"]}
    assert all(counts[r] == sum(g == r for g, _ in going) for r in NAMED), (counts, len(going))
    found, streams = bytesearch.find(state, texts)
    assert not found and streams > 200, (list(found.items())[:5], streams)
    report.ok("whoever is forgotten is nowhere on the disk, with all threads that name him", json.dumps(counts))

    daemon.sync("full")
    sim.mutate(40, 2)
    daemon.sync()
    daemon.sync("verify")
    assert not bytesearch.strays(state, texts, held(daemon)), bytesearch.strays(state, texts, held(daemon))
    now, gone = held(daemon), {i for r, i in going if r == "conversations"}
    truth = sim.truth("conversations")
    away = truth.keys() - now["conversations"].keys()
    for thread in away - gone:  # new ones of somebody who is forgotten
        said = json.dumps([truth[thread]] + [m for m in sim.truth("messages").values() if m[0] == thread])
        assert "/contacts/" + contact in said, thread
    assert not now["conversations"].keys() - truth.keys() and not now["conversations"].keys() & gone
    report.ok("no sync brings it back, and the rest is the truth", "%d threads away" % len(away))
    daemon.stop()
