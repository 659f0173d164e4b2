#!/usr/bin/env python3
"""A rival: the way of fast-intercom-mcp, rebuilt from its description: SQLite without full text.

Conversations and messages are tables of a few columns (most fields are dropped), what is searched for is found with LIKE in every body, a conversation's
messages are read by a query of their own, and each question opens the database. It is asked over the same socket as the others.
"""
import contextlib
import datetime
import html
import json
import re
import sqlite3

import service

SCHEMA = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL, customer_email TEXT,
    assigned_admin TEXT, tags TEXT, state TEXT);
CREATE TABLE messages (id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, author_type TEXT NOT NULL, body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL, part_type TEXT, FOREIGN KEY (conversation_id) REFERENCES conversations(id));
CREATE INDEX idx_conversations_created_at ON conversations(created_at);
CREATE INDEX idx_conversations_updated_at ON conversations(updated_at);
CREATE INDEX idx_conversations_customer_email ON conversations(customer_email);
CREATE INDEX idx_messages_conversation_id ON messages(conversation_id);
CREATE INDEX idx_messages_created_at ON messages(created_at);
"""
TAG = re.compile("<[^>]*>")


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def plain(text):
    return html.unescape(TAG.sub(" ", text)) if text else ""


class Like:
    def __init__(self, path):
        self.path = path

    @staticmethod
    def fill(path, lines):
        db = sqlite3.connect(path)
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(SCHEMA)
        for line in lines:
            c = json.loads(line)
            source = c["source"]
            db.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?)", (
                c["id"], moment(c["created_at"]), moment(c["updated_at"]), source["author"]["email"], str(c["admin_assignee_id"]),
                json.dumps([tag["name"] for tag in c["tags"]["tags"]]), c["state"]))
            messages = [("source:" + c["id"], c["id"], source["author"]["type"], plain(source["body"]), moment(c["created_at"]), "source")]
            messages += [(part["id"], c["id"], part["author"]["type"], plain(part["body"]), moment(part["created_at"]), part["part_type"])
                         for part in c["conversation_parts"]["conversation_parts"] if part["body"]]
            db.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?)", messages)
        db.commit()
        db.close()

    def answer(self, method, params):
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.row_factory = sqlite3.Row
            return json.dumps(getattr(self, method)(db, **params))

    def hello(self, db):
        return {}

    def whole(self, db, row):
        messages = db.execute("SELECT * FROM messages WHERE conversation_id = ? ORDER BY created_at", (row["id"],))
        return dict(row, tags=json.loads(row["tags"]), messages=[dict(message) for message in messages])

    def thread(self, db, id):
        row = db.execute("SELECT * FROM conversations WHERE id = ?", (id,)).fetchone()
        return row and self.whole(db, row)

    get = thread

    def day(self, db, since, until, limit):
        rows = db.execute("SELECT * FROM conversations WHERE created_at >= ? AND created_at < ? ORDER BY created_at DESC LIMIT ?",
                          (moment(since), moment(until), limit)).fetchall()
        return [self.whole(db, row) for row in rows]

    day_threads = day

    @staticmethod
    def likes(words):
        """Each word, or the whole phrase, somewhere in a message or in the address."""
        parts = [words.strip('"')] if words.startswith('"') else words.split()
        sql = " AND ".join("(m.body LIKE ? OR c.customer_email LIKE ?)" for _ in parts)
        return sql, [value for part in parts for value in ("%" + part + "%",) * 2]

    def search(self, db, words, limit):
        sql, values = self.likes(words)
        rows = db.execute("SELECT DISTINCT c.* FROM conversations c LEFT JOIN messages m ON c.id = m.conversation_id WHERE " + sql +
                          " ORDER BY c.created_at DESC LIMIT ?", values + [limit]).fetchall()
        return [self.whole(db, row) for row in rows]

    def count(self, db, words):
        sql, values = self.likes(words)
        return db.execute("SELECT count(DISTINCT c.id) FROM conversations c LEFT JOIN messages m ON c.id = m.conversation_id WHERE " + sql,
                          values).fetchone()[0]


if __name__ == "__main__":
    service.main(Like)
