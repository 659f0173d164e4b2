"""What a question must be answered with, worked out the slow way: every record is looked at by itself.

Written from the manual, not from the daemon's sources: fields are read from the providers' objects, words are told apart here, orders and groups are
made with Python's own. A question is a dict of the parameters of `query` or `aggregate`, beside the parsed condition and search.
"""
import datetime
import math
import re
import unicodedata
import zoneinfo

# The common fields: type and where in the object. A list of paths: the first one that is there. Behind the id of somebody stands !.
CONVERSATION = {
    "state": ("text", ["state"]), "assignee": ("text", ["admin_assignee_id!"]), "team": ("text", ["team_assignee_id!"]),
    "contact": ("list", ["contacts.contacts.*.id"]), "author_type": ("text", ["source.author.type"]),
    "email": ("text", ["source.author.email"]), "tags": ("list", ["tags.tags.*.name"]),
    "priority": ("text", ["priority"]), "open": ("bool", ["open"]), "read": ("bool", ["read"]),
    "waiting_since": ("time", ["waiting_since"]), "snoozed_until": ("time", ["snoozed_until"]),
    "time_to_assignment": ("integer", ["statistics.time_to_assignment"]),
    "time_to_first_response": ("integer", ["statistics.time_to_admin_reply"]),
    "time_to_first_close": ("integer", ["statistics.time_to_first_close"]),
    "time_to_last_close": ("integer", ["statistics.time_to_last_close"]),
    "reopens": ("integer", ["statistics.count_reopens"]), "parts": ("integer", ["statistics.count_conversation_parts"]),
    "rating": ("integer", ["conversation_rating.rating"])}
MESSAGE = {
    "author": ("text", ["author.email", "author.name", "author.id"]), "author_name": ("text", ["author.name"]),
    "author_type": ("text", ["author.type"]), "assignee": ("text", ["assigned_to.id!"]), "redacted": ("bool", ["redacted"])}
CONTACT = {
    "name": ("text", ["name"]), "email": ("text", ["email"]), "role": ("text", ["role"]), "phone": ("text", ["phone"]),
    "external_id": ("text", ["external_id"]), "owner": ("text", ["owner_id!"]), "last_seen": ("time", ["last_seen_at"]),
    "last_replied": ("time", ["last_replied_at"]), "tags": ("list", ["tags.data.*.id"])}
TICKET = {
    "number": ("text", ["ticket_id"]), "title": ("text", ["ticket_attributes._default_title_"]),
    "state": ("text", ["ticket_state.category"]), "label": ("text", ["ticket_state.internal_label"]),
    "category": ("text", ["category"]), "kind": ("text", ["ticket_type.name"]), "assignee": ("text", ["admin_assignee_id!"]),
    "team": ("text", ["team_assignee_id!"]), "open": ("bool", ["open"]), "shared": ("bool", ["is_shared"]),
    "snoozed_until": ("time", ["snoozed_until"])}
FIELDS = {"conversations": CONVERSATION, "messages": MESSAGE, "contacts": CONTACT, "tickets": TICKET}
CHILD = {"conversations": "messages", "tickets": "ticket_parts"}
# Texts out of HTML are taken as the daemon shows them; the words in them are this module's.
SHOWN = {"conversations": ["subject", "body"], "messages": ["body"], "tickets": ["body"], "ticket_parts": ["body"]}
SEARCHED = {"conversations": ["subject", "body"], "messages": ["author_name", "body"], "contacts": ["name"],
            "tickets": ["title", "body"], "ticket_parts": ["author_name", "body"]}
SORT_BYTES = 128


def at_path(value, steps):
    """All values at a path."""
    for i, step in enumerate(steps):
        if step == "*":
            return [v for item in value or [] for v in at_path(item, steps[i + 1:])]
        value = value.get(step) if isinstance(value, dict) else None
    return [] if value is None else [value]


def at_field(doc, path):
    """The same; a path that ends with ! leads to an id, and 0 or an empty one is nobody's."""
    found = at_path(doc, path.rstrip("!").split("."))
    return [value for value in found if value not in (0, "0", "")] if path.endswith("!") else found


def milliseconds(text):
    return None if text is None else round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def as_text(value):
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def typed(kind, values):
    if kind == "list":
        return [as_text(v) for v in values]
    if not values:
        return None
    value = values[0]
    if kind == "text":
        return as_text(value)
    if kind == "time":
        return int(value) * 1000
    return value


class Record:
    """One record: its envelope, its fields out of the object, its words."""

    def __init__(self, row):
        self.id, self.resource, self.parent = row["id"], row["resource"], row.get("parent")
        self.created, self.updated = milliseconds(row["created"]), milliseconds(row["updated"])
        self.doc = row["doc"]
        self.fields = {"id": ("text", self.id), "created": ("time", self.created), "updated": ("time", self.updated)}
        if self.parent is not None:
            self.fields["parent"] = ("text", self.parent)
        for name, (kind, paths) in FIELDS.get(self.resource, {}).items():
            found = next(filter(None, (at_field(self.doc, path) for path in paths)), [])
            self.fields[name] = (kind, typed(kind, found))
        for name in SHOWN.get(self.resource, []):
            self.fields[name] = ("text", row.get(name))
        texts = [row.get(name) for name in SEARCHED.get(self.resource, [])]
        self.texts = [terms(text) for text in texts if text]
        self.words = {word for text in self.texts for word in text}

    def value(self, name):
        """(type, value); a raw path is of the type 'any'."""
        if name in self.fields:
            return self.fields[name]
        found = at_path(self.doc, name.split("."))
        return "any", found[0] if found else None


# --- words ---

def is_pair(c):
    code = ord(c)
    return 0x3041 <= code <= 0x30ff or 0x31f0 <= code <= 0x31ff or 0x3400 <= code <= 0x4dbf or 0x4e00 <= code <= 0x9fff or \
        0xf900 <= code <= 0xfaff or 0xff66 <= code <= 0xff9d or code >= 0x20000


def terms(text):
    """The words of a text in their order, of Chinese and Japanese each two neighbours."""
    if text.isascii():
        return re.findall("[a-z0-9]+", text.lower())
    out, run, pairs = [], "", ""

    def end():
        if run:
            out.append(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", run).casefold()))
        if pairs:
            out.extend([pairs] if len(pairs) == 1 else map("".join, zip(pairs, pairs[1:])))

    for c in text:
        if is_pair(c):
            if run:
                end()
                run = ""
            pairs += c
        elif unicodedata.category(c)[0] in "LMN":
            if pairs:
                end()
                pairs = ""
            run += c
        else:
            end()
            run = pairs = ""
    end()
    return out


def text_holds(search, record):
    """Whether one record by itself has what is asked for. A search is a nest of lists: see `search_text`."""
    op = search[0]
    if op == "word":
        return search[1] in record.words
    if op == "prefix":
        return any(word.startswith(search[1]) for word in record.words)
    if op in ("phrase", "run"):
        words = search[1]
        return any(text[i:i + len(words)] == words for text in record.texts for i in range(len(text) - len(words) + 1))
    if op == "not":
        return not text_holds(search[1], record)
    return (any if op == "or" else all)(text_holds(part, record) for part in search[1])


def search_text(search):
    op = search[0]
    if op == "word":
        return search[1]
    if op == "prefix":
        return search[1] + "*"
    if op == "phrase":
        return '"%s"' % " ".join(search[1])
    if op == "run":  # of Chinese or Japanese, as people write it
        return search[1][0] + "".join(pair[1] for pair in search[1][1:])
    if op == "not":
        return "-" + search_text(search[1])
    inner = (" OR " if op == "or" else " ").join(
        "(%s)" % search_text(part) if part[0] in ("or", "and") else search_text(part) for part in search[1])
    return inner


# --- conditions: ("term", field, op, values), ("not", c), ("and", [c]), ("or", [c]) ---

NOW = [None]  # in milliseconds: what a relative time is told from; None: none is asked for
RELATIVE = {"today": 0, "yesterday": -1}
UNITS = {"h": 3600000, "d": 86400000}


def is_relative(condition):
    """Whether it means something else at another time."""
    op = condition[0]
    if op == "term":
        return any(text in RELATIVE or text.endswith(" ago") for text in condition[3])
    return any(map(is_relative, [condition[1]] if op == "not" else condition[1]))


def of_days(day, end, zone):
    return tuple(round(moment.replace(tzinfo=zone).timestamp() * 1000) for moment in (day, end))


def relative_span(text, zone):
    if text in RELATIVE:
        today = datetime.datetime.fromtimestamp(NOW[0] / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        day = today + datetime.timedelta(days=RELATIVE[text])
        return of_days(day, day + datetime.timedelta(days=1), zone)
    moment = NOW[0] - int(text[:-5]) * UNITS[text[-5]]
    return moment, moment + 1


def span_of(text, zone):
    """(start, end) of a day or a month by the zone's clocks, or of a moment in UTC."""
    if text in RELATIVE or text.endswith(" ago"):
        return relative_span(text, zone)
    if len(text) > 10:
        start = milliseconds(text)
        return start, start + 1
    day = datetime.datetime.fromisoformat(text + "-01" if len(text) == 7 else text)
    return of_days(day, (day + datetime.timedelta(days=31)).replace(day=1) if len(text) == 7 else day + datetime.timedelta(days=1), zone)


def compare(kind, value, wanted, zone):
    """-1, 0, 1 as the value lies to what is wanted; None: they cannot be compared."""
    if kind == "time":
        start, end = span_of(wanted, zone)
        return -1 if value < start else int(value >= end)
    if kind == "integer":
        wanted = int(wanted)
    elif kind == "any" and isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            wanted = float(wanted)
        except ValueError:
            value = as_text(value)
    elif kind == "any" and isinstance(value, (dict, list)):
        return None
    else:
        value = as_text(value)
    if isinstance(value, str):
        value, wanted = value.encode(), wanted.encode()
    return (value > wanted) - (value < wanted)


def term_holds(record, name, op, wanted, zone):
    kind, value = record.value(name)
    if op == "exists":
        return value is not None and value != []
    values = value if isinstance(value, list) else [] if value is None else [value]
    if op == "~" or (op == "contains" and kind != "list"):
        return any(wanted[0].lower() in as_text(v).lower() for v in values)
    if op == "contains":
        return any(wanted[0].lower() == v.lower() for v in values)
    holds = {"=": lambda c: c == 0, "in": lambda c: c == 0, "<": lambda c: c < 0, "<=": lambda c: c <= 0,
             ">": lambda c: c > 0, ">=": lambda c: c >= 0}[op]
    orders = [compare(kind, v, w, zone) for v in values for w in wanted]
    return any(order is not None and holds(order) for order in orders)


def where_holds(condition, record, zone=datetime.timezone.utc):
    op = condition[0]
    if op == "term":
        _, name, operator, wanted = condition
        if operator == "!=":
            return not term_holds(record, name, "=", wanted, zone)
        return term_holds(record, name, operator, wanted, zone)
    if op == "not":
        return not where_holds(condition[1], record, zone)
    return (any if op == "or" else all)(where_holds(part, record, zone) for part in condition[1])


def quoted(text):
    return text if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*", text) and \
        text.lower() not in ("and", "or", "not", "in", "contains", "exists") else '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def where_text(condition):
    op = condition[0]
    if op == "term":
        _, name, operator, wanted = condition
        if operator == "exists":
            return name + " exists"
        value = ", ".join(map(quoted, wanted))
        return "%s %s %s" % (name, operator, "(%s)" % value if operator == "in" else value)
    if op == "not":
        return "not (%s)" % where_text(condition[1])
    return (" %s " % op).join("(%s)" % where_text(part) for part in condition[1])


# --- answers ---

class Held:
    """All records of a source, kept up from the change feed, with the revision that they are of."""

    def __init__(self):
        self.records, self.children, self.revision = {}, {}, 0

    def add(self, row):
        key = row["resource"], row["id"]
        old = self.records.pop(key, None)
        if old and old.parent is not None:
            self.children[old.parent].pop(key, None)
        if row.get("deleted"):
            return
        record = self.records[key] = Record(row)
        if record.parent is not None:
            self.children.setdefault(record.parent, {})[key] = record

    def follow(self, client):
        """Takes in what changed; how many records that were."""
        count = 0
        while True:
            page = client.call("changes", since=self.revision, limit=1000, doc=True)
            for row in page["rows"]:
                self.add(row)
            count += len(page["rows"])
            self.revision = page["next"]
            if not page["more"]:
                return count

    def all(self, resource):
        return [record for record in self.records.values() if record.resource == resource]

    def found(self, record, search):
        """Its own words or those of one child hold."""
        if text_holds(search, record):
            return True
        child = CHILD.get(record.resource)
        return child is not None and any(c.resource == child and text_holds(search, c)
                                         for c in self.children.get(record.id, {}).values())

    def select(self, question):
        axis, zone = question.get("axis", "created"), zoneinfo.ZoneInfo(question.get("timezone", "UTC"))
        out = []
        for record in self.all(question["resource"]):
            moment = getattr(record, axis)
            if ("since" in question or "until" in question) and (
                    moment is None or moment < question.get("since", 0) * 1000 or
                    moment >= question.get("until", math.inf) * 1000):
                continue
            if "condition" in question and not where_holds(question["condition"], record, zone):
                continue
            if "search" in question and not self.found(record, question["search"]):
                continue
            out.append(record)
        return out


def sort_key(record, question):
    """What rows are ordered by: smaller comes first. Equal ones may lie in any order."""
    name = question.get("sort") or "-" + question.get("axis", "created")
    down = name.startswith("-")
    kind, value = record.value(name.lstrip("-"))
    if value is None:
        return 1, 0
    if kind == "text":
        value = value.encode()[:SORT_BYTES]
        return 0, tuple(-byte for byte in value) + (1,) if down else value
    value = int(value)
    return 0, -value if down else value


def bucket(ms, unit, zone):
    local = datetime.datetime.fromtimestamp(ms / 1000, zone)
    start = local.replace(minute=0, second=0, microsecond=0)
    if unit != "hour":
        start = start.replace(hour=0)
    if unit == "week":
        start = (start.replace(tzinfo=None) - datetime.timedelta(days=start.weekday())).replace(tzinfo=zone)
    if unit == "month":
        start = start.replace(day=1)
    return int(start.timestamp() * 1000)


def group_values(record, name, zone):
    unit, _, field = name.partition(":")
    if unit in ("hour", "day", "week", "month"):
        _, value = record.value(field or "created")
        return [None if value is None else bucket(value, unit, zone)]
    kind, value = record.value(name)
    if kind == "list":
        return sorted(set(value)) or [None]
    if kind == "text" and value == "":
        return [None]
    return [value]


def metric(name, records):
    how, _, field = name.partition(":")
    values = sorted(v for v in (record.value(field)[1] for record in records) if v is not None)
    if how == "count":
        return len(values)
    if not values:
        return None
    if how[0] == "p":
        return values[max(1, math.ceil(len(values) * int(how[1:]) / 100)) - 1]
    return {"min": min, "max": max, "sum": sum, "avg": lambda v: sum(v) / len(v)}[how](values)


def groups(records, names, metrics, timezone):
    """values -> {count, metrics}"""
    zone, out = zoneinfo.ZoneInfo(timezone), {}
    for record in records:
        keys = [()]
        for name in names:
            keys = [key + (value,) for key in keys for value in group_values(record, name, zone)]
        for key in keys:
            out.setdefault(key, []).append(record)
    return {key: dict({name: metric(name, held) for name in metrics}, count=len(held)) for key, held in out.items()}
