#!/usr/bin/env python3
# run-tests: beside others
"""The provider's traps, each switched on in the simulator by itself: in the end the cache is the truth, and nothing was claimed before it was so.
The table of tests/README.md says which trap is which."""
import calendar
import email.utils
import http.client
import http.server
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

SMALL = ("--contacts", 120, "--companies", 30, "--conversations", 90, "--tickets", 20, "--articles", 10, "--rate", 0)
NOW = 1760000400  # a Thursday, 09:00 UTC

report = Report(  # noqa: F405
    "a thread of more than 500 parts grows (counts of what is shown)",
    "a thread of more than 500 parts grows (counts of all)",
    "contacts are searched by days: Auckland",
    "contacts are searched by days: Kolkata",
    "contacts are searched by days: Los Angeles",
    "what search shows late is not lost",
    "what search shows late of the day before is not lost",
    "bounds that include",
    "a search that is not sorted proves nothing before its end",
    "a world that moves while it is read",
    "several changes in one second",
    "merged conversations give their parts to others, converted ones are tickets",
    "many things of one name, and names that change",
    "who wrote it: people, teams, bots and the AI agent are kept apart",
    "counts that are only about right",
    "counts that are too high, too low, none at all",
    "articles of one second, and no count to tell how many",
    "what is created while a list is asked for hides nothing that it misses",
    "what goes while a list is read hides nothing that it misses",
    "readings that each miss another one delete nothing",
    "a list that is cut is not taken for all of it",
    "a list that is cut deletes nothing",
    "a list whose pages slide is left",
    "a list that shows a part of its records once deletes nothing",
    "an empty list deletes nothing",
    "archived contacts stay, and are no sign of a list that is cut",
    "what a plan does not allow is not held to be empty",
    "one call too many for each window, never",
    "times as milliseconds and as text",
    "next pages that lead elsewhere are not followed")


def later(sim, seconds=10):
    sim.control("POST", "clock", {"advance_s": seconds})


def well(runs):
    assert all(run["outcome"] == "ok" for run in runs), [(r["resource"], r["error"]) for r in runs if r["outcome"] != "ok"]


def clean(sim):
    stats = sim.stats()
    assert stats["breach_total"] == 0, (stats["breaches"], stats["last_breaches"][:5])


def record_of(daemon, resource, key):
    return daemon.call("get", resource=resource, id=key)["record"]


def coverage(daemon, resource):
    status = daemon.call("status")["sources"][0]["resources"]
    return [r for r in status if r["name"] == resource][0]


class World:
    """A simulator with its options and a daemon on it, both ended."""

    def __init__(self, *options, settle=True, source_options="", base=SMALL, breaches=True, faults=(), unproven=()):
        self.options, self.settle, self.source_options, self.base, self.breaches = \
            options, settle, source_options, base, breaches
        self.faults, self.unproven = faults, unproven

    def __enter__(self):
        self.place = workplace()  # noqa: F405
        self.folder, self.started = self.place.__enter__()
        self.sim = Sim(self.folder, *self.base, *self.options)  # noqa: F405
        self.started.append(self.sim)
        self.sim.faults(*self.faults)
        self.daemon = Daemon(self.folder, self.sim, source_options=self.source_options)  # noqa: F405
        self.started.append(self.daemon)
        if self.settle:
            self.daemon.wait_settled(unproven=self.unproven)
        return self.sim, self.daemon

    def __exit__(self, *why):
        if why[0] is None:
            if self.breaches:
                clean(self.sim)
            self.daemon.stop()
            self.sim.stop()
        return self.place.__exit__(*why)


def growing(name, *options):
    with World("--long-threads", 1, *options) as (sim, daemon):
        truth = sim.truth("messages")
        counts = {}
        for parent, _ in truth.values():
            counts[parent] = counts.get(parent, 0) + 1
        longest = max(counts, key=counts.get)
        assert counts[longest] == 501, counts[longest]
        client = daemon.client()

        def parts():
            return {row["id"] for row in client.rows("messages", where="parent = " + longest, fields=["id"])}
        first = parts()
        assert len(first) == 501 and client.call("get", resource="conversations", id=longest)["record"]["truncated"]
        for seed in (1, 2, 3):
            sim.mutate(20, seed, kinds=["reply", "note"], conversation=longest)
            later(sim)
            well(daemon.sync(resource="conversations"))
        grown = parts()
        assert first < grown and len(grown) == 561, len(grown)
        assert client.call("get", resource="conversations", id=longest)["record"]["truncated"]
        assert client.call("freshness", resource="messages")["freshness"]["complete"] is False
        compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
        report.ok(name, "%d parts" % len(grown))


growing(report.names[0])
growing(report.names[1], "--parts-total", "all")

for zone in ("Pacific/Auckland", "Asia/Kolkata", "America/Los_Angeles"):
    with World("--timezone", zone, "--now", NOW, "--clock", "frozen") as (sim, daemon):
        # Every two hours for three days: midnights of the workspace and of the world are among them.
        for hours in range(0, 72, 2):
            sim.mutate(2, hours + 1, kinds=["update_contact", "new_contact"])
            later(sim, 7200)
            well(daemon.sync(resource="contacts"))
            if hours % 6 == 0:
                compare(daemon, sim, ["contacts"])  # noqa: F405
        compare(daemon, sim, ["contacts"])  # noqa: F405
        calls = daemon.sync(resource="contacts")[0]["calls"]
        assert calls <= 2, calls
        report.ok("contacts are searched by days: " + zone.split("/")[1].replace("_", " "))

with World("--search-lag", 240) as (sim, daemon):
    for seed in (1, 2, 3):
        sim.mutate(60, seed, kinds=["new_contact", "new_conversation", "reply", "update_ticket", "new_ticket"])
        later(sim, 100)
        well(daemon.sync())
    later(sim, 241)
    well(daemon.sync())
    compare(daemon, sim)  # noqa: F405
    report.ok("what search shows late is not lost")

# Contacts are searched by days, so that the look-back only shows at midnight.
with World("--search-lag", 240, "--timezone", "UTC", "--now", NOW - NOW % 86400 + 86280, "--clock", "frozen") as (sim, daemon):
    sim.mutate(20, 1, kinds=["new_contact", "update_contact"])
    for seconds in (60, 100, 100):
        later(sim, seconds)
        well(daemon.sync(resource="contacts"))
    compare(daemon, sim, ["contacts"])  # noqa: F405
    report.ok("what search shows late of the day before is not lost")

with World("--inclusive-bounds") as (sim, daemon):
    for seed in (1, 2):
        sim.mutate(60, seed)
        later(sim)
        well(daemon.sync())
    compare(daemon, sim)  # noqa: F405
    report.ok("bounds that include")

with World(settle=False, source_options="resources = conversations", breaches=False) as (sim, daemon):
    # It was started on a world of 90: the order fails from now on, whichever page comes.
    daemon.stop()
    shutil.rmtree(os.path.join(daemon.folder, "state"))  # noqa: F405
    sim.restarted()
    sim.faults({"kind": "unsorted", "route": "/conversations/search"}, )
    daemon.start()
    daemon.sync(resource="conversations")
    held = coverage(daemon, "conversations")
    if held["coverage_ratio"] > 0.99:
        compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
    sim.no_faults()
    sim.restarted()
    later(sim)
    daemon.wait_settled()
    compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
    report.ok("a search that is not sorted proves nothing before its end")

with World("--latency-ms", 4, settle=False, breaches=False,
           base=("--contacts", 900, "--companies", 200, "--conversations", 400, "--tickets", 60, "--articles", 40, "--rate", 0)
           ) as (sim, daemon):
    for seed in range(12):
        sim.mutate(25, seed)
        later(sim, 3)
        time.sleep(0.15)  # the reading goes on meanwhile
    daemon.wait_settled()
    later(sim)
    sim.restarted()
    well(daemon.sync())
    later(sim)
    well(daemon.sync("full", resource="contacts"))
    well(daemon.sync())
    compare(daemon, sim)  # noqa: F405
    report.ok("a world that moves while it is read")

with World("--now", NOW, "--clock", "frozen") as (sim, daemon):
    sim.mutate(40, 1, kinds=["reply", "update_contact", "update_ticket", "state"])
    well(daemon.sync())
    sim.mutate(40, 2, kinds=["reply", "update_contact", "update_ticket", "redact"])
    well(daemon.sync())
    later(sim)
    well(daemon.sync())
    compare(daemon, sim)  # noqa: F405
    report.ok("several changes in one second")

# A merge takes what was said out of one conversation. Some of it is found in the other one under its id, some under a new one.
with World() as (sim, daemon):
    shown = {key: parent for key, (parent, _) in sim.truth("messages").items()}
    for seed in range(1, 7):
        sim.mutate(16, seed, kinds=["merge_conversation", "reply"])
        later(sim)
        well(daemon.sync(resource="conversations"))
        compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
    now = {key: parent for key, (parent, _) in sim.truth("messages").items()}
    moved = [key for key in shown.keys() & now.keys() if shown[key] != now[key]]
    gone = shown.keys() - now.keys()
    assert len(moved) > 20 and len(gone) > 20, (len(moved), len(gone))
    absence = daemon.call("get", resource="messages", id=min(gone))["absence"]
    assert absence["reason"] == "deleted", absence
    # A conversion is in no feed: the ticket comes with the next changes run, the conversation goes with a verify run.
    converted = {change["id"] for change in sim.mutate(4, 9, kinds=["convert_conversation"])["changes"] if change["resource"] == "conversations"}
    later(sim)
    well(daemon.sync())
    compare(daemon, sim, ["tickets", "ticket_parts"])  # noqa: F405
    later(sim)
    sim.restarted()
    runs = daemon.sync("verify", resource="conversations", since="2020-01-01", until="now")
    well(runs)
    assert runs[0]["deleted"] == len(converted) == 4, runs
    compare(daemon, sim)  # noqa: F405
    report.ok("merged conversations give their parts to others, converted ones are tickets",
              "%d moved, %d gone" % (len(moved), len(gone)))

# One world for what only needs to be looked at.
with World("--tags", 12, "--teams", 6) as (sim, daemon):
    named = ["tags", "teams", "segments", "admins", "data_attributes", "conversation_attributes"]
    for seed in (1, 2, 3):
        changed = sim.mutate(12, seed, kinds=["same_name"])["changes"]
        later(sim)
        runs = daemon.sync()
        well(runs)
        # Who has another name is the same as before: nobody came and nobody went.
        for run in runs:
            if run["resource"] in named:
                assert run["created"] == 0 and run["deleted"] == 0, run
        for change in changed[-1:]:
            name = sim.truth(change["resource"])[change["id"]][1]["name"]
            assert record_of(daemon, change["resource"], change["id"])["name"] == name
        compare(daemon, sim, named)  # noqa: F405
    for resource in named:
        names = [doc["name"] for _, doc in sim.truth(resource).values()]
        assert len(set(names)) < len(names), (resource, names)
    sim.mutate(12, 4, kinds=["same_name", "new_tag", "delete_tag", "rename_tag", "rename_team"])
    later(sim)
    well(daemon.sync())
    compare(daemon, sim, named)  # noqa: F405
    report.ok("many things of one name, and names that change")

    client = daemon.client()
    for resource, kinds in (("messages", {"user", "lead", "admin", "bot", "team"}), ("ticket_parts", {"user", "admin"}),
                            ("conversations", {"user", "lead", "admin", "bot"})):
        authors = {key: doc.get("source", doc)["author"] for key, (_, doc) in sim.truth(resource).items()}
        assert {author["type"] for author in authors.values()} == kinds, resource
        rows = {row["id"]: row for row in client.rows(resource, fields=["author_type", "author", "email"])}
        assert rows.keys() == authors.keys()
        for key, author in authors.items():
            told = (rows[key].get("author_type"), rows[key].get("author"), rows[key].get("email"))
            named = [author[name] for name in ("email", "name", "id") if author[name] is not None]
            assert told == (author["type"], named[0], author["email"]), (told, author)
        for kind in kinds:
            count = client.call("query", resource=resource, where="author_type = " + kind, limit=0, total=True)["total"]
            assert count == sum(author["type"] == kind for author in authors.values()) > 0, (resource, kind, count)
    # The AI agent is a bot among others.
    bots = [doc["author"] for _, doc in sim.truth("messages").values() if doc["author"]["type"] == "bot"]
    agents = sum(bool(author.get("from_ai_agent")) for author in bots)
    count = client.call("query", resource="messages", where="author_type = bot and author.from_ai_agent = true", limit=0, total=True)["total"]
    assert 0 < agents == count < len(bots), (agents, count, len(bots))
    report.ok("who wrote it: people, teams, bots and the AI agent are kept apart", "%d by bots, %d of them by the AI agent" % (len(bots), agents))

# More than a page of each.
with World("--inexact-totals", base=("--contacts", 400, "--companies", 30, "--conversations", 400, "--tickets", 20, "--articles", 10,
                                     "--rate", 0)) as (sim, daemon):
    sim.mutate(60, 1)
    later(sim)
    daemon.sync()
    later(sim)
    daemon.sync("full", resource="contacts")
    daemon.sync()
    compare(daemon, sim)  # noqa: F405
    report.ok("counts that are only about right")



def unproven(daemon, resource, shown):
    """As much as the listing shows is held, and nothing is claimed of the rest."""
    state = coverage(daemon, resource)
    assert "the listing shows %d of " % shown in state["note"], state
    freshness = daemon.call("freshness", resource=resource)["freshness"]
    assert freshness["state"] != "fresh" or not freshness["complete"], freshness
    assert daemon.call("get", resource=resource, id="987654321")["absence"]["reason"] == "not_covered"


# More than a page of most; where the count is zero, many pages. Nothing proves of the pages of articles and collections that they are all when there are said to be more.
for kind in ("zero", "low", "high", "absent"):
    doubtful = ("articles", "collections") if kind == "high" else ()
    with World("--totals", kind, base=("--contacts", 1500 if kind == "zero" else 170, "--companies", 90, "--conversations", 170, "--tickets", 30,
                                       "--articles", 160, "--rate", 0), unproven=doubtful) as (sim, daemon):
        sim.mutate(40, 1, kinds=["reply", "new_conversation", "update_contact", "update_company", "update_article", "delete_conversation", "rename_tag"])
        later(sim)
        well(daemon.sync())
        later(sim)
        well(daemon.sync("full", resource="contacts"))
        well(daemon.sync())
        compare(daemon, sim)  # noqa: F405
        for resource in doubtful:
            unproven(daemon, resource, len(sim.truth(resource)))
report.ok("counts that are too high, too low, none at all")

with World("--totals", "absent", "--unstable-ties", base=("--contacts", 5, "--companies", 0, "--conversations", 0, "--tickets", 0,
                                                          "--articles", 320, "--rate", 0), source_options="resources = articles"
           ) as (sim, daemon):
    later(sim, 60)
    sim.mutate(1, 8, kinds=["touch_articles"])
    later(sim)
    runs = daemon.sync(resource="articles")
    # Each reading misses others, and nothing tells that none is missed by all.
    assert runs[0]["outcome"] == "failed" and "does not say how many" in runs[0]["error"] and runs[0]["deleted"] == 0, runs
    report.ok("articles of one second, and no count to tell how many", runs[0]["error"])



class Between(http.server.BaseHTTPRequestHandler):
    """Between daemon and simulator: changes the first answers to listings of articles, one after the other."""
    protocol_version = "HTTP/1.1"
    port, lies = 0, []

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "content-length", "accept-encoding")}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        data, given = answer.read(), answer.getheaders()
        connection.close()
        if self.path.startswith("/articles?") and Between.lies:
            listing = json.loads(data)  # noqa: F405
            Between.lies.pop(0)(listing, int(email.utils.parsedate_to_datetime(answer.getheader("Date")).timestamp()))
            data = json.dumps(listing).encode()  # noqa: F405
        self.send_response(answer.status)
        for key, value in given:
            if key.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_response(self, code, message=None):
        self.send_response_only(code, message)

    def log_message(self, *what):
        pass

    do_GET = do_POST = pass_on


def lied_to(articles, *lies, later_on=False):
    """By the first listing, or by one of what is held already: what is held in the end is the truth all the same."""
    with workplace() as (folder, started):  # noqa: F405
        sim = Sim(folder, *SMALL[:-4], "--articles", articles, "--rate", 0)  # noqa: F405
        started.append(sim)
        Between.port, Between.lies = sim.port, [] if later_on else list(lies)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between) as between:
            threading.Thread(target=between.serve_forever, daemon=True).start()
            sim.url = "http://127.0.0.1:%d" % between.server_port
            daemon = Daemon(folder, sim, source_options="resources = articles")  # noqa: F405
            started.append(daemon)
            daemon.wait_settled()
            if later_on:
                later(sim)
                Between.lies = list(lies)
                well(daemon.sync(resource="articles"))
            assert not Between.lies
            compare(daemon, sim, ["articles"])  # noqa: F405
            daemon.stop()
            between.shutdown()


def hide_one(listing, now):
    """One that is counted is missing, and another is shown that was created in the second of the question and is not counted."""
    del listing["data"][0]
    listing["data"][0]["created_at"] = now
    listing["total_count"] -= 1


def no_count(listing, now):
    del listing["total_count"]


def fewer_by_now(listing, now):
    """One has gone since the first page, which showed it, and one is missing."""
    del listing["data"][0]
    listing["total_count"] -= 1


def without(at):
    """One of them is neither shown nor counted."""
    def lie(listing, now):
        del listing["data"][at]
        listing["total_count"] -= 1
    return lie


lied_to(10, hide_one)
report.ok("what is created while a list is asked for hides nothing that it misses")

lied_to(300, no_count, fewer_by_now)
report.ok("what goes while a list is read hides nothing that it misses")

lied_to(30, without(3), without(5), later_on=True)
report.ok("readings that each miss another one delete nothing")

CUT = ({"kind": "cut_list", "route": "/companies/list", "exact": True, "at": 20},
       {"kind": "cut_list", "route": "/contacts", "exact": True, "at": 70},
       {"kind": "cut_list", "route": "/articles", "exact": True, "at": 7})

with World(faults=CUT, unproven=("articles",)) as (sim, daemon):
    # There is another way to read companies and contacts; none to read articles.
    compare(daemon, sim, ["companies", "contacts"])  # noqa: F405
    unproven(daemon, "articles", 7)
    assert coverage(daemon, "articles")["records"] == 7
    sim.no_faults()
    sim.restarted()
    later(sim)
    well(daemon.sync(resource="articles"))
    assert coverage(daemon, "articles")["note"] is None
    compare(daemon, sim)  # noqa: F405
    report.ok("a list that is cut is not taken for all of it")

with World() as (sim, daemon):
    before = {r: coverage(daemon, r)["records"] for r in ("companies", "contacts", "articles")}
    # A third of the companies, which would be refused, and a few of the articles, which would not.
    sim.faults(*CUT, {"kind": "cut_list", "route": "/contacts/search", "exact": True, "at": 40})
    for resource in before:
        later(sim)
        sim.restarted()
        run = daemon.sync("full" if resource == "contacts" else "changes", resource=resource)[0]
        assert run["deleted"] == 0 and coverage(daemon, resource)["records"] == before[resource], run
        if resource == "contacts":
            assert run["outcome"] == "failed" and "nothing proves that these are all" in run["error"], run
        else:
            assert run["outcome"] == "ok", run
    assert "the listing shows 7 of 10 articles" in coverage(daemon, "articles")["note"]
    sim.no_faults()
    sim.restarted()
    later(sim)
    well(daemon.sync())
    well(daemon.sync("full", resource="contacts"))
    compare(daemon, sim)  # noqa: F405
    report.ok("a list that is cut deletes nothing")

# It is led from page to page by answers that count as none, of which no two show the same.
with World("--companies", 300, breaches=False) as (sim, daemon):
    before = coverage(daemon, "companies")["records"]
    sim.faults({"kind": "sliding_pages", "route": "/companies/list", "exact": True})
    later(sim)
    run = daemon.sync(resource="companies")[0]
    assert run["outcome"] == "failed" and "again and again" in run["error"], run
    assert run["calls"] < 30 and run["deleted"] == 0, run
    assert coverage(daemon, "companies")["records"] == before
    sim.no_faults()
    sim.restarted()
    well(daemon.sync(resource="companies"))
    compare(daemon, sim)  # noqa: F405
    report.ok("a list whose pages slide is left", "%d calls" % run["calls"])

with World("--tags", 8, "--teams", 8) as (sim, daemon):
    # Half of a short list, and less than what a stable list would be read again for; counts agree with what is shown.
    for resource, route, every in (("tags", "/tags", 2), ("teams", "/teams", 2), ("admins", "/admins", 2),
                                   ("companies", "/companies/list", 12), ("articles", "/articles", 5),
                                   ("collections", "/help_center/collections", 4)):
        before = coverage(daemon, resource)["records"]
        later(sim)
        sim.restarted()
        sim.faults({"kind": "part_list", "route": route, "exact": True, "every": every, "count": 1})
        runs = daemon.sync(resource=resource)
        well(runs)
        assert runs[0]["deleted"] == 0, runs
        assert coverage(daemon, resource)["records"] == before
        sim.no_faults()
    compare(daemon, sim)  # noqa: F405
    report.ok("a list that shows a part of its records once deletes nothing")

with World() as (sim, daemon):
    before = {r: coverage(daemon, r)["records"] for r in ("tags", "companies", "contacts", "articles", "ticket_types")}
    for resource, route in (("tags", "/tags"), ("companies", "/companies/list"), ("contacts", "/contacts"),
                            ("articles", "/articles"), ("ticket_types", "/ticket_types")):
        sim.faults({"kind": "empty_list", "route": route, "exact": True})
        run = daemon.sync("full" if resource == "contacts" else "changes", resource=resource)[0]
        assert run["outcome"] == "failed" and run["deleted"] == 0, (resource, run)
        assert coverage(daemon, resource)["records"] == before[resource], resource
        sim.no_faults()
    sim.restarted()
    later(sim, 60)
    daemon.sync()
    compare(daemon, sim)  # noqa: F405
    daemon.sync("full", resource="contacts")
    # Some lists were answered with 304 since: they are what they were before.
    notes = [r["note"] for r in daemon.call("status")["sources"][0]["resources"] if r["note"]]
    assert not notes, notes
    report.ok("an empty list deletes nothing")

with World() as (sim, daemon):
    def full():
        later(sim)
        return daemon.sync("full", resource="contacts")[0]
    archived = {change["id"] for change in sim.mutate(45, 40, kinds=["archive_contact"])["changes"]}
    # So many at once are not believed before somebody insists; nothing is lost meanwhile.
    run = full()
    assert run["outcome"] == "failed" and run["deleted"] == 0 and "not believed" in run["error"], run
    # Afterwards they are known, and no reading is doubted because of them.
    for _ in range(3):
        run = full()
        assert run["outcome"] == "ok" and run["deleted"] == 0, run
        compare(daemon, sim, ["contacts"])  # noqa: F405
    rows = daemon.client().rows("contacts", where="archived = true", fields=["id"])
    assert {row["id"] for row in rows} == archived
    # Who is gone goes all the same, and the guard still holds for the others.
    sim.mutate(5, 42, kinds=["delete_contact"])
    run = full()
    assert run["outcome"] == "ok" and run["deleted"] == 5, run
    sim.mutate(30, 43, kinds=["delete_contact"])
    run = full()
    assert run["outcome"] == "failed" and "30 of 70 " in run["error"], run
    full()
    compare(daemon, sim, ["contacts"])  # noqa: F405
    report.ok("archived contacts stay, and are no sign of a list that is cut", "%d archived" % len(archived))

with World(settle=False, breaches=False) as (sim, daemon):
    daemon.stop()
    shutil.rmtree(os.path.join(daemon.folder, "state"))  # noqa: F405
    sim.restarted()
    denied = {"/tags": ("tags", 403, "api_plan_restricted"), "/tickets/search": ("tickets", 401, "token_unauthorized"),
              "/articles": ("articles", 403, "action_forbidden")}
    sim.faults(*({"kind": "status", "status": status, "code": code, "route": route}
                 for route, (_, status, code) in denied.items()))
    daemon.start()
    others = [r for r in RESOURCES if r not in ("tags", "tickets", "ticket_parts", "articles")]  # noqa: F405
    wait_until("all others are held", lambda: all(coverage(daemon, r)["coverage_ratio"] > 0.999999 for r in others), 60)  # noqa: F405
    for resource, _, code in denied.values():
        state = coverage(daemon, resource)
        assert state["coverage_ratio"] == 0 and code in state["last_error"], state
        freshness = daemon.call("freshness", resource=resource)["freshness"]
        assert freshness["state"] != "fresh" and not freshness["complete"], freshness
    compare(daemon, sim, others)  # noqa: F405
    report.ok("what a plan does not allow is not held to be empty")

with World("--rate", 480, "--others", 240, settle=False, source_options="budget = 90%", base=SMALL[:-2]) as (sim, daemon):
    # 80 calls a window, half of them taken by others as it passes: the first sync needs more than one, and waits by itself before it is told to.
    daemon.wait_settled()
    stats = sim.stats()
    assert stats["calls"] > 90 and stats["rate_limited"] == 0, stats
    compare(daemon, sim)  # noqa: F405
    report.ok("one call too many for each window, never", "%d calls, none refused" % stats["calls"])

with World("--mixed-times") as (sim, daemon):
    def seconds(value):
        if isinstance(value, str):
            return calendar.timegm(time.strptime(value, "%Y-%m-%dT%H:%M:%SZ"))
        return value // 1000 if value > 10**11 else value
    sim.mutate(40, 1, kinds=["update_contact", "new_contact"])
    later(sim)
    well(daemon.sync())
    truth = sim.truth("contacts")
    kinds = {(type(doc["created_at"]), isinstance(doc["created_at"], int) and doc["created_at"] > 10**11)
             for _, doc in truth.values()}
    assert len(kinds) == 3, kinds
    rows = list(daemon.client().rows("contacts", fields=["created", "updated"]))
    assert len(rows) == len(truth)
    for row in rows:
        doc = truth[row["id"]][1]
        for name, key in (("created", "created_at"), ("updated", "updated_at")):
            told = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds(doc[key])))
            assert row[name].startswith(told), (row, doc[key])
    compare(daemon, sim)  # noqa: F405
    report.ok("times as milliseconds and as text")

with World(breaches=False) as (sim, daemon):
    for route, resource in (("/contacts", "contacts"), ("/companies/list", "companies"), ("/articles", "articles")):
        sim.faults({"kind": "foreign_next_host", "route": route, "exact": True})
        daemon.sync("full" if resource == "contacts" else "changes", resource=resource)
        sim.no_faults()
    assert "collector.evil.example" not in daemon.log_text()
    sim.restarted()
    later(sim, 60)
    daemon.sync("full", resource="contacts")
    well(daemon.sync())
    compare(daemon, sim)  # noqa: F405
    report.ok("next pages that lead elsewhere are not followed")
