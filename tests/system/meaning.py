#!/usr/bin/env python3
"""Conditions mean what people mean by them: names, addresses, nobody, capitals, days of their own clocks; and a span that has not begun is not held."""
# run-tests: beside others
import datetime
import os
import subprocess
import sys
import time
import zoneinfo

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "a span that has not begun is not fresh, and says so",
    "a span that began is judged up to now",
    "nobody is no assignee",
    "parts of names, and names of contacts",
    "who is not known is refused",
    "capitals of addresses and states",
    "a day is one of the asker's clocks",
    "one source is a field, too",
    "a search says what its language has not",
    "who is not reached is not said to answer",
    "names of two sources with the same ids are not mixed up")


def refused(call, *args, **params):
    try:
        raise AssertionError(call(*args, **params))
    except RpcError as error:  # noqa: F405
        return error


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 11, "--contacts", 60, "--conversations", 200, "--rate", 0, "--long-threads", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()

    def ids(where, resource="conversations", **params):
        return {row["id"] for row in client.rows(resource, where=where, fields=["id"], **params)}

    def ficq(*words):
        return subprocess.run([program("ficq"), "-S", daemon.socket_path, *words], capture_output=True, text=True,  # noqa: F405
                              timeout=60)

    # -- what has not begun --
    later = iso(time.time() + 3 * 86400)
    fresh = client.call("freshness", since=later)["freshness"]
    assert fresh["state"] == "stale" and not fresh["complete"] and fresh["covered"] == [], fresh
    assert "has not begun" in fresh["message"] and later[:10] in fresh["message"], fresh
    error = refused(client.call, "query", resource="conversations", since=later, require="fresh")
    assert error.code == 6 and "has not begun" in str(error), (error, error.data)
    began = time.monotonic()
    answer = client.call("query", resource="conversations", since=later, on_stale="wait", timeout_ms=20000)
    assert answer["rows"] == [] and time.monotonic() - began < 10, "waited for the future"
    report.ok("a span that has not begun is not fresh, and says so", fresh["message"])
    fresh = client.call("freshness", since=iso(time.time() - 86400), until=later)["freshness"]
    assert fresh["state"] == "fresh" and fresh["complete"], fresh
    report.ok("a span that began is judged up to now")

    # -- nobody --
    truth = sim.truth("conversations")
    docs = {row["id"]: row["doc"] for row in client.rows("conversations", fields=["doc"])}
    for field, member in (("assignee", "admin_assignee_id"), ("team", "team_assignee_id")):
        nobody = {key for key, doc in docs.items() if doc.get(member) in (None, 0, "0", "")}
        assert 0 < len(nobody) < len(docs), (field, len(nobody))
        for where in ("%s = none", "%s = null", "not %s exists", "%s = 0"):
            assert ids(where % field) == nobody, (field, where)
        for where in ("%s exists", "%s != none", "%s != null"):
            assert ids(where % field) == docs.keys() - nobody, (field, where)
        rows = list(client.rows("conversations", fields=[field]))
        assert {row["id"] for row in rows if row[field] is None} == nobody
        groups = client.call("aggregate", resource="conversations", group_by=[field])["groups"]
        assert [g["count"] for g in groups if g[field] is None] == [len(nobody)], groups
    assert refused(ids, "assignee in (none, 7)").code == 8
    run = ficq("count", "conversations", "--where", "team = none")
    assert run.returncode == 0 and int(run.stdout) == len(nobody), run
    report.ok("nobody is no assignee")

    # -- names --
    admins = list(client.rows("admins", fields=["name", "email"]))
    someone = next(a for a in admins if any(str(d.get("admin_assignee_id")) == a["id"] for d in docs.values()))
    part = someone["name"].split()[0]
    called = {a["id"] for a in admins if part.lower() in (a["name"] + "\n" + a["email"]).lower()}
    theirs = {key for key, doc in docs.items() if str(doc.get("admin_assignee_id")) in called}
    assert theirs
    for where in ("assignee ~ %s" % part.upper(), "assignee contains %s" % part):
        assert ids(where) == theirs, where
    assert ids("assignee = '%s'" % someone["name"].upper()) == ids("assignee = %s" % someone["id"])
    contacts = list(client.rows("contacts", fields=["name", "email"]))
    having = {c["id"] for doc in docs.values() for c in doc["contacts"]["contacts"]}
    contact = next(c for c in contacts if c["id"] in having and c["email"] and c["name"])
    for what in ("email", "name"):
        same = {c["id"] for c in contacts if (c[what] or "").lower() == contact[what].lower()}
        theirs = {key for key, doc in docs.items() if same & {c["id"] for c in doc["contacts"]["contacts"]}}
        for value in (contact[what], contact[what].upper()):
            for where in ('contact = "%s"', 'contact contains "%s"', 'contact in (zz1, "%s")'):
                assert ids(where % value) == theirs, (where, value)
    assert contact["id"] in having and ids("contact = %s" % contact["id"])
    report.ok("parts of names, and names of contacts", "%s, %s" % (part, contact["name"]))
    for where, words in (("assignee ~ Zebedee", "none of the admins"), ("contact = 'Nemo Nobody'", "is called 'Nemo Nobody'"),
                         ("contact = nemo@nowhere.example", "has the address")):
        error = refused(ids, where)
        assert error.code == 8 and words in str(error), (where, error)
    report.ok("who is not known is refused")

    email = next(c["email"] for c in contacts if c["email"])
    assert ids("email = %s" % email.upper(), "contacts") == ids("email = %s" % email, "contacts") != set()
    assert ids("state = Open") == ids("state = open") != set()
    report.ok("capitals of addresses and states")

    # -- clocks --
    for name in ("Asia/Tokyo", "America/Los_Angeles"):
        zone = zoneinfo.ZoneInfo(name)
        day = datetime.datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        found = 0
        for back in range(1, 90):
            start = (day - datetime.timedelta(days=back)).timestamp()
            end = (day - datetime.timedelta(days=back - 1)).timestamp()
            wanted = {key for key, doc in docs.items() if start <= doc["created_at"] < end}
            where = "created = yesterday" if back == 1 else "created = %s" % (day - datetime.timedelta(days=back)).date()
            assert ids(where, timezone=name) == wanted, (name, where)
            found += len(wanted)
        assert found
        whole = "created = %s" % (day - datetime.timedelta(days=3)).date()
        run = ficq("--tz", name, "count", "conversations", "--where", whole)
        assert run.returncode == 0 and int(run.stdout.replace(",", "")) == len(ids(whole, timezone=name)), run
    assert refused(ids, "created = today", timezone="Nowhere/None").code == -32602
    report.ok("a day is one of the asker's clocks")

    # -- the source --
    assert ids("source = acme") == docs.keys() and not ids("source != acme") and not ids("source = other")
    groups = client.call("aggregate", resource="conversations", group_by=["source"])["groups"]
    assert groups == [{"source": "acme", "count": len(docs)}], groups
    run = ficq("count", "conversations", "--by", "source")
    assert run.returncode == 0 and "acme" in run.stdout, run
    changed = client.call("changes", since=0, resource="tags", where="source = acme", limit=1000)["rows"]
    assert len(changed) == len(sim.truth("tags"))
    report.ok("one source is a field, too")

    # -- texts --
    error = refused(client.call, "query", resource="conversations", text="order subject:refund")
    assert error.code == 8 and "column 7: 'subject:'" in str(error) and "--where" in error.data["hint"], (error, error.data)
    for text in ('"subject:refund"', "subject: refund", "10:30", "https://h/x", "note:this"):
        client.call("query", resource="conversations", text=text)
    error = refused(client.call, "query", resource="conversations", text="re*fund")
    assert error.code == 8 and "column 3" in str(error), error
    error = refused(client.call, "query", resource="conversations", text="\U0001f525")
    assert error.code == 8 and "subject ~" in str(error), error
    report.ok("a search says what its language has not")

    # -- nobody answers --
    client.close()
    daemon.stop()
    sim.stop()
    empty = os.path.join(folder, "empty")
    os.mkdir(empty)
    daemon = Daemon(empty, sim)  # noqa: F405
    started.append(daemon)

    def told():
        return daemon.call("freshness")["freshness"]["message"]
    wait_until("it is said", lambda: "cannot sync" in told(), 60)  # noqa: F405
    assert told() == "Data is stale - cannot sync: the provider cannot be reached", told()
    report.ok("who is not reached is not said to answer")
    daemon.stop()

    # -- two sources with the same ids --
    sims = []
    for name, seed in (("acme", 21), ("beta", 22)):
        os.mkdir(os.path.join(folder, name))
        sims.append(Sim(os.path.join(folder, name), "--seed", seed, "--contacts", 20, "--conversations", 60, "--rate", 0))  # noqa: F405
        started.append(sims[-1])
    two = os.path.join(folder, "two")
    os.mkdir(two)
    daemon = Daemon(two, sims[0], start=False)  # noqa: F405
    with open(daemon.config_path, "a") as f:
        f.write("\n[source beta]\nprovider = intercom\nbase_url = %s\ntoken = file:%s/token\n" % (sims[1].url, two))
    started.append(daemon)
    daemon.start()
    wait_until("both are held", lambda: all(r["coverage_ratio"] > 0.999 for s in daemon.call("status")["sources"]  # noqa: F405
                                            for r in s["resources"]), 60)
    client = daemon.client()
    names = {(row["source"], row["id"]): row["name"] for row in client.rows("admins", fields=["name"])}
    mixed = {key for source, key in names if source == "acme" and names.get(("beta", key), names[source, key]) != names[source, key]}
    assert mixed
    rows = {row["id"]: row for row in client.rows("conversations", fields=["assignee"])}

    def table(*words):
        run = ficq(*words, "-o", "table", "--wide", "--no-header")
        assert run.returncode == 0, run
        return run.stdout.splitlines()
    seen = 0
    for line in table("query", "conversations", "-n", "0", "--fields", "source,id,assignee"):
        source, key, shown = (line.split(maxsplit=2) + [""])[:3]
        who = client.call("get", resource="conversations", source=source, id=key, fields=["assignee"])["record"]["assignee"]
        assert shown.strip() == (names[source, who] if who else ""), (line, who)
        seen += who in mixed
    assert seen
    for line in table("count", "conversations", "--by", "source,assignee"):
        source, shown = line.split()[0], " ".join(line.split()[1:-1])
        assert shown in ("", "none") or shown in {name for (of, _), name in names.items() if of == source}, line
    labels = {" ".join(line.split()[:-1]) for line in table("count", "conversations", "--by", "assignee")}
    assert {row["assignee"] for row in rows.values() if row["assignee"] in mixed} <= labels, labels
    report.ok("names of two sources with the same ids are not mixed up", "%d ids" % len(mixed))
    client.close()
    daemon.stop()
    for sim in sims:
        sim.stop()
