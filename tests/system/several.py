#!/usr/bin/env python3
"""Questions that name no source are answered of all sources: by two Intercom sources with the same ids as a plain scan of the records of both answers them, by an
Intercom and a Front source where each has what the other lacks.

SEVERAL_QUESTIONS says how many (250), QUESTIONS_SEED which ones (1).
"""
# run-tests: beside others
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
sys.path.insert(0, os.path.dirname(__file__))
from harness import *  # noqa: E402,F403
from front import Front  # noqa: E402
import plain_scan as plain  # noqa: E402
import questions as generated  # noqa: E402

COUNT = int(os.environ.get("SEVERAL_QUESTIONS", "250"))
SEED = int(os.environ.get("QUESTIONS_SEED", "1"))

report = Report(  # noqa: F405
    "generated questions are answered of the records of both",
    "relevance keeps each source's order",
    "a stream gives the rows of the pages",
    "a cursor holds over a commit and a restart",
    "an id that two sources have is refused, else its source is found",
    "changes of all sources go on from one place, and are followed",
    "runs of all sources, newest first, page by page",
    "what only one provider has is asked where it is",
    "numbers of both are those of all values",
    "providers are asked, each by what it can",
    "ficq shows whose a row is, and goes on in all",
    "freshness is that of the worst, who is named",
    "an answer waits for every source that is behind")


def add_source(daemon, name, sim, provider="intercom"):
    with open(daemon.config_path, "a") as f:
        f.write("\n[source %s]\nprovider = %s\nbase_url = %s\ntoken = file:%s/token\nretry = 50ms\n" % (
            name, provider, sim.url, daemon.folder))


def settle(daemon):
    def settled():
        return all(r["coverage_ratio"] > 0.999999 or r["state"] == "fresh" for source in daemon.call("status")["sources"]
                   for r in source["resources"] if not r["syncing"]) and \
            not any(r["syncing"] for source in daemon.call("status")["sources"] for r in source["resources"])
    wait_until("the first syncs are complete", settled, 120, 0.05)  # noqa: F405


def folder_of(folder, name):
    path = os.path.join(folder, name)
    os.makedirs(path, exist_ok=True)
    return path


class Named:
    """A client that asks one source."""

    def __init__(self, client, source):
        self.client, self.source = client, source

    def call(self, method, **params):
        return self.client.call(method, source=self.source, **params)


class All:
    """The records of several sources."""

    def __init__(self, client, *names):
        self.held = {name: plain.Held() for name in names}
        for name, held in self.held.items():
            held.follow(Named(client, name))

    def all(self, resource):
        return [record for held in self.held.values() for record in held.all(resource)]

    def select(self, question):
        return [record for held in self.held.values() for record in held.select(question)]

    def found(self, question):
        return {(name, record.id): record for name, held in self.held.items() for record in held.select(question)}


def judge_rows(held, question, answer):
    found = held.found(question)
    if question.get("total"):
        assert answer["total"] == len(found), ("total", answer["total"], len(found))
        return
    keys = [(row["source"], row["id"]) for row in answer["rows"]]
    assert len(set(keys)) == len(keys), "a row came twice"
    assert set(keys) <= found.keys(), ("too many", sorted(set(keys) - found.keys())[:5])
    expected = sorted(plain.sort_key(record, question) for record in found.values())
    if question["pages"] == 1:
        expected = expected[:question["limit"]]
    got = [plain.sort_key(found[key], question) for key in keys]
    assert len(got) == len(expected), ("rows", len(got), len(expected))
    assert got == expected, ("order", next((i, a, b) for i, (a, b) in enumerate(zip(got, expected)) if a != b))
    if answer.get("total") is not None:
        assert answer["total"] == len(found), ("total", answer["total"], len(found))


def judge(held, question, answer):
    try:
        (generated.judge_groups if "group_by" in question else judge_rows)(held, question, answer)
        assert [s["source"] for s in answer["freshness"]["sources"]] == list(held.held), answer["freshness"]
    except AssertionError as error:
        raise AssertionError("%s\n  of %s" % (error, generated.parameters(question))) from error


def refused(client, method, **params):
    try:
        client.call(method, **params)
    except RpcError as error:  # noqa: F405
        return error
    raise AssertionError("not refused: %s %s" % (method, params))


def check_generated(client):
    held = All(client, "acme", "beta")
    maker = generated.Maker(held, SEED)
    both = 0
    for _ in range(COUNT):
        question = maker.question()
        if question.get("sort") == "relevance":  # how many are ranked is a matter of each source: asked for below
            del question["sort"]
        judge(held, question, generated.ask(client, question))
        both += all(any(key[0] == name for key in held.found(question)) for name in held.held)
    assert both > COUNT / 3, "only %d of %d questions find records of both" % (both, COUNT)
    report.ok("generated questions are answered of the records of both", "%d, %d find some of both, of %d records" % (
        COUNT, both, sum(len(h.records) for h in held.held.values())))
    return maker


def check_relevance(client, maker):
    some = 0
    for _ in range(20):
        text = plain.search_text(("word", maker.words("conversations")[0]))
        question = dict(resource="conversations", text=text, sort="relevance", fields=["id"], limit=200)
        rows = client.call("query", **question)["rows"]
        parts = {name: client.call("query", source=name, **question)["rows"] for name in ("acme", "beta")}
        for name, part in parts.items():
            mine = [row for row in rows if row["source"] == name]
            assert mine == part[:len(mine)], (text, name)
        assert len(rows) == min(200, sum(map(len, parts.values()))), text
        some += all(parts.values())
    assert some > 5, some
    report.ok("relevance keeps each source's order", "%d searches find some of both" % some)


def pages(client, cursor=None, **question):
    rows = []
    while True:
        answer = client.call("query", **question, **({"cursor": cursor} if cursor else {}))
        rows += answer["rows"]
        cursor = answer["next_cursor"]
        if not cursor:
            return rows


def check_stream(client):
    for more in ({}, {"sort": "updated"}, {"text": "order", "where": "open"}):
        question = dict(resource="messages" if not more else "conversations", fields=["created", "updated"], **more)
        notes = []
        answer = client.call("query", notes, stream=True, **question)
        rows = [row for note in notes for row in note["params"]["rows"]]
        assert answer["streamed"] == len(rows) > 5 and rows == pages(client, limit=37, **question), (more, len(rows))
        at = next(i for i, note in enumerate(notes) if note["params"].get("next_cursor"))
        told = sum(len(note["params"]["rows"]) for note in notes[:at + 1])
        assert rows[told:] == pages(client, cursor=notes[at]["params"]["next_cursor"], limit=1000, **question)
    report.ok("a stream gives the rows of the pages")


def check_cursor(daemon, sims):
    question = dict(resource="conversations", limit=30, fields=["created"])
    client = daemon.client()
    before = {(row["source"], row["id"]) for row in pages(client, **question)}
    first = client.call("query", **question)
    kept = dict(question, where="state = open", sort="-updated")
    second = client.call("query", **kept)
    sims[1].mutate(60, 5)
    sims[1].control("POST", "clock", {"advance_s": 600})
    daemon.sync()
    client.close()
    daemon.stop()
    daemon.start()
    client = daemon.client()
    rest = [(row["source"], row["id"]) for row in pages(client, cursor=first["next_cursor"], **question)]
    seen = [(row["source"], row["id"]) for row in first["rows"]] + rest
    held = All(client, "acme", "beta")
    after = set(held.found({"resource": "conversations"}))
    assert len(seen) == len(set(seen)) and before & after <= set(seen), sorted((before & after) - set(seen))[:5]
    assert pages(client, cursor=second["next_cursor"], **kept), "an order of values goes on"
    for wrong in (dict(question, cursor=first["next_cursor"][:-3]), dict(question, cursor=first["next_cursor"].split(".")[0]),
                  dict(question, cursor=first["next_cursor"], where="open"), dict(question, cursor=first["next_cursor"], source="acme"),
                  dict(question, cursor="-.-"), dict(question, cursor=first["next_cursor"] + ".x")):
        assert refused(client, "query", **wrong).code == -32602, wrong
    report.ok("a cursor holds over a commit and a restart", "%d rows" % len(seen))
    return client


def check_ids(client):
    held = {name: {row["id"] for row in Named_rows(client, name)} for name in ("acme", "beta")}
    common, own = held["acme"] & held["beta"], held["acme"] - held["beta"]
    assert common and own, (len(common), len(own))
    for method in ("get", "thread"):
        error = refused(client, method, **({"resource": "conversations"} if method == "get" else {}), id=min(common))
        assert "acme" in str(error) and "beta" in str(error) and error.data["reason"] == "ambiguous", error
    answer = client.call("get", resource="conversations", id=min(own))
    assert answer["record"]["source"] == "acme" and [s["source"] for s in answer["freshness"]["sources"]] == ["acme"], answer["freshness"]
    thread = client.call("thread", id=min(own))
    assert thread["conversation"]["source"] == "acme" and thread["messages"]
    named = Named(client, "acme").call("thread", id=min(own))
    assert thread["messages"] == named["messages"] and "sources" not in named["freshness"]
    absent = client.call("get", resource="conversations", id="987654321987")
    alone = Named(client, "acme").call("get", resource="conversations", id="987654321987")
    assert absent["absence"] == alone["absence"] and len(absent["freshness"]["sources"]) == 2, absent
    report.ok("an id that two sources have is refused, else its source is found", "%d are in both" % len(common))


def Named_rows(client, name):
    return client.rows("conversations", source=name, fields=["id"])


def feed(client, since=0, **params):
    rows = []
    while True:
        page = client.call("changes", since=since, **params)
        rows += page["rows"]
        since = page["next"]
        if not page["more"]:
            return rows, page


def check_changes(daemon, sims, client):
    apart = {name: feed(client, source=name, limit=1000)[0] for name in ("acme", "beta")}
    for limit in (7, 400, 1000):
        rows, page = feed(client, limit=limit)
        for name, mine in apart.items():
            assert [row for row in rows if row["source"] == name] == mine, (limit, name)
        assert len(rows) == sum(map(len, apart.values())) and page["next"] == page["revision"], page["next"]
    found, _ = feed(client, resource="conversations", where="source = beta and state = open", fields=["state"], limit=50)
    truth = list(client.rows("conversations", source="beta", where="state = open", fields=["id"]))
    assert sorted(row["id"] for row in found if not row.get("deleted")) == sorted(row["id"] for row in truth) and truth
    assert {row["source"] for row in found if not row.get("deleted")} == {"beta"}
    place = page["next"]
    for wrong in (5, "acme", "acme:x", "nobody:3", "acme:99999999"):
        assert refused(client, "changes", since=wrong).data["reason"] == "since", wrong
    other = daemon.client()
    other.send(json.dumps({"jsonrpc": "2.0", "id": "f", "method": "changes", "params": {"follow": True, "since": place}}).encode() + b"\n")  # noqa: F405
    first = other.line()["params"]
    assert first["rows"] == [] and not first["more"] and first["next"] == place, first
    for sim in sims:
        sim.mutate(40, 9, kinds=["reply", "state", "tag"])
        sim.control("POST", "clock", {"advance_s": 600})
    runs = daemon.sync()
    assert all(run["outcome"] == "ok" for run in runs) and {run["source"] for run in runs} == {"acme", "beta"}, runs
    expected, last = [], place
    while True:
        page = client.call("changes", since=last, limit=1000)
        expected += page["rows"]
        last = page["next"]
        if not page["more"]:
            break
    assert {row["source"] for row in expected} == {"acme", "beta"}
    expected = {(row["source"], row["resource"], row["id"]): row for row in expected}
    got, note = {}, {"more": True}
    while note["more"] or got.keys() != expected.keys():
        note = other.line()["params"]
        got.update({(row["source"], row["resource"], row["id"]): row for row in note["rows"]})
    assert got == expected, (len(got), len(expected))
    assert feed(client, since=note["next"])[0] == []
    other.close()
    report.ok("changes of all sources go on from one place, and are followed", "%d records" % len(expected))


def check_runs(client):
    apart = {name: client.call("runs", source=name, limit=1000)["runs"] for name in ("acme", "beta")}
    for limit in (3, 1000):
        runs, cursor = [], {}
        while True:
            page = client.call("runs", limit=limit, **cursor)
            runs += page["runs"]
            if not page["next_cursor"]:
                break
            cursor = {"cursor": page["next_cursor"]}
        for name, mine in apart.items():
            assert [run for run in runs if run["source"] == name] == mine, (limit, name)
        assert len(runs) == sum(map(len, apart.values())) > 10
    heads = [run["source"] for run in runs]
    assert any(a != b for a, b in zip(heads[2:], heads)), "they are not mixed"
    assert refused(client, "runs", cursor="17").data["reason"] == "cursor"
    assert client.call("dead")["letters"] == []
    report.ok("runs of all sources, newest first, page by page", "%d" % len(runs))


def two_of_a_kind(folder, started):
    sims = []
    for name, conversations in (("one", 130), ("two", 110)):
        sims.append(Sim(folder_of(folder, name), "--seed", 40 + SEED, "--contacts", 80, "--companies", 5, "--conversations", conversations,  # noqa: F405
                        "--tickets", 20, "--rate", 0, "--days", 120))
        started.append(sims[-1])
    for seed, sim in enumerate(sims):
        sim.mutate(150, 70 + seed)
    daemon = Daemon(folder_of(folder, "alike"), sims[0], start=False)  # noqa: F405
    add_source(daemon, "beta", sims[1])
    daemon.start()
    started.append(daemon)
    settle(daemon)
    client = daemon.client()
    maker = check_generated(client)
    check_relevance(client, maker)
    check_stream(client)
    client.close()
    client = check_cursor(daemon, sims)
    check_ids(client)
    check_changes(daemon, sims, client)
    check_runs(client)
    client.close()


def check_lacking(client):
    intercom = list(client.rows("conversations", source="acme"))
    front = list(client.rows("conversations", source="front"))
    rows = pages(client, resource="conversations", limit=100)
    assert sorted((r["source"], r["id"]) for r in rows) == sorted((r["source"], r["id"]) for r in intercom + front)
    assert [r["created"] for r in rows] == sorted((r["created"] for r in rows), reverse=True)
    rated = client.call("query", resource="conversations", where="rating >= 1 or inbox exists", fields=["rating", "inbox"], limit=1000)["rows"]
    assert sum("rating" in r and r["rating"] is not None for r in rated) == sum(r.get("rating") is not None for r in intercom) > 0
    assert sum(bool(r["inbox"]) for r in rated) == sum(bool(r.get("inbox")) for r in front) > 0
    lacking = client.call("query", resource="conversations", where="not rating exists", limit=0, total=True)["total"]
    assert lacking == len(front) + sum(r.get("rating") is None for r in intercom)
    assert {r["source"] for r in client.call("query", resource="conversations", where="source = front", limit=1000)["rows"]} == {"front"}
    by_rating = client.call("query", resource="conversations", sort="-rating", limit=1000, fields=["rating"])["rows"]
    values = [r["rating"] for r in by_rating if r["rating"] is not None]
    assert values == sorted(values, reverse=True) and all(r["rating"] is None for r in by_rating[len(values):])
    for resource, name in (("tickets", "acme"), ("links", "front")):
        answer = client.call("query", resource=resource, limit=5)
        assert {r["source"] for r in answer["rows"]} == {name} and [s["source"] for s in answer["freshness"]["sources"]] == [name]
        assert [r["source"] for r in client.call("coverage", resource=resource)["resources"]] == [name]
        assert client.call("freshness", resource=resource)["records"] > 0
        assert {r["source"] for r in client.call("changes", resource=resource)["rows"]} == {name}
        assert client.call("runs", resource=resource)["runs"]
        assert client.call("sync", resource=resource, wait=True)["runs"]
    for method, params in (("query", {}), ("aggregate", {"group_by": ["state"]}), ("coverage", {}), ("changes", {}), ("get", {"id": "1"}), ("runs", {})):
        error = refused(client, method, resource="tickts", **params)
        assert "tickts" in str(error) and "tickets" in error.data["hint"], (method, str(error), error.data)
    for bad in (dict(where="cow = 1"), dict(sort="cow"), dict(fields=["cow"])):
        assert refused(client, "query", resource="conversations", **bad).code in (-32602, 8), bad
    found = client.call("query", resource="conversations", text="order", limit=1000)["rows"]
    assert {r["source"] for r in found} == {"acme", "front"} and all(r["snippet"] for r in found)
    one = {name: next(r["id"] for r in rows if r["source"] == name) for name in ("acme", "front")}
    for name, key in one.items():
        assert client.call("get", resource="conversations", id=key)["record"]["source"] == name
        assert client.call("thread", id=key)["conversation"]["source"] == name
    people = {name: client.call("query", source=name, resource="admins", limit=1000)["rows"] for name in ("acme", "front")}
    names = {name: {r[field] for r in rows for field in ("name", "email") if r.get(field)} for name, rows in people.items()}
    held = {r["assignee"] for r in front if r.get("assignee")}
    mine = next(r["email"] for r in people["front"] if r["id"] in held and r["email"] not in names["acme"])
    asked = client.call("query", resource="conversations", where='assignee = "%s"' % mine, limit=0, total=True)["total"]
    assert 0 < asked == client.call("query", source="front", resource="conversations", where='assignee = "%s"' % mine, limit=0, total=True)["total"]
    assert "Nobody Atall" in str(refused(client, "query", resource="conversations", where='assignee = "Nobody Atall"'))
    report.ok("what only one provider has is asked where it is", "%d and %d conversations" % (len(intercom), len(front)))


def check_numbers(client):
    groups = client.call("aggregate", resource="conversations", group_by=["source"], limit=0)
    counts = {g["source"]: g["count"] for g in groups["groups"]}
    assert counts == {name: client.call("query", source=name, resource="conversations", limit=0, total=True)["total"] for name in counts}
    assert set(counts) == {"acme", "front"} and groups["total"] == sum(counts.values())
    for by in (["state"], ["day"], ["state", "source"], ["assignee"]):
        apart = [client.call("aggregate", source=name, resource="conversations", group_by=[b for b in by if b != "source"], limit=0)
                 for name in ("acme", "front")]
        whole = client.call("aggregate", resource="conversations", group_by=by, limit=0)
        expected = {}
        for name, answer in zip(("acme", "front"), apart):
            for group in answer["groups"]:
                key = tuple(name if b == "source" else group[b] for b in by)
                expected[key] = expected.get(key, 0) + group["count"]
        assert {tuple(g[b] for b in by): g["count"] for g in whole["groups"]} == expected, by
        assert whole["groups_found"] == len(expected)
    metrics = ["avg:reopens", "p50:parts", "p90:parts", "count:rating", "max:updated"]
    whole = client.call("aggregate", resource="conversations", group_by=["open"], metrics=metrics, limit=0)
    apart = client.call("aggregate", source="acme", resource="conversations", group_by=["open"], metrics=metrics[:-1], limit=0)
    for group in apart["groups"]:
        same = next(g for g in whole["groups"] if g["open"] == group["open"])
        assert all(same[m] == group[m] for m in metrics[:-1]), (same, group)
    assert refused(client, "aggregate", resource="conversations", group_by=["cow"]).code == -32602
    report.ok("numbers of both are those of all values", "%s" % counts)


def check_live(client):
    one = {name: client.call("query", source=name, resource="conversations", limit=1)["rows"][0]["id"] for name in ("acme", "front")}
    for name, key in one.items():
        worth = client.call("get", resource="conversations", id=key, live=True)["freshness"]
        assert worth["source"] == "live" and [s["source"] for s in worth["sources"]] == [name], worth
    answer = client.call("get", resource="conversations", id="1234567", live=True)
    assert answer["absence"]["reason"] == "covered_absent" and answer["freshness"]["source"] == "live", answer
    assert all(s["freshness"]["live"]["asked"] for s in answer["freshness"]["sources"])
    worth = client.call("query", resource="conversations", where="state = open", limit=5, max_age="0s", on_stale="live")["freshness"]
    each = {s["source"]: s["freshness"] for s in worth["sources"]}
    assert each["acme"]["live"]["found"] > 0 and each["acme"]["live"]["reason"] is None, each["acme"]
    assert each["front"]["live"]["found"] > 0 and each["front"]["live"]["reason"] is None and each["front"]["source"] == "mixed", each["front"]
    assert worth["source"] == "mixed" and worth["live"]["reason"] is None, worth
    report.ok("providers are asked, each by what it can", "%d found" % each["acme"]["live"]["found"])


def ficq(daemon, *words, code=0):
    done = subprocess.run([program("ficq"), "-S", daemon.socket_path, *words], capture_output=True, text=True, timeout=60)  # noqa: F405
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done.stdout.splitlines(), done.stderr


def check_ficq(daemon, client):
    out, _ = ficq(daemon, "query", "conversations", "-n", "50", "-o", "table")
    assert out[0].split()[:2] == ["SOURCE", "ID"] and {line.split()[0] for line in out[1:]} == {"acme", "front"}, out[:3]
    assert "SOURCE" not in ficq(daemon, "query", "conversations", "-s", "acme", "-o", "table")[0][0]
    assert ficq(daemon, "query", "tags", "-o", "csv")[0][0].startswith("source,id,")
    assert ficq(daemon, "query", "tags", "-o", "csv", "--fields", "id,name")[0][0] == "id,name"
    for command in ("runs", "fields", "dead"):
        assert ficq(daemon, command, "-o", "table")[0][0].startswith("SOURCE"), command
    count = client.call("query", resource="conversations", limit=0, total=True)["total"]
    assert ficq(daemon, "count", "conversations")[0] == [str(count)]
    out, _ = ficq(daemon, "count", "conversations", "--by", "source", "-o", "csv")
    assert out[0] == "source,count" and sum(int(line.split(",")[1]) for line in out[1:]) == count
    assert len([line for line in ficq(daemon, "freshness", "conversations", "-o", "table")[0] if line.startswith("source ")]) == 2
    rows, since = [], None
    for _ in range(100):
        out, told = ficq(daemon, "changes", "tags", "links", "-n", "7", "-o", "ndjson", *(["--since", since] if since else []))
        since = told.split("--since=")[1].split()[0]
        if not out:
            break
        rows += [json.loads(line) for line in out]  # noqa: F405
    assert rows == feed(client, resource=["tags", "links"], limit=1000)[0] and {r["source"] for r in rows} == {"acme", "front"}
    _, told = ficq(daemon, "export", "tags")
    assert ficq(daemon, "export", "tags", "--since-revision", told.split("--since-revision=")[1].strip())[0] == []
    _, told = ficq(daemon, "changes", "tags", "--follow", "--since", "0", "-n", "3", "-o", "ndjson")
    assert told.split("--since=")[1].split(":")[0] == "acme" and told.strip().endswith("front:0"), told
    for wrong in ("nobody:3", "acme:3,", "acme", "acme:x"):
        assert "is no revision" in ficq(daemon, "changes", "tags", "--since", wrong, code=64)[1], wrong
    key = next(row["id"] for row in client.rows("conversations", source="front", fields=["id"]))
    assert ficq(daemon, "get", "conversations", key, "-o", "csv", "--fields", "source,id")[0][1] == "front," + key
    assert key in "".join(ficq(daemon, "thread", key)[0])
    assert "configured: acme, front" in ficq(daemon, "sync", "conversations", "1234567", code=64)[1]
    report.ok("ficq shows whose a row is, and goes on in all", "%d changes" % len(rows))


def check_freshness(daemon, sims, client):
    daemon.sync()
    fresh = client.call("freshness", resource="conversations")
    apart = {name: client.call("freshness", source=name, resource="conversations") for name in ("acme", "front")}
    assert fresh["freshness"]["state"] == "fresh" and fresh["freshness"]["message"] is None, fresh["freshness"]
    assert fresh["records"] == sum(a["records"] for a in apart.values())
    assert fresh["freshness"]["as_of"] == min(a["freshness"]["as_of"] for a in apart.values())
    sims[1].stop()

    def front_behind():
        daemon.sync(source="acme")
        got = client.call("query", resource="conversations", limit=1, max_age="8s")
        states = {s["source"]: s["freshness"]["state"] for s in got["freshness"]["sources"]}
        return got if states["acme"] == "fresh" != states["front"] else None
    answer = wait_until("one of them is behind", front_behind)  # noqa: F405
    worst = answer["freshness"]
    each = {s["source"]: s["freshness"] for s in worst["sources"]}
    assert worst["state"] == each["front"]["state"] and worst["reason"] == each["front"]["reason"], worst
    assert worst["as_of"] == each["front"]["as_of"] < each["acme"]["as_of"] and not worst["complete"], worst
    assert worst["message"] == "front: " + each["front"]["message"], worst["message"]
    assert worst["covered"][-1][1] == each["front"]["covered"][-1][1] < each["acme"]["covered"][-1][1], worst
    question = dict(resource="conversations", max_age="8s")
    for error in (refused(client, "query", require="fresh", **question), refused(client, "query", on_stale="error", **question),
                  refused(client, "aggregate", on_stale="error", group_by=["state"], **question)):
        assert error.code == 6 and str(error).startswith("front: "), (error.code, str(error))
    daemon.sync(source="acme")
    assert Named(client, "acme").call("query", require="fresh", **question)["freshness"]["state"] == "fresh"
    report.ok("freshness is that of the worst, who is named", worst["message"])


def check_waiting(daemon, sims, folder, started):
    daemon.stop()
    sims[1] = Front(folder_of(folder, "front2"), "--seed", 7, "--contacts", 40, "--conversations", 60, "--rate", 0)
    started.append(sims[1])
    with open(daemon.config_path) as f:
        config = f.read()
    head, _, _ = config.partition("\n[source front]")
    with open(daemon.config_path, "w") as f:
        f.write(head + "\n")
    add_source(daemon, "other", sims[1], "front")
    daemon.start()
    settle(daemon)
    client = daemon.client()
    for sim in sims:
        sim.mutate(20, 3)
    before = client.call("changes", limit=1000, follow=False)["revision"]
    answer = client.call("query", resource="conversations", limit=1, max_age="1s", on_stale="wait", timeout_ms=60000)
    each = {s["source"]: s["freshness"] for s in answer["freshness"]["sources"]}
    assert set(each) == {"acme", "other"}, each
    after = client.call("changes", limit=1000)["revision"]
    moved = [a for a, b in zip(before.split(","), after.split(",")) if a != b]
    assert len(moved) == 2, (before, after)
    client.close()
    report.ok("an answer waits for every source that is behind", "%s to %s" % (before, after))


def two_providers(folder, started):
    sims = [Sim(folder_of(folder, "intercom"), "--seed", 11, "--contacts", 60, "--companies", 5, "--conversations", 90,  # noqa: F405
                "--tickets", 15, "--rate", 0),
            Front(folder_of(folder, "front"), "--seed", 12, "--contacts", 60, "--conversations", 80, "--rate", 0)]
    started.extend(sims)
    daemon = Daemon(folder_of(folder, "unlike"), sims[0], start=False)  # noqa: F405
    add_source(daemon, "front", sims[1], "front")
    daemon.start()
    started.append(daemon)
    settle(daemon)
    client = daemon.client()
    check_lacking(client)
    check_numbers(client)
    check_live(client)
    check_ficq(daemon, client)
    check_freshness(daemon, sims, client)
    client.close()
    check_waiting(daemon, sims, folder, started)


with workplace() as (folder, started):  # noqa: F405
    two_of_a_kind(folder, started)
    two_providers(folder, started)
