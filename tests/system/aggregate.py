#!/usr/bin/env python3
"""Counts in groups, numbers about them and orders by a field are what the provider's own objects say, through syncs, restarts and ficq."""
import csv
import datetime
import io
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "counts by state, tag and month are the truth",
    "numbers about groups are the truth",
    "days are those of the zone",
    "orders by a field are the truth, page after page",
    "the same after changes and a restart",
    "ficq prints groups",
    "freshness comes first",
    "what cannot be asked is said")

PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}


def ask(daemon, *words):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path] + list(words),  # noqa: F405
                          capture_output=True, text=True, timeout=60)


def nearest_rank(values, percent):
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]


def conversations(sim):
    return [doc for _, doc in sim.truth("conversations").values()]


def statistic(doc, name):
    return (doc["statistics"] or {}).get(name)


def counted(daemon, *names, **params):
    """(values ...) -> group."""
    answer = daemon.call("aggregate", resource="conversations", group_by=list(names), **params)
    groups = {tuple(group[name] for name in names): group for group in answer["groups"]}
    assert len(groups) == len(answer["groups"]) == answer["groups_found"], answer
    return groups


def expect_counts(groups, keys):
    want = {}
    for key in keys:
        want[key] = want.get(key, 0) + 1
    got = {key: group["count"] for key, group in groups.items()}
    assert got == want, (got, want)


def month_of(doc):
    return datetime.datetime.fromtimestamp(doc["created_at"], datetime.timezone.utc).strftime("%Y-%m-01T00:00:00.000Z")


def check_counts(daemon, docs):
    expect_counts(counted(daemon, "state"), [(doc["state"],) for doc in docs])
    tags = [(tag,) for doc in docs for tag in ({tag["name"] for tag in doc["tags"]["tags"]} or {None})]
    expect_counts(counted(daemon, "tags"), tags)
    expect_counts(counted(daemon, "month", "state"), [(month_of(doc), doc["state"]) for doc in docs])


def check_numbers(daemon, docs):
    field, path = "time_to_first_close", "time_to_first_close"
    names = ["%s:%s" % (name, field) for name in ("count", "min", "max", "sum", "avg", "p50", "p90", "p99")]
    groups = counted(daemon, "open", metrics=names)
    for value in (True, False):
        values = [statistic(doc, path) for doc in docs if doc["open"] is value and statistic(doc, path) is not None]
        group = groups[(value,)]
        assert group["count:" + field] == len(values) and values, group
        assert group["min:" + field] == min(values) and group["max:" + field] == max(values), group
        assert group["sum:" + field] == sum(values), group
        assert abs(group["avg:" + field] - sum(values) / len(values)) < 1e-6, group
        for name, percent in PERCENTILES.items():
            assert group["%s:%s" % (name, field)] == nearest_rank(values, percent), (group, name)


def check_order(daemon, docs):
    for sort, sign in (("-time_to_first_close", -1), ("time_to_first_close", 1)):
        values = [statistic(doc, "time_to_first_close") for doc in docs]
        want = sorted((v for v in values if v is not None), key=lambda v: sign * v)
        want += [None] * (len(values) - len(want))
        client, rows, cursor = daemon.client(), [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            if sign < 0:
                more["total"] = True  # else it is there when all were looked at
            page = client.call("query", resource="conversations", sort=sort, limit=17,
                               fields=["id", "time_to_first_close"], **more)
            assert page.get("total", None if sign < 0 else len(docs)) == len(docs), page
            rows += page["rows"]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert [row["time_to_first_close"] for row in rows] == want
        assert {row["id"] for row in rows} == {doc["id"] for doc in docs} and len(rows) == len(docs)
        client.close()


def refused(daemon, method, **params):
    try:
        daemon.call(method, resource="conversations", **params)
    except RpcError as error:  # noqa: F405
        return str(error)
    raise AssertionError("%s was not refused" % params)


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 11, "--contacts", 120, "--companies", 20, "--conversations", 300, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()

    check_counts(daemon, conversations(sim))
    report.ok("counts by state, tag and month are the truth")
    check_numbers(daemon, conversations(sim))
    report.ok("numbers about groups are the truth")

    # Eleven hours ahead, all year round.
    ahead = datetime.timezone(datetime.timedelta(hours=11))
    days = []
    for doc in conversations(sim):
        local = datetime.datetime.fromtimestamp(doc["created_at"], ahead)
        midnight = local.replace(hour=0, minute=0, second=0).astimezone(datetime.timezone.utc)
        days.append((midnight.strftime("%Y-%m-%dT%H:%M:%S.000Z"),))
    groups = counted(daemon, "day", timezone="<+11>-11")
    expect_counts(groups, days)
    assert list(groups) == sorted(groups)
    report.ok("days are those of the zone", "%d days" % len(groups))

    check_order(daemon, conversations(sim))
    report.ok("orders by a field are the truth, page after page")

    for seed in (1, 2, 3):
        sim.mutate(60, seed)
        sim.control("POST", "clock", {"advance_s": 10})
        daemon.sync()
    docs = conversations(sim)
    check_counts(daemon, docs)
    daemon.stop()
    daemon.start()
    check_counts(daemon, docs)
    check_numbers(daemon, docs)
    check_order(daemon, docs)
    report.ok("the same after changes and a restart")

    done = ask(daemon, "count", "conversations", "--by", "state", "--metric", "max:reopens", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0 and [row["state"] for row in rows], done
    assert {row["state"]: int(row["count"]) for row in rows} == {
        state: sum(doc["state"] == state for doc in docs) for state in {doc["state"] for doc in docs}}, rows
    done = ask(daemon, "count", "conversations", "--by", "day", "--tz", "UTC")
    assert done.returncode == 0 and done.stdout.startswith("DAY"), done
    done = ask(daemon, "query", "conversations", "--sort=-reopens", "--fields", "reopens", "-o", "csv", "--no-header", "-n0")
    values = [int(line) for line in done.stdout.split()]
    assert done.returncode == 0 and values == sorted(values, reverse=True) and values, done
    report.ok("ficq prints groups")

    answer = daemon.call("aggregate", resource="conversations", group_by="state")
    assert list(answer)[:2] == ["freshness", "groups"] and answer["freshness"]["state"], list(answer)
    report.ok("freshness comes first")

    for nothing in ({}, {"group_by": []}, {"group_by": [], "metrics": []}):
        whole = daemon.call("aggregate", resource="conversations", **nothing)
        assert whole["groups"] == [{"count": len(docs)}] and whole["groups_found"] == 1, whole
    assert "names no field" in refused(daemon, "aggregate", group_by="") and "names no field" in refused(daemon, "query", fields=[])
    assert "did you mean state" in refused(daemon, "aggregate", group_by="stat")
    assert "more than 3" in refused(daemon, "aggregate", group_by="state,open,read,team")
    assert "day:waiting_since" in refused(daemon, "aggregate", group_by="waiting_since")
    assert "no metric" in refused(daemon, "aggregate", metrics="avg")
    assert "zone" in refused(daemon, "aggregate", group_by="day", timezone="Mars/Base")
    assert "is a list" in refused(daemon, "query", sort="tags")
    assert "did you mean reopens" in refused(daemon, "query", sort="-reopen")
    report.ok("what cannot be asked is said")
    assert sim.stats()["breach_total"] == 0
