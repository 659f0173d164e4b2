#!/usr/bin/env python3
# run-tests: beside others
"""Edits end to end: taken in durably, shown at once, pushed once, across conflicts, lost answers, kills and refusals."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("a contact's custom attribute: pending at once, pushed, then as the provider has it",  # noqa: F405
                "a conversation is closed, assigned and tagged by one edit")

QUIET = "".join("[resource acme/%s]\nevery = 1d\n" % r for r in ("conversations", "contacts", "companies", "tickets", "tags"))


def writes(sim, path):
    return [w for w in sim.control("GET", "writes")["writes"] if path in w["path"]]


def edit(client, resource, id, wait=True, **fields):
    return client.call("edit", resource=resource, id=id, wait=wait, set={k.replace("__", "."): v for k, v in fields.items()})


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 61, "--contacts", 60, "--companies", 5, "--conversations", 80, "--rate", 0, "--days", 40)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, resource_sections=QUIET)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()

    contact = sorted(sim.truth("contacts"))[0]
    print(client.call("get", resource="contacts", id=contact)["record"]["doc"]["custom_attributes"])
    e = edit(client, "contacts", contact, wait=False, phone="+15550001")
    print(e)
    r = client.call("get", resource="contacts", id=contact)["record"]
    print(r.get("pending"), r["phone"])
    time.sleep(3)
    print(client.call("edits", all=True))
    print(client.call("get", resource="contacts", id=contact)["record"].get("pending"))
    print(sim.control("GET", "writes"))
    conv = sorted(sim.truth("conversations"))[0]
    r = client.call("get", resource="conversations", id=conv)["record"]
    print(r["state"], r.get("assignee"), r.get("tags"))
    admin = list(client.rows("admins"))[0]
    tags = list(client.rows("tags"))
    e = edit(client, "conversations", conv, state="closed" if r["state"] != "closed" else "open", assignee=admin["email"], tags=[tags[0]["name"], tags[1]["id"]])
    print(e)
    print(client.call("status")["sources"][0]["edits"], client.call("runs", limit=8)["runs"])
    print(writes(sim, conv))
