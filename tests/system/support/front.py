"""What the system tests of Front share beside the harness: its simulator, and what a right mirror of it holds."""
from harness import *  # noqa: F403

RESOURCES = ["conversations", "messages", "contacts", "companies", "admins", "teams", "tags", "inboxes", "channels",
             "contact_lists", "links"]
NAMES = {"companies": "accounts", "admins": "teammates"}
# Kinds of changes of which no event tells, and which no filter shows.
SILENT = ["edit_comment", "delete_comment", "draft", "edit_draft", "discard_draft", "silent_field", "subject"]


class Front(Sim):  # noqa: F405
    def __init__(self, folder, *options):
        super().__init__(folder, "--provider", "front", *options)

    def lines(self, resource):
        for line in self.request("GET", "/_sim/truth/" + resource).splitlines():
            yield json.loads(line)  # noqa: F405

    def truth(self, resource, version=None):
        return {row["id"]: (row.get("parent"), row["doc"]) for row in self.lines(NAMES.get(resource, resource))}

    def inboxes(self):
        """Conversation -> the ids of the inboxes that it is in: no part of its document."""
        return {row["id"]: row["inboxes"] for row in self.lines("conversations")}


def front_daemon(folder, sim, **more):
    return Daemon(folder, sim, provider="front", **more)  # noqa: F405


SOURCES = {"email": "email", "sms": "phone", "call": "phone", "tweet_dm": "twitter", "custom": "custom"}


def alias(source, handle):
    return "alt:%s:%s" % (source, handle.lower() if source == "email" else handle)


def strangers(sim):
    """Who takes part in messages and is no contact, by the id that a right mirror gives him -> a handle."""
    known = {handle["handle"] for _, doc in sim.truth("contacts").values() for handle in doc["handles"]}
    found = {}
    for key, (_, doc) in sim.truth("messages").items():
        for who in doc.get("recipients", []):
            ours = who["role"] == "from" and doc["is_inbound"] is False
            if not who["_links"]["related"]["contact"] and not ours and who["handle"] not in known:
                found[alias(SOURCES[doc["type"]], who["handle"])] = who["handle"]
    return found


def check_strangers(daemon, sim, exactly=False):
    """Each once, as what he is, and none who is a contact. Some may be held of whom a message told that is gone."""
    client = daemon.client()
    rows = {row["id"]: row for row in client.rows("contacts", where="kind = recipient", fields=["doc", "handles", "kind"])}
    known = {handle["handle"] for row in client.rows("contacts", where="kind = contact", fields=["doc"]) for handle in row["doc"]["handles"]}
    client.close()
    handles = [row["doc"]["handles"][0] for row in rows.values()]
    assert {alias(h["source"], h["handle"]) for h in handles} == set(rows), rows
    assert not known & {h["handle"] for h in handles}, known & {h["handle"] for h in handles}
    true = strangers(sim)
    assert not exactly or set(true) == set(rows), (set(true) ^ set(rows))
    return len(rows)


def differences(daemon, sim, resources=RESOURCES):
    """What is held and what is true, record by record; words about each that differs, and how many there are."""
    words, total = [], 0
    client = daemon.client()
    inboxes = sim.inboxes()
    for resource in resources:
        truth = sim.truth(resource)
        # Those who are no contacts are told by no list (check_strangers).
        real = {"where": "kind = contact"} if resource == "contacts" else {}
        held = {row["id"]: (row.get("parent"), row["doc"]) for row in client.rows(resource, fields=["parent", "doc"], **real)}
        total += len(truth)
        words += ["%s %s is missing" % (resource, key) for key in sorted(truth.keys() - held.keys())]
        words += ["%s %s is too many" % (resource, key) for key in sorted(held.keys() - truth.keys())]
        for key in truth.keys() & held.keys():
            parent, doc = held[key]
            if resource == "conversations":
                mine = [inbox["id"] for inbox in doc.pop("inboxes")]
                if mine != inboxes[key]:
                    words.append("%s is in %s, not %s" % (key, inboxes[key], mine))
            if parent != truth[key][0] or not same_json(doc, truth[key][1]):  # noqa: F405
                words.append("%s %s differs:\n truth %s\n held  %s" % (
                    resource, key, json.dumps(truth[key], sort_keys=True)[:3000],  # noqa: F405
                    json.dumps([parent, doc], sort_keys=True)[:3000]))  # noqa: F405
    client.close()
    return words, total


def compare_front(daemon, sim, resources=RESOURCES):
    words, total = differences(daemon, sim, resources)
    assert not words, "%d differ: %s" % (len(words), "\n".join(words[:5]))
    return total
