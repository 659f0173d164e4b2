#!/usr/bin/env python3
"""A rival: the service that a competent person writes over SQLite with FTS5.

Objects lie in the order of time, so that "newest first" is the order of rowids and a search stops at its limit. What is asked for in lists is in a narrow
table, the objects in another; a thread is put together from two texts, so that whoever wants no parts reads none. Texts are kept without HTML beside the index,
as changes need them. Everything is one process; statements are prepared once by the module's cache.
"""
import html
import json
import re
import sqlite3

import service

SCHEMA = """
CREATE TABLE conversations (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    state TEXT, assignee TEXT, subject TEXT);
CREATE TABLE objects (number INTEGER PRIMARY KEY, head TEXT NOT NULL, parts TEXT NOT NULL);
CREATE TABLE texts (number INTEGER PRIMARY KEY, subject TEXT, body TEXT, authors TEXT);
CREATE VIRTUAL TABLE words USING fts5(subject, body, authors, content='texts', content_rowid='number',
    tokenize="unicode61 remove_diacritics 0 separators '\U0001f642'");
"""
INDEXES = """
CREATE INDEX by_created ON conversations(created, state);
CREATE INDEX by_updated ON conversations(updated);
CREATE INDEX by_assignee ON conversations(assignee, state, created);
INSERT INTO words(words) VALUES('rebuild');
INSERT INTO words(words) VALUES('optimize');
ANALYZE;
"""
TAG = re.compile("<[^>]*>")
BATCH = 2000


def plain(text):
    return html.unescape(TAG.sub(" ", text)) if text else ""


def rows_of(conversation):
    """The rows of the three tables, without the number."""
    source = conversation["source"]
    parts = conversation.pop("conversation_parts")
    subject = plain(source["subject"])
    bodies = [plain(source["body"])] + [plain(part["body"]) for part in parts["conversation_parts"]]
    authors = [part["author"]["name"] for part in [source] + parts["conversation_parts"]]
    head = json.dumps(conversation, ensure_ascii=False, separators=(",", ":"))
    tail = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return ((conversation["id"], conversation["created_at"], conversation["updated_at"], conversation["state"],
             str(conversation["admin_assignee_id"]), subject), (head[:-1], ',"conversation_parts":' + tail), (subject, "\n".join(bodies), "\n".join(authors)))


class Fts5:
    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self.db.execute("PRAGMA mmap_size = 8000000000")
        self.db.execute("PRAGMA cache_size = -8000")
        self.db.execute("PRAGMA query_only = 1")
        self.db.text_factory = str
        self.methods = {name: getattr(self, name) for name in (
            "hello", "get", "thread", "summaries", "day", "day_threads", "assigned", "search", "snippets", "count", "by_state")}

    @staticmethod
    def fill(path, lines):
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(SCHEMA)
        db.execute("BEGIN")
        for number, line in enumerate(lines, 1):
            narrow, objects, texts = rows_of(json.loads(line))
            db.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?)", (number,) + narrow)
            db.execute("INSERT INTO objects VALUES (?, ?, ?)", (number,) + objects)
            db.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", (number,) + texts)
            if number % BATCH == 0:
                db.execute("COMMIT")
                db.execute("BEGIN")
        db.execute("COMMIT")
        db.executescript(INDEXES)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()

    def answer(self, method, params):
        return self.methods[method](**params)

    def hello(self):
        return "{}"

    def rows(self, sql, *values):
        return "[" + ",".join([head for head, in self.db.execute(sql, values)]) + "]"

    def get(self, id):
        row = self.db.execute("SELECT head || '}' FROM conversations JOIN objects USING (number) WHERE id = ?", (id,)).fetchone()
        return row[0] if row else "null"

    def thread(self, id):
        row = self.db.execute("SELECT head || parts || '}' FROM conversations JOIN objects USING (number) WHERE id = ?", (id,)).fetchone()
        return row[0] if row else "null"

    def summaries(self, since, until, limit):
        rows = self.db.execute("SELECT id, created, updated, state, assignee, subject FROM conversations WHERE created >= ? AND created < ?"
                               " ORDER BY created DESC LIMIT ?", (since, until, limit))
        return json.dumps([{"id": a, "created": b, "updated": c, "state": d, "assignee": e, "subject": f} for a, b, c, d, e, f in rows],
                          ensure_ascii=False, separators=(",", ":"))

    def day(self, since, until, limit):
        return self.rows("SELECT head || '}' FROM conversations JOIN objects USING (number) WHERE created >= ? AND created < ?"
                         " ORDER BY created DESC LIMIT ?", since, until, limit)

    def day_threads(self, since, until, limit):
        return self.rows("SELECT head || parts || '}' FROM conversations JOIN objects USING (number) WHERE created >= ? AND created < ?"
                         " ORDER BY created DESC LIMIT ?", since, until, limit)

    def assigned(self, assignee, since, until, limit):
        return self.rows("SELECT head || '}' FROM conversations JOIN objects USING (number) WHERE assignee = ? AND state = 'open'"
                         " AND created >= ? AND created < ? ORDER BY created DESC LIMIT ?", assignee, since, until, limit)

    def search(self, words, limit):
        return self.rows("SELECT head || '}' FROM words JOIN objects ON number = words.rowid WHERE words MATCH ?"
                         " ORDER BY words.rowid DESC LIMIT ?", words, limit)

    def snippets(self, words, limit):
        rows = self.db.execute("SELECT id, conversations.subject, snippet(words, -1, '\u27e6', '\u27e7', '\u2026', 24) FROM words"
                               " JOIN conversations ON number = words.rowid WHERE words MATCH ? ORDER BY words.rowid DESC LIMIT ?", (words, limit))
        return json.dumps([{"id": a, "subject": b, "snippet": c} for a, b, c in rows], ensure_ascii=False, separators=(",", ":"))

    def count(self, words):
        return str(self.db.execute("SELECT count(*) FROM words WHERE words MATCH ?", (words,)).fetchone()[0])

    def by_state(self, since, until):
        return json.dumps(dict(self.db.execute("SELECT state, count(*) FROM conversations WHERE created >= ? AND created < ? GROUP BY state",
                                               (since, until))))


if __name__ == "__main__":
    service.main(Fts5)
