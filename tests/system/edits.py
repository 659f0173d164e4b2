#!/usr/bin/env python3
# run-tests: beside others
"""Edits end to end: taken in durably, shown at once, pushed once, across conflicts, lost answers, kills and refusals."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from webclient import Web  # noqa: E402

report = Report("a contact: pending at once, pushed, then as the provider has it",  # noqa: F405
                "a conversation is opened or closed, assigned by name and tagged by one edit",
                "custom attributes: of their type, by the workspace's list; what cannot be is refused with what to do",
                "an edit on an old state is a conflict, and so is one whose record has changed",
                "a conflict is resolved: mine, theirs",
                "changes in other fields go together",
                "questions see edits at once: where, sort, groups, totals, pages",
                "lost answers, 5xx and resets: nothing is sent twice",
                "killed at any moment: nothing is lost, nothing is sent twice",
                "what the provider refuses fails visibly, and is tried again when somebody says so",
                "taken later (202): the edit is shown until the provider shows it",
                "only who may write may edit: socket and HTTP; anybody may list",
                "the audit trail says who asked what; status and metrics count",
                "a damaged outbox is set aside and reported")

QUIET = "".join("[resource acme/%s]\nevery = 1d\n" % r for r in ("conversations", "contacts", "companies", "tickets", "tags"))


def writes(sim, path):
    return [w for w in sim.control("GET", "writes")["writes"] if path in w["path"]]


def fields(**given):
    return {k.replace("__", "."): v for k, v in given.items()}


def edit(client, resource, id, wait=True, **given):
    return client.call("edit", resource=resource, id=id, wait=wait, set=fields(**given))


def ficq(daemon, *args):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,  # noqa: F405
                          stdin=subprocess.DEVNULL, timeout=60, text=True)


def refused(client, method, **params):
    try:
        answer = client.call(method, **params)
    except RpcError as e:  # noqa: F405
        return e
    raise AssertionError((method, params, answer))


def state_of(client, id):
    return client.call("edits", id=id)["edits"][0]


def until(client, id, state):
    try:
        return wait_until("edit %d is %s" % (id, state), lambda: (lambda e: e["state"] == state and e)(state_of(client, id)), 30)  # noqa: F405
    except AssertionError:
        raise AssertionError(state_of(client, id))


def get(client, resource, id):
    return client.call("get", resource=resource, id=id)["record"]


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 61, "--contacts", 120, "--companies", 5, "--conversations", 150, "--rate", 0, "--days", 40)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, resource_sections=QUIET)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()
    contacts = sorted(sim.truth("contacts"))
    conversations = sorted(sim.truth("conversations"))
    truth = lambda resource, id: sim.truth(resource)[id][1]  # noqa: E731

    one = contacts[0]
    sim.faults({"route": "/contacts", "kind": "slow", "delay_ms": 300, "count": 1})
    e = edit(client, "contacts", one, wait=False, phone="+15550001", name="Ada Lovelace")
    assert e["state"] == "pending" and e["set"] == {"phone": "+15550001", "name": "Ada Lovelace"} and "uid" in e["who"], e
    record = get(client, "contacts", one)
    assert record["pending"] is True and record["phone"] == "+15550001" and record["doc"]["name"] == "Ada Lovelace", record
    assert truth("contacts", one)["phone"] != "+15550001"
    until(client, e["id"], "pushed")
    wait_until("it is read back", lambda: "pending" not in get(client, "contacts", one))  # noqa: F405
    assert same_json(get(client, "contacts", one)["doc"], truth("contacts", one)) and truth("contacts", one)["name"] == "Ada Lovelace"  # noqa: F405
    assert [w["body"] for w in writes(sim, one)] == [{"phone": "+15550001", "name": "Ada Lovelace"}]
    again = edit(client, "contacts", one, phone="+15550001")
    assert again["id"] is None and again["unchanged"], again
    report.ok("a contact: pending at once, pushed, then as the provider has it")

    talk = conversations[0]
    before = get(client, "conversations", talk)
    wanted = "closed" if before["state"] != "closed" else "open"
    admin = next(a for a in client.rows("admins") if a["id"] != before.get("assignee"))
    tags = list(client.rows("tags"))[:2]
    e = edit(client, "conversations", talk, state=wanted, assignee=admin["name"].lower(), tags=[tags[0]["name"], tags[1]["id"]])
    assert e["state"] == "pushed" and e["set"]["assignee"] == admin["id"], e
    doc = truth("conversations", talk)
    assert doc["state"] == wanted and str(doc["admin_assignee_id"]) == admin["id"], doc
    assert sorted(t["id"] for t in doc["tags"]["tags"]) == sorted(t["id"] for t in tags)
    assert [(w["method"], w["same_before"]) for w in writes(sim, talk)] == [("POST", 0)] * 4, writes(sim, talk)
    wait_until("it is read back", lambda: "pending" not in get(client, "conversations", talk))  # noqa: F405
    e = edit(client, "conversations", talk, tags="", assignee="none")
    assert e["state"] == "pushed" and truth("conversations", talk)["tags"]["tags"] == [] and not truth("conversations", talk)["admin_assignee_id"]
    later = int(time.time()) + 86400
    e = edit(client, "conversations", talk, snoozed_until=later)
    doc = truth("conversations", talk)
    assert e["state"] == "pushed" and doc["state"] == "snoozed" and doc["snoozed_until"] == later, doc
    report.ok("a conversation is opened or closed, assigned by name and tagged by one edit")

    attributes = {a["name"]: a for a in client.rows("data_attributes", fields=["doc", "name", "model", "type"])
                  if a["model"] == "contact" and a["doc"].get("custom")}
    numeric = next(n for n, a in attributes.items() if a["type"] == "integer")
    e = client.call("edit", resource="contacts", id=one, set={"custom_attributes." + numeric: "42"}, wait=True)
    assert e["state"] == "pushed" and truth("contacts", one)["custom_attributes"][numeric] == 42, e
    wait_until("it is read back", lambda: get(client, "contacts", one)["doc"]["custom_attributes"][numeric] == 42)  # noqa: F405
    for resource, given, words in [("contacts", {"custom_attributes." + numeric: "many"}, "whole number"),
                                   ("contacts", {"custom_attributes." + numeric[:-1] + "x": 1}, "did you mean"),
                                   ("contacts", {"phon": "1"}, "did you mean 'phone'"), ("contacts", {"last_seen": 1}, "what can"),
                                   ("contacts", {"email": None}, "cannot be emptied"), ("contacts", {"role": "boss"}, "one of user, lead"),
                                   ("conversations", {"priority": "high"}, "2.16"), ("conversations", {"state": "snoozed"}, "until when"),
                                   ("conversations", {"assignee": "Nobody At All"}, "none of the admins"), ("conversations", {"read": "perhaps"}, "true or false"),
                                   ("tickets", {"title": "x"}, "cannot be edited"), ("contacts", {}, "names no field")]:
        record = next(iter(client.rows(resource)))["id"] if resource != "contacts" else one
        error = refused(client, "edit", resource=resource, id=record, set=given)
        assert error.code == -32602 and words in str(error), (given, str(error))
    error = refused(client, "edit", resource="contacts", id="6ab000000000000000000000", set={"name": "x"})
    assert error.code == 1 and "not held" in str(error)
    ran = ficq(daemon, "fields", "contacts", "--json")
    editable = {f["name"] for f in next(r for r in json.loads(ran.stdout)["resources"] if r["name"] == "contacts")["fields"] if f["editable"]}
    assert editable == {"name", "email", "phone", "role", "external_id", "owner"}, editable
    report.ok("custom attributes: of their type, by the workspace's list; what cannot be is refused with what to do")

    two = contacts[1]
    seen = get(client, "contacts", two)["updated"]
    error = refused(client, "edit", resource="contacts", id=two, set={"name": "x"}, expect_updated="2020-01-01T00:00:00Z")
    assert error.code == 2 and "updated since" in str(error)
    sim.control("POST", "edit", {"resource": "contacts", "id": two, "set": {"name": "Theirs", "phone": "+15559999"}})
    e = client.call("edit", resource="contacts", id=two, set={"name": "Mine"}, expect_updated=seen, wait=True)
    assert e["state"] == "conflict" and e["theirs"] == {"name": "Theirs"} and e["set"] == {"name": "Mine"} and e["base"]["name"] != "Theirs", e
    assert truth("contacts", two)["name"] == "Theirs" and not writes(sim, two)
    wait_until("what is upstream is shown", lambda: get(client, "contacts", two)["name"] == "Theirs")  # noqa: F405
    assert "pending" not in get(client, "contacts", two)
    listed = json.loads(ficq(daemon, "edits", "--conflicts", "--json").stdout)["edits"]
    assert [x["id"] for x in listed] == [e["id"]], listed
    ran = ficq(daemon, "edits", "--wide")
    assert ran.returncode == 0 and "conflict" in ran.stdout and "Theirs" in ran.stdout, ran
    report.ok("an edit on an old state is a conflict, and so is one whose record has changed")

    ran = ficq(daemon, "resolve", str(e["id"]), "mine")
    assert ran.returncode == 0, ran
    until(client, e["id"], "pushed")
    assert truth("contacts", two)["name"] == "Mine" and truth("contacts", two)["phone"] == "+15559999"
    sim.control("POST", "edit", {"resource": "contacts", "id": two, "set": {"name": "Theirs again"}})
    ran = ficq(daemon, "edit", "contacts", two, "name=Mine again", "--wait")
    assert ran.returncode == 4 and "conflict" in ran.stdout, ran
    number = client.call("edits", state="conflict")["edits"][0]["id"]
    client.call("edit_resolve", id=number, resolution="theirs")
    assert state_of(client, number)["state"] == "dropped" and truth("contacts", two)["name"] == "Theirs again"
    assert client.call("edits")["edits"] == [] or all(x["state"] == "pushed" for x in client.call("edits")["edits"])
    assert refused(client, "edit_resolve", id=number, resolution="mine").code == -32602
    assert refused(client, "edit_resolve", id=99999, resolution="mine").code == 1
    report.ok("a conflict is resolved: mine, theirs")

    three = contacts[2]
    sim.control("POST", "edit", {"resource": "contacts", "id": three, "set": {"name": "New name upstream"}})
    e = edit(client, "contacts", three, phone="+15550003")
    assert e["state"] == "pushed" and truth("contacts", three)["name"] == "New name upstream" and truth("contacts", three)["phone"] == "+15550003"
    report.ok("changes in other fields go together")

    # Nothing is pushed meanwhile: the provider is slow.
    sim.faults({"route": "/conversations", "kind": "status", "status": 500}, {"route": "/contacts", "kind": "status", "status": 500})
    target = next(c for c in conversations[5:] if get(client, "conversations", c)["state"] == "open")
    ask = dict(resource="conversations", where="state = closed", total=True)
    count = client.call("query", **ask)["total"]
    groups = {g["state"]: g["count"] for g in client.call("aggregate", resource="conversations", group_by=["state"])["groups"]}
    e = edit(client, "conversations", target, wait=False, state="closed", subject="Zebra crossing")
    answer = client.call("query", limit=1000, **ask)
    row = next(r for r in answer["rows"] if r["id"] == target)
    assert answer["total"] == count + 1 == len(answer["rows"]) and row["pending"] and row["state"] == "closed" and row["subject"] == "Zebra crossing"
    assert target not in {r["id"] for r in client.rows("conversations", where="state = open")}
    found = {g["state"]: g["count"] for g in client.call("aggregate", resource="conversations", group_by=["state"])["groups"]}
    assert found["closed"] == groups["closed"] + 1 and found["open"] == groups["open"] - 1, (groups, found)
    assert client.call("query", resource="conversations", sort="-subject", limit=1)["rows"][0]["id"] == target
    assert next(iter(client.rows("conversations", where="subject = 'Zebra crossing'", fields=["subject"])))["id"] == target
    rows = []
    page = client.call("query", limit=7, **ask)
    while True:
        rows += [r["id"] for r in page["rows"]]
        if not page["next_cursor"]:
            break
        page = client.call("query", limit=7, cursor=page["next_cursor"], **ask)
    assert len(rows) == len(set(rows)) == count + 1 and client.call("thread", id=target)["conversation"]["pending"]
    # A sync that reads the old state does not put the edit aside.
    sim.no_faults()
    sim.faults({"route": "/conversations/" + target, "method": "PUT", "kind": "status", "status": 503, "count": 2},
               {"route": "/conversations/" + target + "/parts", "kind": "status", "status": 503, "count": 1})
    client.call("sync", resource="conversations", ids=[target], wait=True)
    assert get(client, "conversations", target)["subject"] == "Zebra crossing"
    until(client, e["id"], "pushed")
    assert truth("conversations", target)["state"] == "closed" and truth("conversations", target)["title"] == "Zebra crossing"
    report.ok("questions see edits at once: where, sort, groups, totals, pages")

    made = 0
    for kind in ({"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "status", "status": 500}, {"kind": "html200"}):
        for acts in (True, False):
            target = conversations[10 + made]
            doc = truth("conversations", target)
            wanted = "open" if doc["state"] != "open" else "closed"
            sim.no_faults()
            sim.faults(dict(kind, route="/conversations/" + target + "/parts", count=1, acts=acts))
            e = edit(client, "conversations", target, state=wanted)
            assert e["state"] == "pushed" and e["attempts"] == 1, (kind, acts, e)
            assert truth("conversations", target)["state"] == wanted
            assert len([w for w in writes(sim, target) if w["path"].endswith("/parts")]) == 1, (kind, acts, writes(sim, target))
            made += 1
    sim.no_faults()
    report.ok("lost answers, 5xx and resets: nothing is sent twice")

    edits = {}
    for n in range(12):
        target = conversations[30 + n]
        doc = truth("conversations", target)
        sim.no_faults()
        sim.faults({"kind": "slow", "delay_ms": 20 * (n % 4), "route": "/conversations/" + target})
        e = edit(client, "conversations", target, wait=False, state="open" if doc["state"] != "open" else "closed")
        edits[target] = e
        time.sleep(0.013 * n)
        daemon.kill()
        daemon.start()
        client = daemon.client()
    sim.no_faults()
    for target, e in edits.items():
        done = wait_until("edit %d ends" % e["id"], lambda: (lambda x: x["state"] in ("pushed", "conflict") and x)(state_of(client, e["id"])), 60)  # noqa: F405
        sent = [w for w in writes(sim, target) if w["path"].endswith("/parts")]
        assert len(sent) == 1 and truth("conversations", target)["state"] == e["set"]["state"], (done, sent)
        assert done["state"] == "pushed", done
    report.ok("killed at any moment: nothing is lost, nothing is sent twice")

    four, five = contacts[4], contacts[5]
    taken = truth("contacts", five)["email"]
    e = edit(client, "contacts", four, email=taken)
    assert e["state"] == "failed" and "409" in e["error"], e
    assert "pending" not in get(client, "contacts", four) and get(client, "contacts", four).get("email") != taken
    sim.faults({"route": "/contacts/" + four, "method": "PUT", "kind": "status", "status": 400, "count": 1})
    e = edit(client, "contacts", four, name="Refused once")
    assert e["state"] == "failed" and "refuses" in e["error"], e
    client.call("edit_resolve", id=e["id"], resolution="mine")
    until(client, e["id"], "pushed")
    assert truth("contacts", four)["name"] == "Refused once"
    client.call("edit_resolve", id=next(x["id"] for x in client.call("edits", state="failed")["edits"]), resolution="theirs")
    report.ok("what the provider refuses fails visibly, and is tried again when somebody says so")

    daemon.stop()
    sim.stop()
    started.remove(sim)
    sim = Sim(folder, "--seed", 61, "--contacts", 120, "--companies", 5, "--conversations", 150, "--rate", 0, "--days", 40, "--write-lag", 3)  # noqa: F405
    started.append(sim)
    with open(daemon.config_path) as f:
        config = f.read()
    with open(daemon.config_path, "w") as f:
        f.write("\n".join(("base_url = " + sim.url) if line.startswith("base_url") else line for line in config.split("\n"))
                .replace("[ficd]\n", "[ficd]\nhttp = %s/http.sock\n" % folder))
    daemon.sim = sim
    daemon.start()
    client = daemon.client()
    six = contacts[6]
    e = edit(client, "contacts", six, name="Late Riser")
    assert e["state"] == "pushed" and not e["shown"], e
    assert get(client, "contacts", six)["name"] == "Late Riser" and get(client, "contacts", six)["pending"] and truth("contacts", six)["name"] != "Late Riser"
    wait_until("it is read back", lambda: state_of(client, e["id"])["shown"], 30)  # noqa: F405
    assert "pending" not in get(client, "contacts", six) and truth("contacts", six)["name"] == "Late Riser" and len(writes(sim, six)) == 1
    report.ok("taken later (202): the edit is shown until the provider shows it")

    text = open(daemon.config_path).read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("[ficd]\n", "[ficd]\nallow_write = uid:54321\n"))
    assert client.call("reload") is not None
    asks = [("edit", dict(resource="contacts", id=six, set={"name": "x"})), ("edit_resolve", dict(id=1, resolution="mine"))]
    for method, params in asks:
        status, answer = Web(folder + "/http.sock").rpc(method, **params)
        assert status == 403 and answer["error"]["code"] == 5, answer
    if os.geteuid() == 0:  # root, and the daemon's own user, may always write
        os.chmod(folder, 0o711)
        os.chmod(daemon.socket_path, 0o666)
        os.seteuid(65534)
        try:
            other = daemon.client()
        finally:
            os.seteuid(0)
        for method, params in asks:
            error = refused(other, method, **params)
            assert error.code == 5 and "allow_write" in error.data["hint"], error
        assert other.call("edits", all=True)["edits"]
        other.close()
    report.ok("only who may write may edit: socket and HTTP; anybody may list")

    runs = [r for r in client.call("runs", limit=500)["runs"] if r["kind"] == "edit"]
    assert {r["outcome"] for r in runs} >= {"asked", "pushed", "conflict", "failed", "mine", "theirs"}, {r["outcome"] for r in runs}
    assert all("uid" in r["who"] and r["record"] and r["fields"] and "set" not in r for r in runs)
    counts = client.call("status", source="acme")["sources"][0]["edits"]
    assert counts["pending"] == 0 and counts["conflicts"] == 0 and counts["damaged_files"] == 0, counts
    ran = ficq(daemon, "runs")
    assert ran.returncode == 0 and "edit" in ran.stdout, ran
    metrics = Web(folder + "/http.sock").request("GET", "/metrics")[1].decode()
    assert 'ficd_edits{source="acme",result="pushed"}' in metrics, metrics[-500:]
    report.ok("the audit trail says who asked what; status and metrics count")

    daemon.stop()
    outbox = os.path.join(folder, "state", "acme", "outbox")
    check = lambda: subprocess.run([program("ficd"), "--config", daemon.config_path, "--check-store"], stdout=subprocess.PIPE, timeout=60, text=True)  # noqa: E731,F405
    ran = check()
    assert ran.returncode in (0, 2) and "outbox" not in ran.stdout, ran
    name = next(n for n in os.listdir(outbox) if n.endswith(".log"))
    with open(os.path.join(outbox, name), "r+b") as f:
        f.seek(40)
        byte = f.read(1)[0]
        f.seek(40)
        f.write(bytes([byte ^ 1]))
    ran = check()
    assert ran.returncode == 1 and "set aside" in ran.stdout and "outbox" in ran.stdout, ran
    daemon.start()
    wait_until("the damaged file lies beside", lambda: any(n.endswith(".bad") for n in os.listdir(outbox)))  # noqa: F405
    assert daemon.call("status")["sources"][0]["edits"]["damaged_files"] == 1
    assert "set aside" in ficq(daemon, "status").stdout and "is damaged" in daemon.log_text()
    report.ok("a damaged outbox is set aside and reported")
    daemon.stop()
