#!/usr/bin/env python3
"""What is excluded is never stored; what was stored before it was excluded goes from every file, while questions are answered; everything else stays as it is."""
# run-tests: beside others
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
import bytesearch  # noqa: E402

report = Report("what is held goes from the disk after a reload",  # noqa: F405
                "the rest of every record is what it was", "no sync brings it back, and nothing is read anew for it",
                "after a restart nothing is written again", "of a new store it is never in a file", "what cannot be excluded is said, with what would be right")

EXCLUDE = "exclude = contacts.doc.phone, messages.doc.author.email, conversations.doc.source.author.email, conversations.doc.source.body"


def configure(daemon, line):
    with open(daemon.config_path) as f:
        lines = [one for one in f.read().split("\n") if not one.startswith("exclude")]
    lines.insert(lines.index("[source acme]") + 1, line)
    with open(daemon.config_path, "w") as f:
        f.write("\n".join(lines))


def docs(daemon, resource):
    client = daemon.client()
    rows = {row["id"]: row["doc"] for row in client.rows(resource, doc=True)}
    client.close()
    return rows


def stripped(resource, doc):
    doc = json.loads(json.dumps(doc))
    if resource == "contacts":
        doc.pop("phone", None)
    elif resource == "messages":
        (doc.get("author") or {}).pop("email", None)
    elif resource == "conversations":
        (doc.get("source") or {}).pop("body", None)
        ((doc.get("source") or {}).get("author") or {}).pop("email", None)
    return doc


def texts_of(rows):
    """Texts that stand nowhere but in what is excluded."""
    found = {doc.get("phone") for doc in rows["contacts"].values()}
    rest = json.dumps([stripped(r, doc) for r in rows for doc in rows[r].values()])
    return sorted(t.encode() for t in found if t and t not in rest)


def erased(daemon):
    return daemon.call("status")["sources"][0]["erasing"] is None


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 31, "--contacts", 300, "--companies", 10, "--conversations", 150, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    sim.mutate(60, 1)
    daemon.sync()
    state = os.path.join(folder, "state")
    before = {r: docs(daemon, r) for r in ("contacts", "conversations", "messages")}
    texts = texts_of(before)
    found, streams = bytesearch.find(state, texts)
    assert len(texts) > 50 and len(found) == len(texts), (len(texts), len(found))

    configure(daemon, EXCLUDE)
    ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, "reload"], capture_output=True, text=True, timeout=60)  # noqa: F405
    assert ran.returncode == 0 and "restart" not in ran.stdout, ran
    wait_until("it has gone", lambda: daemon.call("coverage") and erased(daemon) and not bytesearch.find(state, texts)[0], 60)  # noqa: F405
    assert bytesearch.find(state, texts)[1] > 500
    report.ok("what is held goes from the disk after a reload", "%d texts" % len(texts))

    after = {r: docs(daemon, r) for r in before}
    for resource, rows in before.items():
        assert rows.keys() == after[resource].keys()
        for i, doc in rows.items():
            assert stripped(resource, doc) == after[resource][i], (resource, i, after[resource][i])
    assert daemon.call("query", resource="contacts", where="phone exists", limit=0, total=True)["total"] == 0
    assert daemon.call("query", resource="contacts", where="email exists", limit=0, total=True)["total"] > 50
    report.ok("the rest of every record is what it was")

    runs = daemon.sync("full")
    assert sum(r["updated"] + r["created"] for r in runs if r["resource"] == "contacts") == 0, runs
    sim.mutate(60, 2)
    daemon.sync()
    truth = sim.truth("contacts")
    held = docs(daemon, "contacts")
    assert truth.keys() == held.keys() and all(stripped("contacts", doc) == held[i] for i, (_, doc) in truth.items())
    assert not bytesearch.find(state, texts)[0]
    report.ok("no sync brings it back, and nothing is read anew for it")

    wait_until("it is at rest", lambda: erased(daemon), 30)  # noqa: F405
    daemon.stop()
    sim.restarted()
    daemon.start()
    assert erased(daemon) and not bytesearch.find(state, texts)[0]
    report.ok("after a restart nothing is written again")
    daemon.stop()

    fresh = os.path.join(folder, "fresh")
    os.mkdir(fresh)
    sim.restarted()
    other = Daemon(fresh, sim, source_options=EXCLUDE)  # noqa: F405
    started.append(other)
    phones = [doc["phone"].encode() for _, doc in truth.values() if doc.get("phone")]
    phones = [t for t in phones if t in texts] + [t for t in texts if t not in phones]
    seen = []

    def settled():
        seen.append(bytesearch.find(os.path.join(fresh, "state"), phones)[0])
        status = other.call("status")["sources"][0]
        return all(r["coverage_ratio"] > 0.999999 or r["state"] == "fresh" for r in status["resources"])

    wait_until("the first sync is complete", settled, 120, 0.05)  # noqa: F405
    assert len(docs(other, "contacts")) == len(truth) and not any(seen), [s for s in seen if s][:1]
    assert not bytesearch.find(os.path.join(fresh, "state"), phones)[0]
    report.ok("of a new store it is never in a file", "looked %d times" % len(seen))
    other.stop()

    for line, words in (("exclude = phone", "begins with no resource"), ("exclude = contacts.phone", "RESOURCE.doc.PATH"),
                        ("exclude = contacts.doc.a..b", "empty step")):
        configure(daemon, line)
        ran = subprocess.run([program("ficd"), "--config", daemon.config_path, "--check-config"], capture_output=True, text=True, timeout=60)  # noqa: F405
        assert ran.returncode == 78 and words in ran.stderr + ran.stdout, ran
    report.ok("what cannot be excluded is said, with what would be right")
