#!/usr/bin/env python3
# run-tests: beside others
"""Edits at Front: state, assignee, tags, custom fields of which all are written each time, contacts; empty answers, conflicts, lost answers."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from front import *  # noqa: E402,F403

report = Report("a conversation: state, assignee by name, tags by name",  # noqa: F405
                "custom fields: what others have set stays",
                "a contact: name and custom fields",
                "a conflict in the same field, none in another",
                "tags that come and go upstream meanwhile",
                "lost answers are not sent twice",
                "what cannot be edited is said",
                "a ticket: its status decides")

QUIET = "".join("[resource acme/%s]\nevery = 1d\n" % r for r in ("conversations", "contacts", "companies", "tags", "admins"))


def edit(client, resource, id, wait=True, **given):
    return client.call("edit", resource=resource, id=id, wait=wait, set={k.replace("__", "."): v for k, v in given.items()})


def writes(sim, path):
    return [w for w in sim.control("GET", "writes")["writes"] if path in w["path"]]


with workplace() as (folder, started):  # noqa: F405
    sim = Front(folder, "--seed", 17, "--contacts", 60, "--companies", 10, "--conversations", 60, "--rate", 6000, "--days", 20, "--no-ticketing")  # noqa: F405
    started.append(sim)
    daemon = front_daemon(folder, sim, resource_sections=QUIET)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()

    def truth(resource, id):
        return sim.truth(resource)[id][1]

    def get(resource, id):
        return client.call("get", resource=resource, id=id)["record"]

    def read_back(resource, id):
        wait_until("it is read back", lambda: "pending" not in get(resource, id))  # noqa: F405

    talks = [row["id"] for row in client.rows("conversations", where="type = conversation and state in (open, closed)")]
    talk = talks[0]
    before = get("conversations", talk)
    wanted = "closed" if before["state"] == "open" else "open"
    admin = next(a for a in client.rows("admins", where="type = user and not blocked = true") if a["id"] != before.get("assignee"))
    tag = next(t for t in client.rows("tags", where="private = false") if t["name"] not in (before.get("tags") or []))
    e = edit(client, "conversations", talk, state=wanted, assignee=admin["email"], tags=tag["id"])
    assert e["state"] == "pushed", (e, writes(sim, talk)[:6], truth("conversations", talk)["tags"])
    read_back("conversations", talk)
    row = get("conversations", talk)
    assert row["state"] == wanted and row["assignee"] == admin["id"] and row["tags"] == [tag["name"]], row
    assert {w["status"] for w in writes(sim, talk)} == {204} and {w["same_before"] for w in writes(sim, talk)} == {0}
    assert same_json(row["doc"]["assignee"], truth("conversations", talk)["assignee"])  # noqa: F405
    e = edit(client, "conversations", talk, assignee="none", tags="", state="trashed")
    read_back("conversations", talk)
    row = get("conversations", talk)
    assert e["state"] == "pushed" and row["state"] == "trashed" and "assignee" not in row and not row.get("tags"), row
    report.ok("a conversation: state, assignee by name, tags by name")

    with_fields = [(key, doc) for key, (_, doc) in sorted(sim.truth("conversations").items()) if len(doc.get("custom_fields") or {}) > 1 and key != talk]
    key, doc = with_fields[0]
    names = sorted(n for n, v in doc["custom_fields"].items() if isinstance(v, str)) or sorted(doc["custom_fields"])
    name = names[0]
    others = {n: v for n, v in doc["custom_fields"].items() if n != name}
    e = client.call("edit", resource="conversations", id=key, set={"custom_fields." + name: doc["custom_fields"][name]}, wait=True)
    assert e["unchanged"], e
    other = sorted(others)[0]
    values = {n: v for _, d in with_fields for n, v in d["custom_fields"].items() if n == name and v != doc["custom_fields"][name]}
    if values:
        e = client.call("edit", resource="conversations", id=key, set={"custom_fields." + name: values[name]}, wait=True)
        assert e["state"] == "pushed", e
        after = truth("conversations", key)["custom_fields"]
        assert after[name] == values[name] and {n: v for n, v in after.items() if n != name} == others, (after, others)
        read_back("conversations", key)
    report.ok("custom fields: what others have set stays")

    contact = sorted(sim.truth("contacts"))[0]
    e = edit(client, "contacts", contact, name="Grace Hopper", description="Said so herself")
    assert e["state"] == "pushed" and truth("contacts", contact)["name"] == "Grace Hopper", e
    read_back("contacts", contact)
    assert same_json(get("contacts", contact)["doc"], truth("contacts", contact))  # noqa: F405
    report.ok("a contact: name and custom fields")

    sim.control("POST", "edit", {"resource": "contacts", "id": contact, "set": {"name": "Somebody Else"}})
    e = edit(client, "contacts", contact, name="Mine")
    assert e["state"] == "conflict" and e["theirs"]["name"] == "Somebody Else" and truth("contacts", contact)["name"] == "Somebody Else", e
    client.call("edit_resolve", id=e["id"], resolution="mine")
    wait_until("it is pushed", lambda: client.call("edits", id=e["id"])["edits"][0]["state"] == "pushed")  # noqa: F405
    assert truth("contacts", contact)["name"] == "Mine"
    sim.control("POST", "edit", {"resource": "contacts", "id": contact, "set": {"name": "Upstream again"}})
    e = edit(client, "contacts", contact, description="Other field")
    assert e["state"] == "pushed" and truth("contacts", contact)["name"] == "Upstream again" and truth("contacts", contact)["description"] == "Other field"
    report.ok("a conflict in the same field, none in another")

    talk = talks[1]
    held = get("conversations", talk)
    tags = [t for t in client.rows("tags", where="private = false") if t["name"] not in (held.get("tags") or [])][:2]
    ids = [t["id"] for t in held["doc"]["tags"]]
    sim.control("POST", "edit", {"resource": "conversations", "id": talk, "set": {"tag_ids": ids + [tags[0]["id"]]}})
    e = client.call("edit", resource="conversations", id=talk, set={"tags": ids + [tags[1]["id"]]}, wait=True)
    assert e["state"] == "conflict" and tags[0]["id"] in e["theirs"]["tags"], e
    client.call("edit_resolve", id=e["id"], resolution="theirs")
    assert sorted(t["id"] for t in truth("conversations", talk)["tags"]) == sorted(ids + [tags[0]["id"]])
    report.ok("tags that come and go upstream meanwhile")

    for n, (kind, acts) in enumerate([(k, a) for k in ({"kind": "status", "status": 503}, {"kind": "reset"}) for a in (True, False)]):
        talk = talks[4 + n]
        wanted = "closed" if get("conversations", talk)["state"] == "open" else "open"
        sim.no_faults()
        sim.faults(dict(kind, route="/conversations/" + talk, method="PATCH", count=1, acts=acts))
        e = edit(client, "conversations", talk, state=wanted)
        assert e["state"] == "pushed" and e["attempts"] == 1, e
        assert len(writes(sim, talk)) == 1, writes(sim, talk)
    report.ok("lost answers are not sent twice")

    for given, words in (({"subject": "x"}, "cannot be edited here; what can: assignee, state, ticket_status, tags, custom_fields.NAME"), ({"state": "snoozed"}, "one of open, closed, trashed"),
                         ({"stat": "open"}, "did you mean 'state'"), ({"assignee": "Nobody Known"}, "none of the admins")):
        try:
            client.call("edit", resource="conversations", id=talks[2], set=given)
            raise AssertionError(given)
        except RpcError as error:  # noqa: F405
            assert words in str(error), (words, str(error))
    assert not any(sim.breaches().values()), sim.breaches()
    report.ok("what cannot be edited is said")
    daemon.stop()

with workplace() as (folder, started):  # noqa: F405
    sim = Front(folder, "--seed", 18, "--contacts", 20, "--companies", 3, "--conversations", 40, "--rate", 6000, "--days", 20)  # noqa: F405
    started.append(sim)
    daemon = front_daemon(folder, sim, resource_sections=QUIET)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()
    rows = list(client.rows("conversations", fields=["ticket_status", "state"]))
    ticket = next(r for r in rows if r["state"] == "open")
    closed = next(r for r in rows if r["state"] == "closed")
    try:
        edit(client, "conversations", ticket["id"], state="closed")
        raise AssertionError("a ticket's state")
    except RpcError as error:  # noqa: F405
        assert "ticket_status" in str(error), str(error)
    e = edit(client, "conversations", ticket["id"], ticket_status=closed["ticket_status"])
    assert e["state"] == "pushed", e
    wait_until("it is read back", lambda: client.call("get", resource="conversations", id=ticket["id"])["record"]["state"] == "closed")  # noqa: F405
    report.ok("a ticket: its status decides")
    daemon.stop()
