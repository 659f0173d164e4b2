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


def differences(daemon, sim, resources=RESOURCES):
    """What is held and what is true, record by record; words about each that differs, and how many there are."""
    words, total = [], 0
    client = daemon.client()
    inboxes = sim.inboxes()
    for resource in resources:
        truth = sim.truth(resource)
        held = {row["id"]: (row.get("parent"), row["doc"]) for row in client.rows(resource, fields=["parent", "doc"])}
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
