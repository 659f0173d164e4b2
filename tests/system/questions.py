#!/usr/bin/env python3
"""Hundreds of generated questions are answered as a plain scan of all records answers them: on records with changes, deletions, merged and cut
threads, in many files and in few, after a restart, and while syncs write; and cursors go on across all of that.

QUESTIONS says how many (500), QUESTIONS_SEED which ones (1).
"""
# run-tests: beside others
import collections
import contextlib
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
import plain_scan as plain  # noqa: E402

COUNT = int(os.environ.get("QUESTIONS", "500"))
SEED = int(os.environ.get("QUESTIONS_SEED", "1"))
DAY = 86400
TRIES = 3
SLACK = 60000  # milliseconds between the clocks of the provider, the daemon and this side
MERGED = 3
LATER = 40
RANKED = 1000  # as the manual says: so many of the newest are put in order
TIME_FORMS = ["%Y-%m-%dT%H:%M:%SZ"] * 3 + ["%Y-%m-%dT%H:%MZ", "%Y-%m-%d", "%Y-%m"]

CHECKS = (
    "fields are what the provider's objects have",
    "answers on changes in many files",
    "what is asked of a time that moves on",
    "cursors go on across a commit, a restart and compaction",
    "answers after a restart and compaction",
    "answers while syncs write",
    "in the end the cache is the truth")
report = Report(*CHECKS) if __name__ == "__main__" else None  # noqa: F405


# --- making questions ---

class Maker:
    """Draws questions about what there is, so that most of them find something."""

    def __init__(self, held, seed):
        self.random, self.held = random.Random(seed), held
        self.pool = {resource: held.all(resource) for resource in plain.FIELDS}

    def record(self, resource):
        return self.random.choice(self.pool[resource])

    def seconds(self, resource, axis):
        return getattr(self.record(resource), axis) // 1000 + self.random.choice([0, 0, 0, 1, -DAY, DAY])

    def span(self, resource, question):
        axis = self.random.choice(["created", "updated"])
        if self.random.random() < 0.6:
            question["axis"] = axis
        bounds = sorted(self.seconds(resource, question.get("axis", "created")) for _ in "ab")
        for name, value in zip(("since", "until"), bounds):
            if self.random.random() < 0.7:
                question[name] = value

    def value(self, resource, name, kind):
        for _ in range(20):
            _, value = self.record(resource).value(name)
            if isinstance(value, list):
                value = self.random.choice(value) if value else None
            if value is not None and value != "":
                break
        else:
            return {"integer": "1", "time": "2026-01-01T00:00:00Z", "bool": "true"}.get(kind, "999")  # a word might be looked for among names
        if kind == "time" and plain.NOW[0] is not None and self.random.random() < 0.3:
            hours = max(1, (plain.NOW[0] - value) // 3600000)
            return self.random.choice(["today", "yesterday", "%dh ago" % hours, "%dd ago" % (hours // 24)])
        if kind == "time":
            return time.strftime(self.random.choice(TIME_FORMS), time.gmtime(value // 1000))
        return plain.as_text(value)[:60]

    def term(self, resource):
        if self.random.random() < 0.12:
            name = {"conversations": "statistics.count_reopens", "messages": "author.type", "contacts": "location.country",
                    "tickets": "ticket_type.name"}[resource]
            if self.random.random() < 0.3:
                return "term", name, "exists", []
            operators = ["=", "!=", "in"] + ([">=", "<"] if resource == "conversations" else [])
            return "term", name, self.random.choice(operators), [self.value(resource, name, "any")]
        names = dict(plain.FIELDS[resource], created=("time", []), updated=("time", []), id=("text", []))
        names.update({name: ("html", []) for name in plain.SHOWN.get(resource, [])})
        if resource in plain.CHILD.values():
            names["parent"] = ("text", [])
        if self.random.random() < 0.08:  # a few that are named
            name = self.random.choice(["id", "parent"] if "parent" in names else ["id"])
            return "term", name, "in", [self.value(resource, name, "text") for _ in range(self.random.randint(1, 9))]
        name = self.random.choice(sorted(names))
        kind = names[name][0]
        operator = self.random.choice({
            "text": ["=", "!=", "<", "<=", ">", ">=", "in", "in", "contains", "~", "exists"],
            "html": ["~", "~", "contains", "exists"], "list": ["contains", "contains", "=", "!=", "in", "~", "exists"],
            "bool": ["=", "!="], "time": ["=", "!=", "<", "<=", ">", ">=", "in", "exists"],
            "integer": ["=", "!=", "<", "<=", ">", ">=", "in", "exists"]}[kind])
        if operator == "exists":
            return "term", name, operator, []
        values = [self.value(resource, name, kind) for _ in range(self.random.randint(2, 4) if operator == "in" else 1)]
        if kind == "html" or operator in ("~", "contains") and kind == "text":
            values = [self.part(values[0])]
        return "term", name, operator, values

    def part(self, text):
        """Some of a text, in ASCII: case is told apart no further here."""
        words = [w for w in text.split() if w.isascii() and w.isprintable()]
        word = self.random.choice(words or ["order"])
        start = self.random.randrange(max(1, len(word) - 3))
        word = word[start:start + self.random.randint(3, 12)]
        return self.random.choice([word, word.upper(), word.lower()])

    def condition(self, resource, depth=0):
        draw = self.random.random()
        if depth > 2 or draw < 0.5:
            return self.term(resource)
        if draw < 0.62:
            return "not", self.condition(resource, depth + 1)
        parts = [self.condition(resource, depth + 1) for _ in range(self.random.randint(2, 3))]
        return self.random.choice(["and", "or"]), parts

    def words(self, resource):
        """Neighbours in one text, plain enough to stand in a question as they are."""
        for _ in range(100):
            record = self.record(self.random.choice([resource, plain.CHILD.get(resource, resource)])
                                 if plain.CHILD.get(resource) in self.pool else resource)
            for text in record.texts:
                at = self.random.randrange(len(text)) if text else 0
                chosen = text[at:at + 3]
                if chosen and all(len(w) > 1 and (w.isascii() or w.isalpha()) and w.isalnum() for w in chosen):
                    return chosen
        return ["order"]

    def run(self):
        """Some of a text without spaces between its words; None: there is none."""
        for _ in range(400):
            for text in self.record("messages").texts:
                pairs = [word for word in text if len(word) == 2 and all(map(plain.is_pair, word))]
                at = self.random.randrange(len(pairs)) if pairs else 0
                run = pairs[at:at + self.random.randint(1, 4)]
                if run and all(a[1] == b[0] for a, b in zip(run, run[1:])):
                    return run
        return None

    def search(self, resource):
        run = self.run() if self.random.random() < 0.12 else None
        if run:
            return "run", run
        words = self.words(resource)
        word = "word", words[0]
        draw = self.random.random()
        if draw < 0.3:
            return word
        if draw < 0.5:
            return "phrase", words[:self.random.randint(2, 3)]
        if draw < 0.62:
            return "prefix", words[0][:self.random.randint(2, 4)]
        other = "word", self.words(resource)[0]
        if draw < 0.76:
            return "and", [word, other]
        if draw < 0.88:
            return "and", [word, ("not", other)]
        third = "word", self.words(resource)[0]
        return "and", [("or", [word, other]), third] if draw < 0.94 else [("or", [("phrase", words[:2]), other])]

    def question(self):
        resource = self.random.choices(sorted(self.pool), [2, 6, 4, 2])[0]  # only conversations have numbers
        question = {"resource": resource}
        if self.random.random() < 0.6:
            self.span(resource, question)
        draw = self.random.random()
        if draw < 0.65:
            question["condition"] = self.condition(resource)
        if draw > 0.5 and resource != "contacts" or draw > 0.9:
            question["search"] = self.search(resource)
        kind = self.random.random()
        if kind < 0.25:
            self.grouping(resource, question)
        elif kind < 0.4:
            question.update(limit=0, total=True)
        else:
            self.listing(resource, question)
        return question

    def recent(self):
        """About what is newer or older than so long ago, and nothing else."""
        question = self.question()
        resource, axis = question["resource"], self.random.choice(["created", "updated"])
        question = {name: value for name, value in question.items() if name not in ("since", "until", "search")}
        if question.get("sort") == "relevance":
            del question["sort"]
        hours = max(1, (plain.NOW[0] - getattr(self.record(resource), axis)) // 3600000)
        question["condition"] = "term", axis, self.random.choice(["<", "<=", ">", ">="]), ["%dh ago" % hours]
        return question

    def siblings(self):
        """Totals of one search over spans that begin alike: what was counted for one is no answer to the next."""
        resource, word = "messages", ("word", self.words("messages")[0])
        first, *ends = sorted(self.seconds(resource, "created") for _ in range(4))
        return [{"resource": resource, "search": word, "since": first, "until": end, "limit": 0, "total": True} for end in ends]

    def common(self):
        """What nearly every thread has, newest first: pages end between threads that were begun in the same second."""
        words = collections.Counter(word for record in self.pool["messages"] for word in record.words if word.isascii())
        return [{"resource": "conversations", "search": ("word", word), "limit": limit, "pages": 1000}
                for word, _ in words.most_common(2) for limit in (7, 20)]

    def grouping(self, resource, question):
        names = [name for name, (kind, _) in plain.FIELDS[resource].items() if kind in ("text", "list", "bool")]
        names += ["day", "week", "month", "hour:updated", "day:updated"]
        question["group_by"] = self.random.sample(names, self.random.randint(0, 2))
        numbers = [name for name, (kind, _) in plain.FIELDS[resource].items() if kind == "integer"]
        if numbers and self.random.random() < 0.9:
            question["metrics"] = sorted({"%s:%s" % (how, self.random.choice(numbers)) for how in self.random.sample(
                ["count", "min", "max", "sum", "avg", "p50", "p90", "p99"], 4)})
        question["timezone"] = self.random.choice(["UTC", "Europe/Paris", "America/Los_Angeles", "Asia/Kolkata"])

    def listing(self, resource, question):
        if self.random.random() < 0.3:
            question["timezone"] = self.random.choice(["Europe/Paris", "America/Los_Angeles", "Asia/Tokyo"])
        question["limit"] = self.random.choice([1, 7, 20, 50, 1000])
        question["pages"] = self.random.choice([1, 1, 1000])
        if question["pages"] > 1:
            question["limit"] = max(20, question["limit"])
        if self.random.random() < 0.4:
            names = [name for name, (kind, _) in plain.FIELDS[resource].items() if kind != "list"] + ["created", "updated"]
            question["sort"] = self.random.choice(["", "-"]) + self.random.choice(names)
        elif "search" in question and self.random.random() < 0.3:
            question["sort"] = "relevance"


# --- asking them ---

def parameters(question):
    params = {name: question[name] for name in ("resource", "axis", "since", "until", "sort", "limit", "total", "group_by",
                                                "metrics", "timezone") if name in question}
    if "condition" in question:
        params["where"] = plain.where_text(question["condition"])
    if "search" in question:
        params["text"] = plain.search_text(question["search"])
    return params


def ask(client, question):
    params = parameters(question)
    if "group_by" in question:
        return client.call("aggregate", **params, limit=0)
    rows, cursor, answer = [], {}, None
    for _ in range(question.get("pages", 1)):
        answer = client.call("query", fields=["id"], **params, **cursor)
        rows += answer["rows"]
        if not answer["next_cursor"]:
            break
        cursor = {"cursor": answer["next_cursor"]}
    return dict(answer, rows=rows)


def judge_rows(held, question, answer):
    found = {record.id: record for record in held.select(question)}
    ids = [row["id"] for row in answer["rows"]]
    assert len(set(ids)) == len(ids), "a row came twice"
    assert set(ids) <= found.keys(), ("too many", sorted(set(ids) - found.keys())[:5])
    ranked = question.get("sort") == "relevance"  # which of two is more to the point is a matter of taste; whether both are found is not
    keys = sorted((0, 0) if ranked else plain.sort_key(record, question) for record in found.values())
    if ranked:
        keys = keys[:RANKED]
    if question.get("pages") == 1:
        keys = keys[:question["limit"]]
    if question.get("total"):
        assert answer["total"] == len(found), ("total", answer["total"], len(found))
        return
    got = [(0, 0) if ranked else plain.sort_key(found[key], question) for key in ids]
    assert len(got) == len(keys), ("rows", len(got), len(keys), sorted(found.keys() - set(ids))[:5])
    assert got == keys, ("order", next((i, a, b) for i, (a, b) in enumerate(zip(got, keys)) if a != b))
    if answer.get("total") is not None:
        assert answer["total"] == len(found), ("total", answer["total"], len(found))


def same_number(a, b):
    if a is None or b is None:
        return a is b
    return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))


def judge_groups(held, question, answer):
    records = held.select(question)
    assert answer["total"] == len(records), ("total", answer["total"], len(records))
    names, metrics = question["group_by"], question.get("metrics", [])
    expected = plain.groups(records, names, metrics, question["timezone"])
    if not names and not records:
        return  # whether nothing is a group of 0 is a matter of taste
    got = {}
    for group in answer["groups"]:
        key = tuple(plain.milliseconds(group[name]) if name.partition(":")[0] in ("hour", "day", "week", "month") else
                    group[name] for name in names)
        assert key not in got, ("a group came twice", key)
        got[key] = group
    assert got.keys() == expected.keys(), ("groups", sorted(map(str, got.keys() ^ expected.keys()))[:6])
    for key, group in expected.items():
        for name, value in group.items():
            assert same_number(got[key][name], value), ("group", key, name, got[key][name], value)


def is_relative(question):
    return "condition" in question and plain.is_relative(question["condition"])


def is_certain(held, question):
    """Whether it is found the same a little sooner and later; the time from which relative ones are told is left at now."""
    found = []
    for plain.NOW[0] in (held.clock() * 1000 + slack for slack in (-SLACK, SLACK, 0)):
        found.append({record.id for record in held.select(question)})
    return found[0] == found[1]


def judge(held, question, answer):
    if is_relative(question) and not is_certain(held, question):
        return
    try:
        (judge_groups if "group_by" in question else judge_rows)(held, question, answer)
    except AssertionError as error:
        raise AssertionError("%s\n  of %s" % (error, parameters(question))) from error


def revision(client):
    return client.call("status")["store"]["revision"]


def ask_one(client, held, question):
    """Its answer, and whether nothing was stored since `held` was brought up to date."""
    held.follow(client)
    answer = ask(client, question)
    return answer, revision(client) == held.revision


def judge_again(client, held, question):
    """What is asked again may be answered from what was kept of the first times: it must be as right, whatever was stored meanwhile."""
    for _ in range(2):
        answer = ask(client, question)
    if revision(client) == held.revision:
        judge(held, question, answer)


def ask_all(daemon, held, questions, pause=contextlib.nullcontext()):
    """Each is judged by the records of the very revision that it was answered from: one that a commit has met is asked again, at last while
    nothing is written. How many were."""
    client, again = daemon.client(), 0
    for question in questions:
        for _ in range(TRIES):
            answer, exact = ask_one(client, held, question)
            if exact:
                break
            again += 1
        if not exact:
            with pause:
                answer, exact = ask_one(client, held, question)
        assert exact, "something was stored although no sync ran"
        judge(held, question, answer)
        judge_again(client, held, question)
    client.close()
    return again


def check_fields(daemon, held):
    """What the daemon calls a field is what this side reads from the object."""
    client, count = daemon.client(), 0
    for resource, fields in plain.FIELDS.items():
        for row in client.rows(resource):
            record = held.records[resource, row["id"]]
            for name, (kind, _) in fields.items():
                value = record.value(name)[1]
                shown = row.get(name)
                if kind == "time":
                    shown = plain.milliseconds(shown)
                assert (None if value == [] else value) == shown, (resource, row["id"], name, value, shown)
                count += 1
    client.close()
    return count


class Writer(threading.Thread):
    """Changes the world and has it read, until it is told to stop."""

    def __init__(self, daemon, sim):
        super().__init__()
        self.daemon_, self.sim, self.ended, self.syncs, self.failure = daemon, sim, threading.Event(), 0, None
        self.turn = threading.Lock()

    def run(self):
        try:
            while not self.ended.is_set():
                with self.turn:
                    self.sim.mutate(40, 1000 + self.syncs)
                    self.sim.control("POST", "clock", {"advance_s": 20})
                    self.daemon_.sync()
                    self.syncs += 1
                self.ended.wait(0.1)  # a lock is not fair: whoever waits for it gets it now
        except Exception as failure:  # told by the main thread
            self.failure = failure

    def stop(self):
        self.ended.set()
        self.join(120)
        assert not self.is_alive() and self.failure is None, self.failure


def files(folder):
    """Segments on disk of the two largest resources."""
    return {os.path.join(path, name) for resource in ("conversations", "messages")
            for path, _, names in os.walk(os.path.join(folder, "state", "acme", resource)) for name in names if name.endswith(".seg")}


def change(sim, daemon, seed, count, **kinds):
    """A round of changes, read and written to files of their own."""
    sim.mutate(count, seed, **kinds)
    sim.control("POST", "clock", {"advance_s": 600})
    daemon.sync()
    daemon.call("prune")


def compact(sim, daemon, folder):
    """Deletes much, and changes on until several of the files are merged with others; how many files there were, and how many of them are left."""
    before = files(folder)
    change(sim, daemon, 500, 130, kinds=["delete_conversation"])
    for seed in range(30):
        change(sim, daemon, 501 + seed, 20)
        left = before & files(folder)
        if len(left) <= len(before) - MERGED:
            return len(before), len(left)
    raise AssertionError("after 30 rounds of changes %d of %d files are still there" % (len(left), len(before)))


class Walk:
    """A question that is turned page by page while the world goes on."""

    def __init__(self, held, question, limit):
        self.question, self.limit, self.ids, self.cursor, self.pages = question, limit, [], {}, 0
        self.before = {record.id for record in held.select(question)}

    def turn(self, client, limit):
        if self.cursor is None:
            return
        answer = client.call("query", fields=["id"], **dict(parameters(self.question), limit=limit), **self.cursor)
        self.ids += [row["id"] for row in answer["rows"]]
        self.cursor = {"cursor": answer["next_cursor"]} if answer["next_cursor"] else None
        self.pages += 1

    def judge(self, held, still):
        """Of the records that stayed as they were those that are found came once and in their place, and no others came."""
        after = {record.id: record for record in held.select(self.question)}
        same = self.before & after.keys() & still
        got = [key for key in self.ids if key in still]
        words = "of %s, %d pages" % (parameters(self.question), self.pages)
        assert len(set(got)) == len(got), ("a row came twice", words)
        assert set(got) == same, ("rows are missing, or too many", sorted(same ^ set(got))[:5], words)
        keys = [plain.sort_key(after[key], self.question) for key in got]
        assert keys == sorted(keys), ("order", words)
        if self.question.get("sort") is None and self.question.get("axis", "created") == "created":
            assert len(set(self.ids)) == len(self.ids), ("a row came twice although its place is for good", words)


def check_cursors(daemon, sim, held, maker, folder):
    """Between the pages: a commit, a restart, a compaction."""
    client = daemon.client()
    held.follow(client)
    first = dict(held.records)
    walks = []
    while len(walks) < max(20, COUNT // 20):
        question = maker.question()
        if "pages" in question and question.get("sort") != "relevance" and not is_relative(question):
            walks.append(Walk(held, question, maker.random.randint(2, 9)))
    merged = None
    for step in range(4):
        for walk in walks:
            walk.turn(client, walk.limit)
        if step == 0:
            sim.mutate(60, 300 + SEED)
            sim.control("POST", "clock", {"advance_s": 600})
            daemon.sync()
        elif step == 1:
            client.close()
            daemon.stop()
            daemon.start()
            client = daemon.client()
        elif step == 2:
            merged = compact(sim, daemon, folder)
    for walk in walks:
        while walk.cursor:
            walk.turn(client, 1000)
    held.follow(client)
    touched = {record.parent for key, record in (first.items() ^ held.records.items())}
    for walk in walks:
        walk.judge(held, {key for (resource, key), record in held.records.items() if resource == walk.question["resource"] and
                          record is first.get((resource, key)) and key not in touched})
    client.close()
    far = sum(walk.pages > 4 for walk in walks)
    assert far >= len(walks) // 3, "only %d of %d questions have so many pages" % (far, len(walks))
    report.ok("cursors go on across a commit, a restart and compaction", "%d questions, %d of them of more than four pages" % (len(walks), far))
    return merged


def kinds_of(question):
    """All that a question is made of."""
    def parts(nest):
        if isinstance(nest, (tuple, list)) and nest:
            yield "%s %s" % (nest[0], nest[2]) if nest[0] == "term" else nest[0]
            for inner in nest[1] if nest[0] in ("and", "or") else [nest[1]] if nest[0] == "not" else []:
                yield from parts(inner)
    yield "resource " + question["resource"]
    yield "axis " + question.get("axis", "created")
    yield from parts(question.get("condition"))
    for kind in parts(question.get("search")):
        yield "text " + kind
    yield from ("since" for _ in range("since" in question))
    if "sort" in question:
        yield "sort relevance" if question["sort"] == "relevance" else "sort down" if question["sort"].startswith("-") else "sort up"
    if is_relative(question):
        yield "relative"
    if "limit" in question:
        yield "total" if question.get("total") else "to the end" if question["pages"] > 1 else "limit"
    for name in question.get("group_by", []):
        yield "group by time" if ":" in name or name in ("day", "week", "month") else "group"
    for name in question.get("metrics", []):
        yield name.partition(":")[0]


EVERY = {"resource " + name for name in plain.FIELDS} | {"term " + op for op in ("=", "!=", "<", "<=", ">", ">=", "in", "contains", "~", "exists")} | {
    "and", "or", "not", "axis created", "axis updated", "since", "relative", "sort up", "sort down", "total", "to the end", "limit", "group", "group by time",
    "sort relevance",
    "text word", "text phrase", "text prefix", "text and", "text or", "text not", "text run", "count", "min", "max", "sum", "avg", "p50", "p90", "p99"}


def check_questions(questions, held):
    """They must be able to fail: everything that can be asked is asked several times, most find something, few find everything."""
    kinds = [kind for question in questions for kind in kinds_of(question)]
    seldom = {kind for kind in EVERY if kinds.count(kind) < len(questions) // 100}
    assert not seldom, "hardly asked: %s" % seldom
    plain.NOW[0] = held.clock() * 1000
    found = [(len(held.select(q)), len(held.all(q["resource"]))) for q in questions]
    some = sum(0 < n < of for n, of in found)
    assert some > len(questions) / 2, "only %d of %d questions find some records and not all" % (some, len(questions))
    return some


def check_later(sim, daemon, held, maker):
    """A day later the same words mean other records, though none has changed."""
    questions = [maker.recent() for _ in range(LATER)]
    ask_all(daemon, held, questions)
    before = [{record.id for record in held.select(question)} for question in questions]
    sim.control("POST", "clock", {"advance_s": DAY})
    daemon.sync()
    ask_all(daemon, held, questions)
    other = sum({record.id for record in held.select(question)} != ids for question, ids in zip(questions, before))
    assert other > LATER // 4, "only %d of %d questions find other records" % (other, LATER)
    return other


def check_cold(sim, daemon, held, folder):
    for seed in range(5):
        change(sim, daemon, 10 * SEED + seed, 80)
    sim.control("POST", "clock", {"set": (int(time.time()) // DAY + 1) * DAY})  # what lies where one day ends and the next begins
    for seed in range(3):  # files of what is new alone: a walk may leave out the older ones, by their ranges
        change(sim, daemon, 100 + 10 * SEED + seed, 40, kinds=["new_conversation"])
    # What follows stays in the journal.
    sim.mutate(30, 77)
    sim.control("POST", "clock", {"advance_s": 600})
    daemon.sync()
    client = daemon.client()
    held.follow(client)
    rows = client.call("query", resource="conversations", limit=1000)["rows"]
    assert any(row.get("truncated") for row in rows), "no thread is cut"
    client.close()
    report.ok("fields are what the provider's objects have", "%d values" % check_fields(daemon, held))
    plain.NOW[0] = held.clock() * 1000
    maker = Maker(held, SEED)
    questions = [maker.question() for _ in range(COUNT)]
    questions += [question for _ in range(4) for question in maker.siblings()] + maker.common()
    some = check_questions(questions, held)
    assert len(files(folder)) >= 6, "there are too few files: %s" % files(folder)
    ask_all(daemon, held, questions)
    report.ok("answers on changes in many files", "%d questions, %d of them find some but not all of %d records, in %d files" % (
        len(questions), some, len(held.records), len(files(folder))))
    return questions, maker


def main(folder, started):
    sim = Sim(folder, "--seed", 40 + SEED, "--contacts", 200, "--companies", 10, "--conversations", 200, "--tickets", 40,  # noqa: F405
              "--rate", 0, "--days", 120)
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    held = plain.Held()
    held.clock = lambda: sim.control("GET", "clock")["now"]
    questions, maker = check_cold(sim, daemon, held, folder)
    report.ok("what is asked of a time that moves on", "%d of %d questions find other records a day later" % (
        check_later(sim, daemon, held, maker), LATER))

    daemon.stop()
    daemon.start()
    daemon.sync()  # what is due at a start
    ask_all(daemon, held, questions[:COUNT // 5])
    merged = check_cursors(daemon, sim, held, maker, folder)
    ask_all(daemon, held, questions)
    report.ok("answers after a restart and compaction", "%d files were there, %d of them are left" % merged)

    writer = Writer(daemon, sim)
    writer.start()
    try:
        # Its clock jumps meanwhile: what is told from now is judged elsewhere.
        again = ask_all(daemon, held, [question for question in questions if not is_relative(question)], writer.turn)
    finally:
        writer.stop()
    assert writer.syncs > 2, "only %d syncs ran meanwhile" % writer.syncs
    report.ok("answers while syncs write", "%d syncs, %d questions were met by a commit and asked again" % (writer.syncs, again))

    sim.control("POST", "clock", {"advance_s": 30})
    daemon.sync()
    report.ok("in the end the cache is the truth", "%d records" % compare(daemon, sim, ["conversations", "messages", "tickets"]))  # noqa: F405


if __name__ == "__main__":
    with workplace() as (folder, started):  # noqa: F405
        main(folder, started)
