/*
 * provider: how to ask a provider for something, and how to read what it answers. Pure: no clock, no network, no disk.
 *
 * A run decides *what* to ask (struct ask), provider_call turns an ask and a cursor into one HTTP request, a reader takes the answer's bytes as
 * they come and gives a page: records, the next cursor, or a fault with its class. Ids become text, times integer milliseconds; what is different between
 * providers ends here. Text from upstream never decides a path or a host: ids are checked and escaped, cursors are values.
 */
#ifndef FIC_SOURCE_PROVIDER_H
#define FIC_SOURCE_PROVIDER_H

#include <base/arena.h>
#include <model/field.h>
#include <model/record.h>

/* How a resource can be read. */
enum resource_trait {
	TRAIT_LIST = 1 << 0,    /* the whole of it, page by page or at once (ASK_LIST) */
	TRAIT_CHANGED = 1 << 1, /* by last update (ASK_CHANGED) */
	TRAIT_ONE = 1 << 2,     /* a single record by id (ASK_ONE) */
	TRAIT_DELETED = 1 << 3, /* a feed of deletions (ASK_DELETED) */
	TRAIT_POOR = 1 << 4, /* listings show a poor copy; ASK_ONE gives the full one and its children. A listing of another resource may have single poor records (RECORD_POOR), and shows children that there are */
	TRAIT_CHILD = 1 << 5,    /* comes with its parent only */
	TRAIT_ETAG = 1 << 6,     /* ASK_LIST answers 304 to If-None-Match */
	TRAIT_WINDOWED = 1 << 7, /* wanted for a span of history; others are wanted as a whole */
	TRAIT_UNSTABLE = 1 << 8, /* pages are numbered over a moving order: records may be shown twice or be missed; compare with the total */
	TRAIT_CREATED = 1 << 9,  /* ASK_CHANGED can also be asked by creation (ask.created) */
	TRAIT_SEARCH = 1 << 10,  /* can be searched (ASK_SEARCH) */
	TRAIT_EVENTS = 1 << 11, /* what changed is told by a feed of events (ASK_EVENTS); ASK_CHANGED is a walk over all, the newest first, without bounds */
	TRAIT_BUMPED = 1 << 12, /* … in an order of its own, by a time that is not shown: no later than the last update, no earlier than the creation */
	TRAIT_SCROLLED = 1 << 13, /* there is another listing of the whole of it, in an order that does not move, which ends with an empty page (ask.sure) */
};

struct resource_type {
	const char *name;
	unsigned traits;
	const char *parent;         /* of a TRAIT_CHILD */
	const char *child;          /* what comes with it */
	const struct field *fields; /* common fields, ended by a name of NULL */
	int64_t lookback_ms; /* how far a changes run reaches back before its watermark (search indexes lag) */
};

/*
 * What ASK_SEARCH looks for: records for which all terms hold, in the words of questions. It narrows what a provider is asked for and never decides what a
 * question finds: whoever asks looks at the records again. So a term that the provider has no word for is left out (more is found), and where less is found than
 * would match, that is said.
 */
enum seek_op {
	SEEK_IS,  /* the field, or one of its items, is one of the values */
	SEEK_NOT, /* it is none of them */
	SEEK_HAS, /* the one value stands somewhere in its text */
};

struct seek_term {
	const struct field *field; /* common, or of the envelope; NULL: any text of the record or of its children (SEEK_HAS: a word) */
	enum seek_op op;
	const struct bytes *values; /* borrowed */
	size_t count;
};

#define SEEK_TERMS_MAX   12
#define SEEK_VALUES_MAX  50 /* of one term */
#define SEEK_RECORDS_MAX 50

struct seek {
	struct seek_term terms[SEEK_TERMS_MAX];
	size_t count;
	bool less; /* set by provider_seek: records may match that the provider does not find (it does not look into replies) */
};

enum ask_kind {
	ASK_IDENTITY,
	ASK_LIST,
	ASK_CHANGED,
	ASK_ONE,
	ASK_DELETED,
	ASK_NESTED,
	ASK_SEARCH,
	ASK_EVENTS,
	ASK_PASS,   /* what a client asks for (source/pass.h): the answer is page.body */
	ASK_CHANGE, /* something of a record is to be changed: its request is write_call's (source/write.h); the page has no record, and no fault means that it was taken */
};

struct change;

struct ask {
	enum ask_kind kind;
	const struct resource_type *type; /* NULL for ASK_IDENTITY */
	int64_t start_ms,
		end_ms; /* ASK_CHANGED, ASK_SEARCH: last update in [start, end), ASK_EVENTS: when they happened; TIME_MIN, TIME_MAX: open */
	bool descending; /* ASK_CHANGED: newest first. ASK_SEARCH: always, where the provider lets itself be told */
	bool created; /* by creation instead of last update, the span and the order alike (ASK_CHANGED: TRAIT_CREATED) */
	struct bytes id;    /* ASK_ONE, ASK_NESTED, ASK_CHANGE */
	const char *nested; /* ASK_NESTED: the list inside the record, as page.nested names it */
	const struct seek *seek; /* ASK_SEARCH: as provider_seek left it; borrowed until the answer has been read */
	struct bytes path; /* ASK_PASS: as pass_path wrote it; borrowed until the answer has been read */
	unsigned route;  /* ASK_PASS: its class of calls */
	size_t body_max; /* ASK_PASS: bytes of the answer as MessagePack; 0: as for others */
	const struct change *change; /* ASK_CHANGE; borrowed until the answer has been read */
	unsigned walk; /* ASK_LIST of a TRAIT_UNSTABLE: how many readings before this one did not fit the provider's count */
	bool sure; /* ASK_LIST of a TRAIT_SCROLLED: by the listing that ends with an empty page */
};

/* The account a request is made for. */
struct account {
	const struct provider *provider;
	const char *base_url; /* without a slash at its end */
	const char *version;  /* of the API, as the provider writes it */
};

#define CALL_HEADERS_MAX 6

struct call {
	const char *method;
	struct buf url;
	struct buf body;                    /* empty: none */
	char headers[CALL_HEADERS_MAX][64]; /* "Name: value", without the token; "" ends */
	bool once; /* what it answers is answered once: when the answer is lost, so is the reading (FAULT_CURSOR) */
	unsigned route; /* its class: an index into provider.routes; 0: the first */
};

void call_release(struct call *c);

/* One request for the ask, at the start (cursor {NULL, 0}) or at a cursor that an earlier page gave. ERR_INVALID: the ask makes no sense for this resource, or the id cannot
 * be one. */
int provider_call(const struct account *a, const struct ask *ask, struct bytes cursor,
		  struct call *out, struct why *why);

/* What a search of this resource can be asked for: leaves out of `seek` the terms that the provider has no words for, and sets `less`. `spanned`: the ask has a span besides. 0;
 * ERR_INVALID: it cannot be searched, or nothing is left that would narrow the question (one without terms and span asks for the newest); `why` says so. */
int provider_seek(const struct account *a, const struct resource_type *type, bool spanned,
		  struct seek *seek, struct why *why);

/* What is wrong with an answer, and what may help. */
enum fault {
	FAULT_NONE,
	FAULT_NOW,    /* a passing failure: try again soon, with backoff */
	FAULT_LATER,  /* told to wait (429): at the time that the headers name */
	FAULT_CURSOR, /* the cursor is not valid any more: start this reading anew */
	FAULT_GONE, /* ASK_ONE: the record is deleted (404), or merged into another (410: page.merged_into) */
	FAULT_AUTH,     /* the token is refused: nothing will work until someone mends it */
	FAULT_DENIED,   /* this resource is not allowed for this token or plan */
	FAULT_NONSENSE, /* an answer that cannot be what was asked for (HTML, cut JSON, another resource, an error with status 200) */
	FAULT_NEVER,    /* the request itself is refused: a fault of ours */
};

const char *fault_name(enum fault fault);

/* What a feed of events tells: that something happened to the record. */
struct page_event {
	struct bytes id; /* {NULL, 0}: no event */
	int64_t at_ms;   /* as it is dated, which may be earlier than it showed up; TIME_NONE */
	bool shown;      /* the record stands beside it as a listing shows it; else its id alone */
};

struct page_record {
	const struct resource_type *type;
	struct record record; /* spans live as long as the page */
	int64_t children; /* in a listing: how many the provider says ASK_ONE would bring; -1: not said */
	struct page_event event; /* ASK_EVENTS: what it is told by */
};

#define PAGE_NESTED_MAX 4

struct page {
	enum fault fault;
	int64_t again_ms; /* when there is a fault: of no use before so long; 0: not said */
	bool route_only; /* FAULT_LATER: what is used up is the limit of the call's own class of routes; others may go on */
	struct why why; /* when there is a fault: words for people */
	bool unchanged; /* 304 */
	struct page_record *records; /* a record's children stand right after it, in time order; of ASK_NESTED only ids matter */
	const char *nested[PAGE_NESTED_MAX]; /* ASK_ONE: lists inside the record that are cut, to be read by ASK_NESTED */
	unsigned nested_count;
	size_t count;
	struct bytes next; /* the next cursor; {NULL, 0}: this was the last page */
	int64_t total; /* as the provider claims; -1: not said. For display and cross-checks only */
	struct bytes merged_into; /* FAULT_GONE by a merge */
	struct {
		char id[64], name[128], region[16], timezone[64];
		char actor[64]; /* who the token acts as, where that is a teammate; "" */
	} identity;             /* ASK_IDENTITY */
	struct arena arena;
	struct buf body;   /* the answer as MessagePack; records point into it and the arena */
	uint32_t replaced; /* broken characters that became U+FFFD */
};

/* Reads one answer. */
struct reader;

/* The ask is copied, with its id. body_max: bytes of MessagePack; 0: 48 MiB. NULL: no memory. */
struct reader *reader_new(const struct account *a, const struct ask *ask, size_t body_max);
/* A piece of the body. 0, or an error when the rest is of no interest (too large, not JSON); the reader notes it for reader_finish. */
int reader_feed(struct reader *r, const void *data, size_t len);
/* The answer is over. `seen_ms` is the provider's clock (its Date header, else ours); `link` the Link header, of a redirection where it leads to. Always gives a page, which the caller owns (page_free); NULL: no memory.
 * The reader is done with: reader_free. */
struct page *reader_finish(struct reader *r, int status, const char *link, int64_t seen_ms);
void reader_free(struct reader *r);
void page_free(struct page *p);
/* A page of its own, as by ASK_ONE, for a record that a listing shows whole but for the lists inside it. NULL: no memory. */
struct page *page_alone(const struct account *a, const struct page_record *item);

/* Calls that the provider counts, or refuses, apart from all others. Every call counts for the whole as well. */
struct route_class {
	const char *name; /* as people and the configuration call it: "search" */
	/* Its own limit, as far as it is known; all 0: none (but a refusal may still be about this class alone, and the configuration may set one). */
	unsigned percent;   /* of the account's rate, 1..100 */
	unsigned calls_max; /* or so many calls … */
	int64_t window_ms;  /* … in any time so long; 0: provider.rate_window_ms */
};

#define ROUTE_CLASSES_MAX 8
#define DERIVED_TEXTS_MAX 2

struct pass_pattern;
struct editable;

/* A provider. */
struct provider {
	const char *name;
	int64_t rate_window_ms; /* the time that X-RateLimit-Limit is about */
	unsigned rate_assumed; /* calls in such a time, until an answer tells; 0: one at a time until then */
	unsigned reserve_percent; /* of the calls of such a time that are kept for what somebody waits for */
	const struct route_class *routes; /* ended by a name of NULL, at most ROUTE_CLASSES_MAX; the first takes what no other does and has no limit */
	const struct resource_type *types; /* ended by a name of NULL, in the order of their priority */
	const char *(*base_url)(const char *region); /* NULL: no such region */
	/* What this resource can do with the account's version of the API. */
	unsigned (*traits)(const struct account *a, const struct resource_type *type);
	int (*call)(const struct account *a, const struct ask *ask, struct bytes cursor,
		    struct call *out, struct why *why);
	/* Whether the provider's search has words for this term; sets *less where it finds fewer records than there are. NULL: it has no search. */
	bool (*seeks)(const struct account *a, const struct resource_type *type,
		      const struct seek_term *term, bool *less);
	/* Looks at the terms that are left as a whole: may drop some, and sets seek->less. 0; ERR_INVALID: they are no search, `why` says so. NULL: they are one. */
	int (*sought)(const struct account *a, const struct resource_type *type, bool spanned,
		      struct seek *seek, struct why *why);
	const char *seeks_less; /* where its search does not look, in words; NULL: it has none */
	/* Records a page of such a listing; 0: they come all at once. NULL: not known. */
	unsigned (*page_max)(const struct account *a, enum ask_kind kind,
			     const struct resource_type *type);
	/* Calls that one record takes beside the listing that shows it, where it is read whole; at least. NULL: one where listings are poor. */
	unsigned (*reads)(const struct account *a, const struct resource_type *type);
	/* Fills the page of a redirection (301, 308), whose body is of no interest. NULL: as any other status. */
	void (*moved)(const struct ask *ask, const char *location, struct page *page);
	/* Fills the page from page->body and the status (never called for a 304 or without a body that is one value). */
	void (*read)(const struct account *a, const struct ask *ask, int status, const char *link,
		     int64_t seen_ms, struct page *page);
	/* Whether a record that is held like that exists without being listed. NULL: all are listed. */
	bool (*unlisted)(const struct resource_type *type, struct bytes doc);
	/* Whether a record was made here, of what others say: no listing shows it, and nobody can be asked for it. Such records come behind those of an ASK_ONE. NULL: none is. */
	bool (*derived)(const struct resource_type *type, struct bytes id);
	/* What a record has in a common field that stands for this derived one: one of these texts, borrowed from it. How many; 0: nobody stands for it. NULL: likewise. */
	size_t (*derived_by)(const struct resource_type *type, const struct record *derived,
			     const char **field_out, struct bytes texts[DERIVED_TEXTS_MAX]);
	/* The id of the i-th such record (from 0) that this one takes the place of, also where there is none; and that nothing is derived where this one is. 1, 0: there are no more, or an error. */
	int (*stands_for)(const struct resource_type *type, struct bytes doc, unsigned i,
			  struct buf *id);
	/* Notes in `page`, which has one record, the lists inside it that are cut. */
	void (*cut)(const struct account *a, struct page *page);
	/* Puts the items of an ASK_NESTED's page into the record of `whole`, an ASK_ONE's: instead of what its list shows (`first`), or after it; or behind it, as its children. 0, ERR_NOMEM, ERR_INVALID. */
	int (*nest)(const struct account *a, struct page *whole, const char *list,
		    const struct page *part, bool first);
	const struct pass_pattern *passes; /* what clients may read through (source/pass.h) */
	const struct editable *editable;   /* ended by a resource of NULL (source/write.h) */
	/* One request of write_call: `wanted` is a map of the fields that are not there yet, in their plain form; appends to `covers` the map of what the request brings about. */
	int (*change)(const struct account *a, const struct ask *ask, struct bytes wanted,
		      struct call *out, struct buf *covers, struct why *why);
};

extern const struct provider provider_intercom, provider_front;

const struct provider *provider_find(struct bytes name); /* NULL: unknown */
int provider_route(const struct provider *p,
		   struct bytes name); /* the index of its class of calls; negative: it has none of that name */
const struct resource_type *provider_type(const struct provider *p,
					  struct bytes name); /* NULL: it has none of that name */

#endif
