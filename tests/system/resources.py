#!/usr/bin/env python3
"""Every resource of Intercom, in every version of its API: the cache is the truth, through changes, long tickets, lists inside contacts, the scroll
of more than 10,000 companies and articles of one second."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "every resource holds the truth",
    "changes of every kind arrive",
    "a ticket of more than 500 parts is marked, and grows",
    "lists inside contacts are whole",
    "a list that is said not to exist takes no contact with it",
    "articles of one second are all found",
    "an article that is gone is gone",
    "2.15 holds its own truth",
    "2.14 holds its own truth",
    "more than 10,000 companies come by scroll",
    "a scroll that broke begins again",
    "a scroll of somebody else is waited for",
    "no breach of the provider's rules")


def held(daemon, resource, key):
    return daemon.call("get", resource=resource, id=key).get("record")


def well(runs):
    assert all(run["outcome"] == "ok" for run in runs), [(r["resource"], r["error"]) for r in runs if r["outcome"] != "ok"]


def later(sim, seconds=10):
    sim.control("POST", "clock", {"advance_s": seconds})


def clean(sim):
    stats = sim.stats()
    assert stats["breach_total"] == 0, (stats["breaches"], stats["last_breaches"][:5])


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 21, "--contacts", 400, "--companies", 60, "--conversations", 60, "--tickets", 90,  # noqa: F405
              "--long-tickets", 1, "--articles", 320, "--unstable-ties", "--rate", 0)
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    total = compare(daemon, sim)  # noqa: F405
    report.ok("every resource holds the truth", "%d records" % total)

    for seed in (1, 2, 3):
        sim.mutate(150, seed)
        later(sim)
        well(daemon.sync())
        compare(daemon, sim)  # noqa: F405
    sim.mutate(40, 4, kinds=["new_ticket", "update_ticket"])
    later(sim)
    well(daemon.sync())
    compare(daemon, sim)  # noqa: F405
    report.ok("changes of every kind arrive")

    long_one = next(key for key, (_, doc) in sim.truth("tickets").items() if doc["ticket_id"] == "1")
    parts = list(daemon.client().rows("ticket_parts", where="parent = %s" % long_one, fields=["id"]))
    assert len(parts) >= 500 and held(daemon, "tickets", long_one)["truncated"], len(parts)
    before = len(parts)
    for seed in (5, 6):
        sim.mutate(30, seed, kinds=["grow_ticket"])
        later(sim)
        well(daemon.sync(resource="tickets"))
    parts = list(daemon.client().rows("ticket_parts", where="parent = %s" % long_one, fields=["id"]))
    assert len(parts) == before + 60 and len({row["id"] for row in parts}) == len(parts), (before, len(parts))
    assert held(daemon, "tickets", long_one)["truncated"]
    assert daemon.call("freshness", resource="tickets")["freshness"]["complete"] is False
    compare(daemon, sim, ["tickets", "ticket_parts"])  # noqa: F405
    report.ok("a ticket of more than 500 parts is marked, and grows", "%d parts" % len(parts))

    long_lists = {key: doc for key, (_, doc) in sim.truth("contacts").items()
                  if any(doc[name]["total_count"] > 10 for name in ("tags", "notes", "companies"))}
    assert len(long_lists) >= 5, len(long_lists)
    for key, doc in long_lists.items():
        record = held(daemon, "contacts", key)
        assert len(record.get("tags") or []) == doc["tags"]["total_count"], (key, record)
        assert len(record.get("companies") or []) == doc["companies"]["total_count"], (key, record)
    # A list that cannot be read is no reason to keep half a record: the contact as it was held stays.
    victim = next(iter(long_lists))
    sim.faults({"kind": "wrong_resource", "route": "/contacts/%s/" % victim},
               {"kind": "status", "status": 500, "code": "server_error", "route": "/contacts/%s/" % victim, "count": 2})
    sim.mutate(60, 7, kinds=["update_contact"])
    later(sim)
    well(daemon.sync(resource="contacts"))
    sim.no_faults()
    later(sim)
    well(daemon.sync())
    compare(daemon, sim, ["contacts"])  # noqa: F405
    report.ok("lists inside contacts are whole", "%d contacts" % len(long_lists))

    before = sim.truth("contacts")
    later(sim)
    sim.mutate(200, 100, kinds=["update_contact"])
    later(sim)
    victim = next(key for key, (_, doc) in sim.truth("contacts").items()
                  if doc["updated_at"] != before[key][1]["updated_at"]
                  and any(doc[name]["total_count"] > 10 for name in ("tags", "notes", "companies")))
    sim.faults({"kind": "status", "status": 404, "code": "not_found", "route": "/contacts/%s/" % victim, "count": 1000})
    well(daemon.sync("full", resource="contacts"))
    well(daemon.sync(resource="contacts"))
    record = held(daemon, "contacts", victim)
    assert record and not record.get("deleted"), record
    letters = daemon.call("dead")["letters"]
    assert [entry["id"] for entry in letters] == ["contacts/" + victim], letters
    # As long as one could not be read nobody can be said not to exist.
    freshness = daemon.call("freshness", resource="contacts")["freshness"]
    assert freshness["state"] == "fresh" and not freshness["complete"], freshness
    assert daemon.call("get", resource="contacts", id="zzz")["absence"]["reason"] == "not_covered"
    sim.no_faults()
    sim.restarted()
    daemon.call("dead_retry", id=letters[0]["id"])
    well(daemon.sync(resource="contacts"))
    assert daemon.call("dead")["letters"] == []
    assert daemon.call("get", resource="contacts", id="zzz")["absence"]["reason"] == "covered_absent"
    compare(daemon, sim, ["contacts"])  # noqa: F405
    report.ok("a list that is said not to exist takes no contact with it")

    later(sim, 60)
    sim.mutate(1, 8, kinds=["touch_articles"])
    later(sim)
    runs = daemon.sync(resource="articles")
    well(runs)
    assert runs[0]["calls"] > 3, runs
    compare(daemon, sim, ["articles"])  # noqa: F405
    report.ok("articles of one second are all found", "%d calls" % runs[0]["calls"])

    sim.mutate(2, 9, kinds=["delete_article"])
    later(sim)
    well(daemon.sync(resource="articles"))
    compare(daemon, sim, ["articles"])  # noqa: F405
    report.ok("an article that is gone is gone")
    clean(sim)
    daemon.stop()

    for version in ("2.15", "2.14"):
        sim.restarted()
        home = os.path.join(folder, version)
        os.mkdir(home)
        daemon = Daemon(home, sim, source_options="version = " + version)  # noqa: F405
        started.append(daemon)
        daemon.wait_settled()
        compare(daemon, sim, version=version)  # noqa: F405
        sim.mutate(60, 30, kinds=["reply", "priority", "assign", "update_contact", "update_ticket", "merge_contact"])
        later(sim)
        well(daemon.sync())
        sim.restarted()
        well(daemon.sync("full", resource="contacts"))
        well(daemon.sync())
        compare(daemon, sim, version=version)  # noqa: F405
        clean(sim)
        daemon.stop()
        report.ok("%s holds its own truth" % version)
    sim.stop()

    COMPANIES = 16000
    sim = Sim(folder, "--seed", 22, "--contacts", 24000, "--companies", COMPANIES, "--conversations", 0, "--tickets", 0,  # noqa: F405
              "--articles", 0, "--scroll-page", 1000, "--rate", 0)
    started.append(sim)
    home = os.path.join(folder, "many")
    os.mkdir(home)
    daemon = Daemon(home, sim, source_options="resources = companies\nbudget = 100%")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    truth = sim.truth("companies")
    assert len(truth) > 10000, len(truth)
    compare(daemon, sim, ["companies"])  # noqa: F405
    report.ok("more than 10,000 companies come by scroll", "%d companies, %d calls" % (len(truth), sim.stats()["calls"]))

    sim.mutate(20, 5, kinds=["update_company", "new_company"])
    sim.faults({"kind": "status", "status": 500, "code": "server_error", "route": "/companies/scroll", "after": 3, "count": 1})
    first = daemon.sync(resource="companies")
    assert first[0]["outcome"] == "failed", first
    later(sim, 61)
    wait_until("the scroll begins again", lambda: daemon.call("status")["sources"][0]["resources"][0]["last_error"] is None, 30)  # noqa: F405
    well(daemon.sync(resource="companies"))
    compare(daemon, sim, ["companies"])  # noqa: F405
    report.ok("a scroll that broke begins again", first[0]["error"][:80])

    sim.restarted()
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=60)  # noqa: F405
    headers = {"Authorization": "Bearer sim-token", "Intercom-Version": "2.16", "Accept": "application/json",
               "User-Agent": "another program"}
    connection.request("GET", "/companies/scroll", headers=headers)
    assert connection.getresponse().read()
    sim.restarted()
    first = daemon.sync(resource="companies")
    assert first[0]["outcome"] == "failed" and "scroll" in first[0]["error"], first
    later(sim, 61)
    well(daemon.sync(resource="companies"))
    compare(daemon, sim, ["companies"])  # noqa: F405
    report.ok("a scroll of somebody else is waited for", first[0]["error"][:80])
    clean(sim)
    daemon.stop()
    sim.stop()
    report.ok("no breach of the provider's rules")
