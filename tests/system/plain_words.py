#!/usr/bin/env python3
"""What the daemon says is never more than it knows: absence, ratios, damage, names; and where its words go."""
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "nothing held: no ratio says 100 %",
    "a folder that others can enter: said, with what to do",
    "a record older than what is held is not called absent",
    "a part that the provider does not show any more is not called absent",
    "what is held as a whole: absent is absent",
    "runs of a resource that there is not: did you mean",
    "a closed standard output: exit 74, and nothing goes elsewhere",
    "a closed standard input and error: the answer comes",
    "ficd with closed descriptors: no file gets its log",
    "an answer that misses damaged records does not say fresh, and refuses 'require'",
    "a record that is damaged is not called absent",
    "a list with a hole is not held: its ratio is 0",
    "damage heals")


def absence(daemon, resource, key):
    return daemon.call("get", resource=resource, id=key)["absence"]


def ask(daemon, words):
    """ficq by way of a shell, for its redirections."""
    return subprocess.run(["sh", "-c", "exec %s -S %s %s" % (program("ficq"), daemon.socket_path, words)],  # noqa: F405
                          capture_output=True, text=True, timeout=60)


def damage(folder, resource):
    """One bit in the middle of the records of the largest segment."""
    path = max(glob.glob("%s/state/acme/%s/**/*.seg" % (folder, resource), recursive=True), key=os.path.getsize)
    with open(path, "r+b") as f:
        f.seek(24)
        at = (4096 + int.from_bytes(f.read(8), "little")) // 2  # the header says where the records end
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 4]))


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 3, "--contacts", 160, "--companies", 40, "--conversations", 90, "--rate", 0,  # noqa: F405
              "--long-threads", 0)
    started.append(sim)
    conversation = next(parent for key, (parent, _) in sim.truth("messages").items() if not key.startswith("source:"))
    os.mkdir(os.path.join(folder, "state"))
    os.chmod(os.path.join(folder, "state"), 0o755)
    sim.faults({"kind": "status", "status": 503, "route": "/"})
    daemon = Daemon(folder, sim, source_options="history = 60d")  # noqa: F405
    started.append(daemon)

    resources = daemon.call("status")["sources"][0]["resources"]
    assert all(r["coverage_ratio"] == 0 for r in resources), resources
    assert all(r["ratio"] == 0 for r in daemon.call("coverage")["resources"])
    report.ok("nothing held: no ratio says 100 %")
    assert "chmod 700 %s/state" % folder in daemon.log_text(), daemon.log_tail()
    report.ok("a folder that others can enter: said, with what to do")
    sim.no_faults()
    daemon.wait_settled()
    assert all(r["coverage_ratio"] > 0.999 for r in daemon.call("status")["sources"][0]["resources"])

    older = 0
    for resource in ("conversations", "messages"):
        held = {row["id"] for row in daemon.client().rows(resource, fields=["id"])}
        for key in sorted(sim.truth(resource).keys() - held)[:50]:
            said = absence(daemon, resource, key)
            assert said["reason"] == "not_covered" and "may be older" in said["detail"], (resource, key, said)
            older += 1
    assert older >= 50, older
    run = ask(daemon, "get conversations 1")
    since = daemon.call("freshness", resource="conversations")["freshness"]["covered"][-1][0]
    said = "is not known here: not among what is held since %s %s UTC; it may be older" % (since[:10], since[11:16])
    assert run.returncode == 1 and said in run.stderr, (run, since)
    report.ok("a record older than what is held is not called absent", "%d asked for" % older)

    sim.mutate(300, 1, kinds=["reply"], conversation=conversation)
    old = {key for key, (parent, _) in sim.truth("messages").items() if parent == conversation}
    sim.mutate(300, 2, kinds=["reply"], conversation=conversation)
    sim.control("POST", "clock", {"advance_s": 30})
    daemon.sync()
    hidden = sorted(old - {key for key, (parent, _) in sim.truth("messages").items() if parent == conversation})
    hidden = [key for key in hidden if "absence" in daemon.call("get", resource="messages", id=key)]
    assert hidden
    said = absence(daemon, "messages", hidden[0])
    assert said["reason"] == "not_covered" and "shown in part" in said["detail"], said
    report.ok("a part that the provider does not show any more is not called absent")
    for resource in ("contacts", "companies", "tags", "segments", "admins", "teams"):
        said = absence(daemon, resource, "zzz")
        assert said["reason"] == "covered_absent", (resource, said)
    report.ok("what is held as a whole: absent is absent")

    try:
        raise AssertionError(daemon.call("runs", resource="contcts"))
    except RpcError as error:  # noqa: F405
        assert error.code == -32602 and "contacts" in error.data["hint"], (error, error.data)
    assert daemon.call("runs", resource="contacts")["runs"]
    report.ok("runs of a resource that there is not: did you mean")

    before = daemon.log_text()
    for words in ("query messages -n 0 -o ndjson", "status", "help", "version"):
        run = ask(daemon, words + " >&-")
        assert run.returncode == 74 and "standard output" in run.stderr, (words, run)
    assert " error " not in daemon.log_text()[len(before):]
    report.ok("a closed standard output: exit 74, and nothing goes elsewhere")
    run = ask(daemon, "query tags -o ndjson <&- 2>&-")
    assert run.returncode == 0 and len(run.stdout.splitlines()) == len(sim.truth("tags")), run
    run = ask(daemon, "get contacts zzz <&- 2>&- >&-")
    assert run.returncode == 1, run
    report.ok("a closed standard input and error: the answer comes")

    daemon.stop()
    shell = subprocess.Popen(["sh", "-c", "exec %s --config %s <&- >&- 2>&-" % (program("ficd"), daemon.config_path)])  # noqa: F405
    daemon.process = shell
    wait_until("ficd listens", daemon.connectable)  # noqa: F405
    assert [os.readlink("/proc/%d/fd/%d" % (shell.pid, fd)) for fd in range(3)] == ["/dev/null"] * 3
    assert daemon.call("hello")["name"] == "ficd"
    daemon.stop()
    report.ok("ficd with closed descriptors: no file gets its log")

    total = len(sim.truth("contacts"))
    damage(folder, "contacts")
    damage(folder, "companies")
    sim.restarted()
    sim.faults({"kind": "status", "status": 503, "route": "/"})
    daemon.start()
    client = daemon.client()
    answer = client.call("query", resource="contacts", limit=1000, fields=["doc"], max_age="1d")
    assert len(answer["rows"]) < total, "the bit was in no record"
    fresh = answer["freshness"]
    assert fresh["state"] == "partial" and not fresh["complete"] and fresh["reason"] == "damaged", fresh
    assert fresh["message"].endswith("the answer misses %d" % (total - len(answer["rows"]))), (fresh, total)
    try:
        answer = client.call("query", resource="contacts", limit=1000, fields=["doc"], max_age="1d", require="fresh")
        raise AssertionError(answer["freshness"])
    except RpcError as error:  # noqa: F405
        assert error.code == 6, (error, error.data)
    report.ok("an answer that misses damaged records does not say fresh, and refuses 'require'", fresh["message"])

    # The question is answered from what is sound: what was lost may exist, and is fetched again.
    damaged = []
    for key in sorted(sim.truth("companies")):
        answer = client.call("get", resource="companies", id=key)
        assert "record" in answer or answer["absence"]["reason"] == "not_covered", (key, answer)
        if "record" not in answer:
            assert answer["freshness"]["state"] != "fresh", answer["freshness"]
            damaged.append(key)
    assert damaged
    report.ok("a record that is damaged is not called absent", "%d may exist upstream" % len(damaged))

    def contacts():
        return client.call("coverage", resource="contacts")["resources"][0]
    wait_until("the damage is withdrawn from the coverage", lambda: contacts()["gaps"])  # noqa: F405
    assert contacts()["ratio"] == 0, contacts()
    state = next(r for r in client.call("status")["sources"][0]["resources"] if r["name"] == "contacts")
    assert state["coverage_ratio"] == 0, state
    report.ok("a list with a hole is not held: its ratio is 0")

    sim.no_faults()
    wait_until("the damage is mended", lambda: all(  # noqa: F405
        client.call("freshness", resource=resource)["freshness"]["state"] == "fresh" and
        len(list(client.rows(resource))) == len(sim.truth(resource)) for resource in ("contacts", "companies")))
    daemon.sync()
    compare(daemon, sim, ["contacts", "companies", "tags"])  # noqa: F405
    report.ok("damage heals")
    daemon.stop()
    sim.stop()
