#!/usr/bin/env python3
"""Full text end to end: what ficd finds is what a plain reading of all records finds, and ficq shows it."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "words in messages and conversations",
    "phrases, prefixes, what is left out",
    "pages and counts",
    "in groups, and in the order of a field",
    "by relevance",
    "what cannot be understood: where and why",
    "ficq search, --text, the snippet",
    "after changes")


def words(row):
    """Of each text of a row."""
    return [re.findall(r"[^\W_]+", (row.get(name) or "").lower()) for name in ("subject", "author_name", "body")]


def has_word(row, word):
    return any(word in text for text in words(row))


def has_phrase(row, first, second):
    return any(pair == (first, second) for text in words(row) for pair in zip(text, text[1:]))


class Plain:
    """All records, read one by one."""

    def __init__(self, daemon):
        client = daemon.client()
        self.messages = [row for row in client.rows("messages")]
        self.conversations = {row["id"]: row for row in client.rows("conversations")}
        client.close()

    def find(self, holds):
        parents = {row["parent"] for row in self.messages if holds(row)}
        return {key for key, row in self.conversations.items() if key in parents or holds(row)}


def found(daemon, text, limit=1000, **more):
    client, rows, cursor = daemon.client(), [], {}
    while True:
        page = client.call("query", resource="conversations", text=text, limit=limit, **cursor, **more)
        rows += page["rows"]
        if not page["next_cursor"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    client.close()
    assert len({row["id"] for row in rows}) == len(rows)
    assert all("\u27e6" in row["snippet"] and "\u27e7" in row["snippet"] for row in rows), rows[:2]
    return {row["id"] for row in rows}


def ficq(daemon, *words, code=0):
    run = subprocess.run([program("ficq"), "-S", daemon.socket_path, *words], capture_output=True, text=True, timeout=60)  # noqa: F405
    assert run.returncode == code, run
    return run


def common_words(plain):
    seen = {}
    for row in plain.messages:
        for word in {w for text in words(row) for w in text}:
            if re.fullmatch("[a-z]{3,12}", word):
                seen[word] = seen.get(word, 0) + 1
    order = sorted(seen, key=lambda word: (seen[word], word))
    assert len(order) > 20, order
    return order


def check_words(daemon, plain):
    order = common_words(plain)
    chosen = order[:4] + order[len(order) // 2:len(order) // 2 + 4] + order[-4:]
    for word in chosen:
        expected = plain.find(lambda row: has_word(row, word))
        assert found(daemon, word.capitalize()) == expected, word
        assert expected
    return chosen


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 5, "--contacts", 60, "--companies", 5, "--conversations", 150, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    plain = Plain(daemon)
    chosen = check_words(daemon, plain)
    report.ok("words in messages and conversations", "%d words" % len(chosen))

    rare, common = chosen[0], chosen[-1]
    text = next(t for row in plain.messages for t in words(row) if len(t) > 3 and t[1].isascii() and t[2].isascii())
    first, second = text[1], text[2]
    assert found(daemon, '"%s %s"' % (first, second)) == plain.find(lambda row: has_phrase(row, first, second))
    assert found(daemon, common + " -" + rare) == plain.find(lambda row: has_word(row, common) and not has_word(row, rare))
    assert found(daemon, common + " OR " + rare) == plain.find(lambda row: has_word(row, common) or has_word(row, rare))
    assert found(daemon, common[:2] + "*") == plain.find(
        lambda row: any(w.startswith(common[:2]) for t in words(row) for w in t))
    open_ones = found(daemon, common, where="state = open")
    assert open_ones == {key for key in found(daemon, common) if plain.conversations[key]["state"] == "open"}
    report.ok("phrases, prefixes, what is left out", "%s, %s %s" % (rare, first, second))

    expected = plain.find(lambda row: has_word(row, common))
    assert found(daemon, common, limit=7) == expected
    total = daemon.call("query", resource="conversations", text=common, limit=0, total=True)
    assert total["total"] == len(expected) and total["rows"] == [], total
    total = daemon.call("query", resource="messages", text=common, limit=0, total=True)
    assert total["total"] == sum(has_word(row, common) for row in plain.messages), total
    assert total["stats"]["scanned"] == 0, total
    report.ok("pages and counts", "%d conversations, %d messages" % (len(expected), total["total"]))

    groups = daemon.call("aggregate", resource="conversations", text=common, group_by="state")
    assert groups["total"] == len(expected), groups
    states = [plain.conversations[key]["state"] for key in expected]
    assert {group["state"]: group["count"] for group in groups["groups"]} == {s: states.count(s) for s in states}, groups
    printed = ficq(daemon, "count", "conversations", "--text", common, "--by", "state", "-o", "csv", "--no-header").stdout
    assert set(printed.splitlines()) == {"%s,%d" % (s, states.count(s)) for s in states}, printed
    assert found(daemon, common, limit=7, sort="-updated") == expected
    run = ficq(daemon, "search", common, "--sort=-reopens", "--fields", "reopens,snippet", "-o", "csv", "--no-header", "-n0")
    reopens = [int(line.split(",")[0] or -1) for line in run.stdout.splitlines() if line[:1].isdigit() or line[:1] == ","]
    assert len(reopens) == len(expected) and reopens == sorted(reopens, reverse=True), run
    report.ok("in groups, and in the order of a field", "%d states" % len(set(states)))

    best = [json.loads(line)["id"] for line in ficq(daemon, "search", common, "--sort", "relevance", "-n", "0", "-o", "ndjson").stdout.splitlines()]
    assert set(best) == expected and len(best) == len(expected), best
    assert found(daemon, common, limit=7, sort="relevance") == expected
    run = ficq(daemon, "query", "conversations", "--sort", "relevance", code=64)
    assert "relevance is an order of what a text finds" in run.stderr, run
    run = ficq(daemon, "search", common, "--sort=-relevance", code=64)
    assert "one way only" in run.stderr, run
    report.ok("by relevance", "%d conversations" % len(best))

    for bad, why in (('refund "order', "column 8"), ("-spam", "only leaves out"), ("a || b", "did you mean OR?")):
        try:
            raise AssertionError(daemon.call("query", resource="conversations", text=bad))
        except RpcError as error:  # noqa: F405
            assert error.code == 8 and why in str(error) and "THE TEXT LANGUAGE" in error.data["hint"], (error, error.data)
    run = ficq(daemon, "search", 'refund "order', code=65)
    assert "column 8: this phrase is not closed" in run.stderr, run
    report.ok("what cannot be understood: where and why")

    rows = [json.loads(line) for line in ficq(daemon, "search", common, "-n", "0", "-o", "ndjson").stdout.splitlines()]
    assert {row["id"] for row in rows} == expected
    assert ficq(daemon, "count", "conversations", "--text", common).stdout == "%d\n" % len(expected)
    table = ficq(daemon, "search", first, second, "--resource", "messages", "--color", "always", "--wide").stdout
    assert "SNIPPET" in table and "\x1b[33m" in table and "\u27e6" not in table, table
    table = ficq(daemon, "query", "messages", "--text", common, "--color", "never", "--wide").stdout
    assert "SNIPPET" in table and "\x1b" not in table and "\u27e6" in table, table
    csv = ficq(daemon, "search", common, "--fields", "id,snippet", "-o", "csv").stdout.splitlines()
    assert csv[0] == "id,snippet" and all("\u27e6" in line for line in csv[1:]) and len(csv) > 1, csv
    plain = [json.loads(line) for line in ficq(daemon, "search", common, "--fields", "subject", "-o", "ndjson").stdout.splitlines()]
    assert plain and all("snippet" not in row for row in plain), plain[:2]
    for more in ({}, {"sort": "-reopens"}, {"sort": "relevance"}):
        asked = {"resource": "conversations", "text": common, "limit": 5, **more}
        shown = daemon.call("query", fields=["id", "snippet"], **asked)["rows"]
        bare = daemon.call("query", fields=["id"], **asked)["rows"]
        assert all("\u27e6" in row["snippet"] for row in shown) and [{**row, "snippet": 0} for row in bare] == [{**row, "snippet": 0} for row in shown]
        assert not any("snippet" in row for row in bare), bare
    report.ok("ficq search, --text, the snippet")

    for seed in (1, 2):
        sim.mutate(120, seed)
        sim.control("POST", "clock", {"advance_s": 30})
        daemon.sync()
    plain = Plain(daemon)
    chosen = check_words(daemon, plain)
    daemon.stop()
    daemon.start()
    wait_until("ficd listens", daemon.connectable)  # noqa: F405
    check_words(daemon, plain)
    report.ok("after changes", "%d words" % len(chosen))
