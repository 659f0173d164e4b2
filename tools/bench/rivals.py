#!/usr/bin/env python3
"""fic beside what one would use instead, in one run and in turns: a Python service over SQLite with FTS5, and the way of fast-intercom-mcp.

All hold the same conversations (tests/bench/fill.c), are asked over a UNIX socket by the same clients, and run on one core. Two clients ask: a small one in C, whose
own cost hides nothing and by which is judged, and one in Python. RIVALS_CONVERSATIONS says how many there are (20000), RIVALS_DIR where the
stores are kept for the next run (bench/rivals of the build; 2.3 KB a conversation for fic, 12 and 3 for the others), RIVALS_ROUNDS how often all is asked (5).
Exits with 1 when fic is not ahead in a row, and says in which.
"""
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "system", "support"))
import harness  # noqa: E402

COUNT = int(os.environ.get("RIVALS_CONVERSATIONS", "20000"))
ROUNDS = int(os.environ.get("RIVALS_ROUNDS", "5"))
BASE = os.environ.get("RIVALS_DIR", harness.program("bench/rivals"))
END_S, DAY = 1760000000, 86400
DAYS = max(30, min(730, COUNT // 137))  # 137 a day, and more only when there are more than 100,000
VARIANTS = 40
LARGE = COUNT >= 1000000
SOURCES = [os.path.join(HERE, name) for name in ("fts5_service.py", "like_service.py")] + \
    [os.path.join(HERE, "..", "..", "tests", "bench", name) for name in ("fill.c", "support/page.c", "support/fill.c")]

# Row: (fic's goal in microseconds, the FTS5 service's time when the goals were set, that of LIKE; None: not set); what is asked is made in `Questions`.
GOALS = {
    "get": ("get by id", 18, 28, 177),
    "thread": ("get by id, with its thread", 18, 28, 177),
    "summaries": ("newest 100 of a day, summary fields", 15, 136, None),
    "day": ("newest 100 of a day, records", 650, 987, 2704),
    "day_threads": ("newest 100 of a day, with threads", 650, 987, 2704),
    "assigned": ("open + assignee, 30 days, 50 records", 200, 322, None),
    "rare": ("rare word, 20 records", 130, 197, 248000),
    "common": ("common word, 20 records", 130, 168, 218000),
    "shown": ("common word, 20 subjects and snippets", None, None, None),
    "two": ("two words, 20 records", 160, 227, 380000),
    "phrase": ("phrase, 20 records", 160, 208, 197000),
    "count": ("count, common word", 10, 4755 if LARGE else 460, 2300000 if LARGE else 159000),
    "count_two": ("count, two words", 300 if LARGE else 50, 3441 if LARGE else 319, None),
    "by_state": ("count by state, 90 days", 30 if LARGE else 15, 6193 if LARGE else 580, None)}
# Of these fic is asked in MessagePack, too.
BINARY = ("summaries", "day", "assigned", "rare", "common", "two", "phrase")
SEARCHES = ("rare", "common", "shown", "two", "phrase", "count", "count_two")
# Searches that nobody asked before, one after the other, FIRST_TURN of one server and then of the other; the first FIRST_WARM make warm.
FIRST, FIRST_WARM, FIRST_TURN = 140, 20, 10


# --- the three servers ---

def digest():
    return hashlib.sha256(b"".join(open(path, "rb").read() for path in SOURCES)).hexdigest()


def fill(place):
    """Makes all three stores, unless they are there; the conversations' bytes of JSON."""
    made = os.path.join(place, "made.json")
    if os.path.exists(made):
        held = json.load(open(made))
        if held["digest"] == digest():
            return held["bytes"]
    print("filling %s with %d conversations ..." % (place, COUNT), flush=True)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(os.path.join(place, "state"), mode=0o700)
    maker = subprocess.Popen([harness.program("bench/fill"), os.path.join(place, "state", "acme"), str(COUNT), str(DAYS)],
                             stdout=subprocess.PIPE)
    rivals = [subprocess.Popen([sys.executable, os.path.join(HERE, name + "_service.py"), "fill", os.path.join(place, name + ".db")],
                               stdin=subprocess.PIPE) for name in ("fts5", "like")]
    size = 0
    for chunk in iter(lambda: maker.stdout.read(1 << 20), b""):
        size += len(chunk)
        for rival in rivals:
            rival.stdin.write(chunk)
    for rival in rivals:
        rival.stdin.close()
    assert all(process.wait() == 0 for process in [maker] + rivals), "filling failed"
    json.dump({"digest": digest(), "bytes": size}, open(made, "w"))
    return size


class Rival:
    def __init__(self, name, place, folder):
        self.name, self.database = name, os.path.join(place, name + ".db")
        self.socket_path = os.path.join(folder, name + ".sock")
        self.process = None

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket_path)
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, self.name + "_service.py"), "serve", self.database,
                                         self.socket_path])
        harness.wait_until(self.name + " listens", lambda: os.path.exists(self.socket_path))

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def files(self):
        return [self.database]


class Fic:
    name = "fic"

    def __init__(self, place, folder):
        self.state = os.path.join(place, "state")
        os.symlink(os.path.abspath(self.state), os.path.join(folder, "state"))
        self.daemon = harness.Daemon(folder, None, start=False, retry="60s")
        with open(self.daemon.config_path) as f:
            config = f.read()
        with open(self.daemon.config_path, "w") as f:
            f.write(config.replace("log_level = debug", "log_level = info"))
        self.socket_path = self.daemon.socket_path

    @property
    def process(self):
        return self.daemon.process

    def start(self):
        self.daemon.start()

    def stop(self):
        self.daemon.stop()

    def settle(self):
        """Until the daemon has nothing more to do for itself."""
        def busy():
            with open("/proc/%d/schedstat" % self.process.pid) as f:
                return int(f.read().split()[0])
        before, end = busy(), time.monotonic() + 600
        while time.monotonic() < end:
            time.sleep(1)
            now = busy()
            if now - before < 5e6:
                return
            before = now

    def files(self):
        return [os.path.join(path, name) for path, _, names in os.walk(self.state) for name in names]


# --- what is asked ---

class Questions:
    """For each row the same questions in the words of each server."""

    def __init__(self, place):
        self.random = random.Random(7)
        self.db = sqlite3.connect("file:%s?mode=ro" % os.path.join(place, "fts5.db"), uri=True)
        self.choose_words()
        self.rows = {name: [getattr(self, name)() for _ in range(VARIANTS)] for name in GOALS}
        self.db.close()

    def choose_words(self):
        self.db.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, row)")
        held = [(doc, word) for word, doc in self.db.execute("SELECT term, doc FROM temp.vocabulary WHERE doc > 9")
                if re.fullmatch("[a-z]{3,}", word) and word not in ("and", "not", "near")]
        def near(share):
            return [word for _, word in sorted(held, key=lambda one: (abs(one[0] - share), one[1]))[:8]]
        self.rare_words, self.common_words = near(25), near(COUNT * 0.12)
        self.choose_new_words(held)
        counts = {word: doc for doc, word in held}
        pairs = {}
        for body, in self.db.execute("SELECT body FROM texts ORDER BY number DESC LIMIT 400"):
            found = re.findall("[a-z]+", body.lower())
            for pair in set(zip(found, found[1:])):
                if all(0.01 * COUNT < counts.get(word, 0) < 0.3 * COUNT for word in pair):
                    pairs[pair] = pairs.get(pair, 0) + 1
        often = [" ".join(pair) for pair in sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:8 + FIRST_WARM + FIRST]]
        self.phrases, self.new_phrases = often[:8], often[8:]
        self.random.shuffle(self.new_phrases)

    def choose_new_words(self, held):
        """Words for questions that are asked once: none of those that are asked again and again, none twice in a row."""
        taken = set(self.rare_words + self.common_words)
        rare = sorted((abs(doc - 25), word) for doc, word in held if word not in taken)[:FIRST_WARM + FIRST]
        self.new_rare = [word for _, word in rare]
        self.new_common = sorted(word for doc, word in held if 0.08 * COUNT < doc < 0.15 * COUNT and word not in taken)
        self.random.shuffle(self.new_rare)
        self.random.shuffle(self.new_common)

    def new(self):
        """For each row of a search questions of which each is another one."""
        many = FIRST_WARM + FIRST
        shown, counted = self.new_common[:many], self.new_common[many:2 * many]
        pairs = [" ".join(self.random.sample(self.new_common, 2)) for _ in range(2 * many)]
        quoted = ['"%s"' % phrase for phrase in self.new_phrases]
        snippets = [self.showing(text) for text in self.new_common[2 * many:3 * many]]
        rows = {"rare": self.new_rare, "common": shown, "two": pairs[:many], "phrase": quoted, "count": counted, "count_two": pairs[many:]}
        return {"shown": snippets, **{row: [self.counting(text) if row.startswith("count") else self.search(text, text) for text in texts]
                                      for row, texts in rows.items()}}

    def first(self, server, binary=False):
        return [self.fic("query", limit=0) if binary else self.rows["get"][0][server.name]]

    @staticmethod
    def fic(method, **params):
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": dict(resource="conversations", **params)})

    @staticmethod
    def rival(method, **params):
        return json.dumps({"id": 1, "method": method, "params": params})

    def id(self):
        return str(1000000 + self.random.randrange(COUNT))

    def get(self):
        key = self.id()
        return {"fic": self.fic("get", id=key), "fts5": self.rival("get", id=key), "like": self.rival("get", id=key)}

    @staticmethod
    def fic_thread(key):
        """What the rivals give: the provider's objects, without fic's own fields beside them."""
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "thread", "params": {"id": key, "fields": ["doc"]}})

    def thread(self):
        key = self.id()
        return {"fic": self.fic_thread(key), "fts5": self.rival("thread", id=key), "like": self.rival("thread", id=key)}

    def span(self, days):
        since = END_S - self.random.randrange(days, DAYS) * DAY
        return {"since": since, "until": since + days * DAY}

    def listing(self, method, days, limit, fic, **rival):
        span = self.span(days)
        return {"fic": self.fic("query", limit=limit, **span, **fic),
                **{name: self.rival(method, limit=limit, **span, **rival) for name in ("fts5", "like")}}

    def summaries(self):
        asked = self.listing("summaries", 1, 100, {"fields": ["id", "created", "updated", "state", "assignee", "subject"]})
        del asked["like"]
        return asked

    def day(self):
        return self.listing("day", 1, 100, {"fields": ["doc"]})

    def day_threads(self):
        """fic's answer has no parts: a thread is a question of its own, and all of them are sent at once with the first."""
        asked = self.listing("day_threads", 1, 100, {"fields": ["id"]})
        span = json.loads(asked["fts5"])["params"]
        keys = self.db.execute("SELECT id FROM conversations WHERE created >= ? AND created < ? ORDER BY created DESC LIMIT 100",
                               (span["since"], span["until"]))
        threads = [self.fic_thread(key) for key, in keys]
        asked["fic"] = "\t".join([asked["fic"]] + threads)
        return asked

    def assigned(self):
        who = str(991267000 + self.random.randrange(40))
        asked = self.listing("assigned", 30 if DAYS > 30 else 29, 50,
                             {"fields": ["doc"], "where": "state = open and assignee = " + who}, assignee=who)
        del asked["like"]
        return asked

    def search(self, text, words):
        return {"fic": self.fic("query", text=text, limit=20, fields=["doc"]),
                **{name: self.rival("search", words=words, limit=20) for name in ("fts5", "like")}}

    def showing(self, text):
        return {"fic": self.fic("query", text=text, limit=20, fields=["subject", "snippet"]), "fts5": self.rival("snippets", words=text, limit=20)}

    def rare(self):
        word = self.random.choice(self.rare_words)
        return self.search(word, word)

    def common(self):
        word = self.random.choice(self.common_words)
        return self.search(word, word)

    def shown(self):
        return self.showing(self.random.choice(self.common_words))

    def pair(self):
        return " ".join(self.random.sample(self.common_words, 2))

    def two(self):
        words = self.pair()
        return self.search(words, words)

    def phrase(self):
        words = '"%s"' % self.random.choice(self.phrases)
        return self.search(words, words)

    def counting(self, words):
        return {"fic": self.fic("query", text=words, limit=0, total=True), "fts5": self.rival("count", words=words)}

    def count(self):
        word = self.random.choice(self.common_words)
        return dict(self.counting(word), like=self.rival("count", words=word))

    def count_two(self):
        return self.counting(self.pair())

    def by_state(self):
        span = self.span(90 if DAYS > 90 else DAYS - 1)
        return {"fic": self.fic("aggregate", group_by=["state"], **span), "fts5": self.rival("by_state", **span)}


# --- asking ---

def first_at_the_cpu(servers):
    """Clients, and then servers, go before others at work on this machine, who are not what is compared. False: not allowed here."""
    try:
        for server in servers:
            os.sched_setscheduler(server.process.pid, os.SCHED_FIFO, os.sched_param(10))
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
    except OSError:
        return False
    return True


def ask_c(server, lines, form=""):
    """(microseconds, bytes) of each."""
    run = subprocess.run([harness.program("bench/ask"), form + server.socket_path, "1"], input="".join(line + "\n" for line in lines),
                         capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, (server.name, run.stderr)
    return [(int(ns) / 1e3, int(size)) for ns, size in map(str.split, run.stdout.splitlines())]


def ask_python(server, lines):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(server.socket_path)
        out = []
        for line in lines:
            data, answers = (line.replace("\t", "\n") + "\n").encode(), line.count("\t") + 1
            begin, size = time.perf_counter(), 0
            client.sendall(data)
            while answers:
                got = client.recv(1 << 20)
                assert got, server.name + " hung up"
                answers -= got.count(b"\n")
                size += len(got)
            out.append(((time.perf_counter() - begin) * 1e6, size))
        return out


def answer(server, line):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(server.socket_path)
        client.sendall(line.encode() + b"\n")
        with client.makefile("rb") as lines:
            held = json.loads(lines.readline())
    assert "result" in held, held
    return held["result"]


def check_agree(servers, questions):
    """The same questions have the same answers, where both understand the same by them."""
    fic, fts5 = servers[0], servers[1]
    for name in ("count", "by_state", "summaries", "rare", "get"):
        for asked in questions.rows[name][:4]:
            a, b = answer(fic, asked["fic"]), answer(fts5, asked["fts5"])
            if name == "by_state":
                a = {group["state"]: group["count"] for group in a["groups"]}
            elif name == "get":
                a, b = a["record"]["id"], b["id"]
            elif name == "count":
                a = a["total"]
            else:
                a = sorted(row["doc"]["id"] if "doc" in row else row["id"] for row in a["rows"])
                b = sorted(row["id"] for row in b)
            assert a == b, (name, asked, str(a)[:300], str(b)[:300])


class Times:
    def __init__(self):
        self.us, self.bytes = [], 0

    def add(self, answers):
        self.us += [us for us, _ in answers]
        self.bytes = max(self.bytes, max(size for _, size in answers))

    def at(self, share):
        return sorted(self.us)[min(len(self.us) - 1, int(len(self.us) * share))]


def measure(servers, questions):
    """(row, server, client) -> Times. Each turn is a connection, and what its first question costs does not count."""
    times = {}
    for turn in range(ROUNDS + 1):
        for row, asked in questions.rows.items():
            for server in servers[turn % len(servers):] + servers[:turn % len(servers)]:
                lines = [one[server.name] for one in asked if server.name in one]
                if not lines:
                    continue
                if server.name == "like" and row in SEARCHES:
                    lines = lines[:2 if turn < 3 else 0]
                ways = [("c", ask_c), ("python", ask_python)]
                if server.name == "fic" and row in BINARY:
                    ways.append(("msgpack", lambda server, lines: ask_c(server, lines, "msgpack:")))
                for client, way in ways:
                    if lines:
                        got = way(server, questions.first(server, client == "msgpack") + (lines[:20] if client == "python" else lines))[1:]
                        if turn:  # the first round makes warm
                            times.setdefault((row, server.name, client), Times()).add(got)
    return times


def measure_first(servers, questions):
    """(row, server) -> Times. Turns begin as those of `measure`."""
    times = {}
    for row, asked in questions.new().items():
        for at in range(0, len(asked), FIRST_TURN):
            for server in servers:
                got = ask_c(server, questions.first(server) + [one[server.name] for one in asked[at:at + FIRST_TURN]])[1:]
                if at >= FIRST_WARM:
                    times.setdefault((row, server.name), Times()).add(got)
    return times


def warm(files):
    """The system holds all of them in memory, whatever was dropped by a run before."""
    for path in files:
        with contextlib.suppress(FileNotFoundError), open(path, "rb", buffering=0) as f:
            while f.read(1 << 20):
                pass


def drop(files):
    for path in files:
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(path, os.O_RDONLY)
            os.fdatasync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def measure_cold(server, lines):
    """A server that has just begun, and nothing of its files in the system's memory."""
    times = Times()
    for line in lines:
        drop(server.files())
        server.start()
        drop(server.files())
        times.add(ask_c(server, [line]))
        server.stop()
    return times


def at_once(server, lines):
    """Answers a second of eight clients; the client has a core of its own, if there is one."""
    cores = sorted(CORES)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(server.process.pid, {cores[0]})
    run = subprocess.run([harness.program("bench/ask"), server.socket_path, "8", "2"], input="".join(line + "\n" for line in lines),
                         capture_output=True, text=True, timeout=60, preexec_fn=lambda: os.sched_setaffinity(0, {cores[-1]}))
    assert run.returncode == 0, run.stderr
    return float(run.stdout)


def private_mb(server):
    """What is its own, but not the pages of a database that it maps: those are the system's, and told apart."""
    own, mapped, of_database = 0, 0, False
    with open("/proc/%d/smaps" % server.process.pid) as f:
        for line in f:
            words = line.split()
            if not words[0].endswith(":"):
                of_database = words[-1].endswith(".db")
            elif words[0] in ("Private_Clean:", "Private_Dirty:"):
                own, mapped = own + int(words[1]) * (not of_database), mapped + int(words[1]) * of_database
    return own / 1e3, mapped / 1e3


# --- telling ---

class Table:
    def __init__(self):
        self.lines, self.behind, self.short, self.held = [], [], [], {}

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def row(self, title, fic, rival, more_is_better=False, goal=None, note=""):
        """One figure; a goal is a ratio."""
        ratio = fic / rival if more_is_better else rival / fic
        verdict = "BEHIND" if ratio <= 1 else "ahead"
        if ratio <= 1:
            self.behind.append(title)
        if goal and ratio < goal:
            verdict += ", short of %.1f" % goal
            self.short.append(title)
        self.held[title] = {"fic": fic, "rival": rival, "ratio": ratio, "goal": goal}
        return "%7.2f  %s%s" % (ratio, verdict, note)


def tell_times(table, times):
    table.say("%-38s %6s %6s | %9s %9s | %9s %9s | %10s | %8s %8s | %7s" % (
        "median us by the client in C", "KB fic", "FTS5", "fic", "p99", "FTS5", "p99", "LIKE", "py: fic", "FTS5", "ratio"))
    for row, (title, goal, fts5, like) in GOALS.items():
        fic, rival = times[row, "fic", "c"], times[row, "fts5", "c"]
        other = times.get((row, "like", "c"))
        python = times[row, "fic", "python"].at(0.5), times[row, "fts5", "python"].at(0.5)
        note = "; p99 is %.1f times the median" % (fic.at(0.99) / fic.at(0.5)) if fic.at(0.99) > 3 * fic.at(0.5) else ""
        if (row, "fic", "msgpack") in times:
            note += "; %.1f us in MessagePack" % times[row, "fic", "msgpack"].at(0.5)
        note += "; above %d us" % goal if goal and fic.at(0.5) > goal else ""
        if other and other.at(0.5) <= fic.at(0.5):
            table.behind.append(title + " (LIKE)")
        table.say("%-38s %6.1f %6.1f | %9.1f %9.1f | %9.1f %9.1f | %10s | %8.1f %8.1f | %s" % (
            title, fic.bytes / 1e3, rival.bytes / 1e3, fic.at(0.5), fic.at(0.99), rival.at(0.5), rival.at(0.99),
            "%.0f" % other.at(0.5) if other else "-", *python,
            table.row(title, fic.at(0.5), rival.at(0.5), goal=goal and fts5 / goal, note=note)))
        table.held[title].update(fic_p99=fic.at(0.99), rival_p99=rival.at(0.99), like=other and other.at(0.5), bytes=fic.bytes)


def tell_first(table, times):
    table.say()
    table.say("%-38s %9s %9s | %9s %9s | %7s" % ("median us of what is asked once", "fic", "p99", "FTS5", "p99", "ratio"))
    for row in SEARCHES:
        title, goal, _, _ = GOALS[row]
        fic, rival = times[row, "fic"], times[row, "fts5"]
        note = "; p99 is %.1f times the median" % (fic.at(0.99) / fic.at(0.5)) if fic.at(0.99) > 3 * fic.at(0.5) else ""
        note += "; above %d us" % goal if goal and fic.at(0.5) > goal else ""
        table.say("%-38s %9.1f %9.1f | %9.1f %9.1f | %s" % (
            title, fic.at(0.5), fic.at(0.99), rival.at(0.5), rival.at(0.99), table.row("first " + title, fic.at(0.5), rival.at(0.5), note=note)))
        table.held["first " + title].update(fic_p99=fic.at(0.99), rival_p99=rival.at(0.99))


def tell_rest(table, size, servers, questions):
    fic, fts5, like = servers
    disk = {s.name: sum(os.path.getsize(path) for path in s.files() if os.path.exists(path)) / 1e6 for s in servers}
    held = fic.daemon.call("status")["store"]["bytes"] / 1e6
    memory = {s.name: private_mb(s) for s in servers}
    table.say()
    table.say("%-38s %10s %10s %10s | ratio to FTS5" % ("", "fic", "FTS5", "LIKE"))
    table.say("%-38s %10.1f %10.1f %10.1f | %s; %.2f of the JSON" % (
        "disk, MB", disk["fic"], disk["fts5"], disk["like"], table.row("disk", held, disk["fts5"], goal=978 / 170), held * 1e6 / size))
    own = {name: figures[0] for name, figures in memory.items()}
    table.say("%-38s %10.1f %10.1f %10.1f | %s; FTS5 maps %.0f more" % (
        "private memory, MB", own["fic"], own["fts5"], own["like"], table.row("memory", own["fic"], own["fts5"]), memory["fts5"][1]))
    for title, row in (("8 clients, gets a second", "get"), ("8 clients, counts a second", "count")):
        rates = [at_once(s, [one[s.name] for one in questions.rows[row]]) for s in (fic, fts5)]
        table.say("%-38s %10.0f %10.0f %10s | %s" % (title, *rates, "-", table.row(title, *rates, more_is_better=True)))


def tell_cold(table, servers, questions):
    table.say()
    for title, row, goal, then in (("cold: get", "get", 200, 348), ("cold: rare word, 20 records", "rare", 2000, 3400)):
        lines = {s.name: [one[s.name] for one in questions.rows[row][:8]] for s in servers}
        fic, fts5 = (measure_cold(s, lines[s.name]).at(0.5) for s in servers[:2])
        table.say("%-38s %10.0f %10.0f %10s | %s" % (title + ", us", fic, fts5, "-", table.row(title, fic, fts5, goal=then / goal)))


def main():
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    except sqlite3.OperationalError as error:
        sys.exit("rivals: the SQLite of %s has no FTS5 (%s): nothing to compare with" % (sys.executable, error))
    place = os.path.join(BASE, str(COUNT))
    size = fill(place)
    os.sched_setaffinity(0, {max(CORES)})  # all on one core: what is started from here on inherits it
    table = Table()
    table.say("%d conversations of %.2f KB" % (COUNT, size / COUNT / 1e3))
    with harness.workplace() as (folder, started):
        servers = [Fic(place, folder), Rival("fts5", place, folder), Rival("like", place, folder)]
        started += servers
        for server in servers:
            server.start()
        servers[0].settle()
        for server in servers:
            warm(server.files())
        questions = Questions(place)
        check_agree(servers, questions)
        if not first_at_the_cpu(servers):
            table.say("(whatever else runs on this machine is in the times: no right to go first)")
        tell_times(table, measure(servers, questions))
        tell_first(table, measure_first(servers[:2], questions))
        tell_rest(table, size, servers, questions)
        for server in servers:
            server.stop()
        tell_cold(table, servers, questions)
    for what, names in (("fic is short of the goal in", table.short), ("fic is BEHIND in", table.behind)):
        if names:
            table.say("%s: %s" % (what, ", ".join(names)))
    out = harness.program("bench/rivals-%d" % COUNT)
    with open(out + ".txt", "w") as f:
        f.write("\n".join(table.lines) + "\n")
    with open(out + ".json", "w") as f:
        json.dump(table.held, f, indent=1)
    return 1 if table.behind else 0


CORES = os.sched_getaffinity(0)
sys.exit(main())
