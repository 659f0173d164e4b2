/*
 * web_metrics: GET /metrics: what a monitor asks for, every few seconds. One table of families. Reads, and counts nothing itself: whoever knows counts.
 *
 * What has never happened is 0, so that rates and alerts work from the first scrape on; a number that is not known is left out.
 */
#include "alerts.h"
#include "exposition.h"
#include "hooks.h"
#include "method.h"
#include "process.h"
#include "web.h"

#include <stdlib.h>

#define LABELS 4 /* source, resource, one more, and the end */

/* What is known of one resource, and of one source: looked up once, written family by family. */
struct held {
	const struct resource_type *type;
	struct sync_resource_state state;
	uint64_t records;
	double ratio;
	int64_t gap_ms; /* -1: it is held as a whole or not at all */
	int64_t as_of_ms;
};

struct facts {
	const struct source *source;
	struct sync_state state;
	struct sync_calls calls;
	struct store_stats store;
	struct held held[CONFIG_RESOURCES_MAX];
	size_t count;
};

/* One of the three writes it. */
struct family {
	const char *name;
	enum metric_type type;
	const char *help;
	void (*whole)(struct exposition *e, const struct daemon *d);
	void (*source)(struct exposition *e, struct label *labels, const struct facts *f);
	void (*resource)(struct exposition *e, struct label *labels, const struct held *h);
};

/* ---- looking ---- */

static int64_t gap_ms(const struct coverage *c, struct interval wanted)
{
	struct intervals gaps = {0};
	int64_t sum = 0;

	if (wanted.start_ms == TIME_MIN ||
	    intervals_gaps(&c->held, wanted.start_ms, wanted.end_ms, &gaps))
		return -1;
	for (size_t i = 0; i < gaps.count; i++)
		sum += gaps.items[i].end_ms - gaps.items[i].start_ms;
	intervals_release(&gaps);
	return sum;
}

static void look_at(struct held *h, const struct source *s, struct snapshot *view,
		    const struct resource_type *type)
{
	struct freshness_question q = {.start_ms = TIME_MIN, .end_ms = TIME_MAX, .max_age_ms = -1};
	const struct coverage *c = snapshot_coverage(view, type->name);
	struct freshness f;

	*h = (struct held){.type = type, .as_of_ms = TIME_NONE};
	h->state.last_sync_ms = h->state.counts.attempt_ms = TIME_NONE;
	sync_resource_state(s->sync, type->name, &h->state);
	h->records = snapshot_count(view, type->name);
	h->ratio = source_ratio(s, type, c);
	h->gap_ms = gap_ms(c, source_wanted(s, type, c));
	if (source_judge(s, view, type, &q, &f) == 0) {
		h->as_of_ms = f.as_of_ms;
		freshness_release(&f);
	}
}

static void look(struct facts *f, const struct source *s)
{
	struct snapshot *view = snapshot_new(s->store);

	f->source = s;
	sync_state(s->sync, &f->state);
	sync_calls(s->sync, &f->calls);
	store_stats(s->store, &f->store);
	for (const struct resource_type *t = s->provider->types; view && t->name; t++)
		if (source_type(s, bytes_str(t->name)) && f->count < CONFIG_RESOURCES_MAX)
			look_at(&f->held[f->count++], s, view, t);
	snapshot_free(view);
}

/* ---- the daemon ---- */

static void put_build(struct exposition *e, const struct daemon *d)
{
	(void)d;
	exposition_count(e, (const struct label[]){{"version", FIC_VERSION}, {NULL, NULL}}, 1);
}

static void put_start(struct exposition *e, const struct daemon *d)
{
	exposition_ms(e, NULL, d->started_ms);
}

static void put_reloads(struct exposition *e, const struct daemon *d)
{
	exposition_count(e, NULL, d->reload_failures);
}

static void put_cut(struct exposition *e, const struct daemon *d)
{
	exposition_count(e, NULL, d->connections_cut);
}

static void put_lag(struct exposition *e, const struct daemon *d)
{
	struct loop_stats stats;

	loop_stats(d->loop, &stats);
	exposition_value(e, NULL, (double)stats.held_last_us / 1e6);
}

static void put_queries(struct exposition *e, const struct daemon *d)
{
	for (size_t m = 0; d->methods[m].name; m++)
		for (unsigned worth = 0; d->methods[m].judged && worth < WORTHS; worth++) {
			const struct label labels[] = {
				{"method", d->methods[m].name},
				{"freshness",
				 worth == WORTH_NOTHING
					 ? "error"
					 : freshness_state_name((enum freshness_state)worth)},
				{NULL, NULL}};
			exposition_count(e, labels, d->answers[m][worth]);
		}
}

static void put_raised_alerts(struct exposition *e, const struct daemon *d)
{
	const struct raised_list *l = alerts_raised(d->alerts);
	const struct deliver *v;

	for (size_t i = 0; (v = alerts_deliver(d->alerts, i)); i++) {
		const struct label labels[] = {{"alert", deliver_name(v)}, {NULL, NULL}};
		uint64_t n = 0;
		for (size_t k = 0; k < l->count; k++)
			n += l->items[k].state.raised &&
			     strcmp(l->items[k].alert, deliver_name(v)) == 0;
		exposition_count(e, labels, n);
	}
}

static void put_notices(struct exposition *e, const struct daemon *d)
{
	const struct deliver *v;

	for (size_t i = 0; (v = alerts_deliver(d->alerts, i)); i++)
		for (int way = 0; way < WAYS; way++) {
			struct deliver_state state;
			struct label labels[] = {{"alert", deliver_name(v)},
						 {"way", way_name((enum way)way)},
						 {"result", "sent"},
						 {NULL, NULL}};
			if (!way_set(deliver_alert(v), (enum way)way))
				continue;
			deliver_state(v, (enum way)way, &state);
			exposition_count(e, labels, state.sent);
			labels[2].value = "failed";
			exposition_count(e, labels, state.failed);
			labels[2].value = "dropped";
			exposition_count(e, labels, state.dropped);
		}
}

static void put_resident(struct exposition *e, const struct daemon *d)
{
	(void)d;
	exposition_count(e, NULL, (uint64_t)process_resident_bytes());
}

static void put_cpu(struct exposition *e, const struct daemon *d)
{
	(void)d;
	exposition_value(e, NULL, (double)process_cpu_us() / 1e6);
}

static void put_fds(struct exposition *e, const struct daemon *d)
{
	(void)d;
	exposition_count(e, NULL, (uint64_t)process_open_fds());
}

/* ---- a source ---- */

static void put_up(struct exposition *e, struct label *labels, const struct facts *f)
{
	bool down = f->source->token_error[0] || f->state.error ||
		    f->state.breaker != BREAKER_CLOSED || strcmp(f->state.state, "starting") == 0;

	exposition_count(e, labels, !down);
}

static void put_requests(struct exposition *e, struct label *labels, const struct facts *f)
{
	static const char *const classes[SYNC_CODES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

	for (size_t i = 0; i < SYNC_CODES; i++) {
		labels[1] = (struct label){"code_class", classes[i]};
		exposition_count(e, labels, f->calls.codes[i]);
	}
}

static void put_durations(struct exposition *e, struct label *labels, const struct facts *f)
{
	exposition_histogram(e, labels, sync_bucket_ms, f->calls.durations, SYNC_BUCKETS,
			     f->calls.duration_us);
}

static void put_limit(struct exposition *e, struct label *labels, const struct facts *f)
{
	if (f->state.rate_limit >= 0)
		exposition_count(e, labels, (uint64_t)f->state.rate_limit);
}

static void put_remaining(struct exposition *e, struct label *labels, const struct facts *f)
{
	if (f->state.rate_limit >= 0 && f->state.rate_remaining >= 0)
		exposition_count(e, labels, (uint64_t)f->state.rate_remaining);
}

static void put_waits(struct exposition *e, struct label *labels, const struct facts *f)
{
	exposition_ms(e, labels, f->calls.waited_ms);
}

static void put_store(struct exposition *e, struct label *labels, const struct facts *f)
{
	const struct {
		const char *kind;
		uint64_t bytes;
	} kinds[] = {{"segments", f->store.disk_bytes - f->store.journal_bytes},
		     {"journal", f->store.journal_bytes}};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		labels[1] = (struct label){"kind", kinds[i].kind};
		exposition_count(e, labels, kinds[i].bytes);
	}
}

static void put_segments(struct exposition *e, struct label *labels, const struct facts *f)
{
	exposition_count(e, labels, f->store.segments);
}

static void put_store_errors(struct exposition *e, struct label *labels, const struct facts *f)
{
	exposition_count(e, labels, f->store.failed + f->store.quarantined);
}

static void put_dead(struct exposition *e, struct label *labels, const struct facts *f)
{
	exposition_count(e, labels, sync_dead_count(f->source->sync));
}

static void put_edits(struct exposition *e, struct label *labels, const struct facts *f)
{
	struct outbox_stats stats;

	outbox_stats(f->source->outbox, &stats);
	for (unsigned i = 0; i < EDIT_STATES; i++) {
		labels[1] = (struct label){"result", edit_state_name((enum edit_state)i)};
		exposition_count(e, labels, stats.count[i]);
	}
}

static void put_hooks(struct exposition *e, struct label *labels, const struct facts *f)
{
	static const char *const results[HOOK_RESULTS] = {"taken", "repeated", "ignored", "refused"};

	for (unsigned i = 0; i < HOOK_RESULTS; i++) {
		labels[1] = (struct label){"result", results[i]};
		exposition_count(e, labels, hooks_count(f->source->hooks, (enum hook_result)i));
	}
}

/* ---- a resource ---- */

static void put_success(struct exposition *e, struct label *labels, const struct held *h)
{
	if (!h->type->parent)
		exposition_ms(e, labels, h->state.last_sync_ms);
}

static void put_attempt(struct exposition *e, struct label *labels, const struct held *h)
{
	if (!h->type->parent)
		exposition_ms(e, labels, h->state.counts.attempt_ms);
}

static void put_took(struct exposition *e, struct label *labels, const struct held *h)
{
	if (!h->type->parent)
		exposition_ms(e, labels, h->state.counts.took_ms);
}

static void put_runs(struct exposition *e, struct label *labels, const struct held *h)
{
	for (unsigned i = RUN_OK; !h->type->parent && i < RUN_OUTCOMES; i++) {
		labels[2] = (struct label){"result", run_outcome_name((enum run_outcome)i)};
		exposition_count(e, labels, h->state.counts.runs[i]);
	}
}

static void put_records_read(struct exposition *e, struct label *labels, const struct held *h)
{
	const struct sync_resource_counts *c = &h->state.counts;
	const struct {
		const char *op;
		uint64_t count;
	} ops[] = {{"created", c->created},
		   {"updated", c->updated},
		   {"deleted", c->deleted},
		   {"unchanged", c->unchanged},
		   {"failed", c->failed}};

	for (size_t i = 0; !h->type->parent && i < sizeof ops / sizeof *ops; i++) {
		labels[2] = (struct label){"op", ops[i].op};
		exposition_count(e, labels, ops[i].count);
	}
}

static void put_records(struct exposition *e, struct label *labels, const struct held *h)
{
	exposition_count(e, labels, h->records);
}

static void put_as_of(struct exposition *e, struct label *labels, const struct held *h)
{
	exposition_ms(e, labels, h->as_of_ms);
}

static void put_ratio(struct exposition *e, struct label *labels, const struct held *h)
{
	exposition_value(e, labels, h->ratio);
}

static void put_gap(struct exposition *e, struct label *labels, const struct held *h)
{
	if (h->gap_ms >= 0)
		exposition_ms(e, labels, h->gap_ms);
}

/* ---- the table ---- */

static const struct family families[] = {
	{"ficd_build_info", METRIC_GAUGE, "The version that runs; always 1.", put_build, NULL, NULL},
	{"ficd_start_time_seconds", METRIC_GAUGE, "When the daemon started.", put_start, NULL, NULL},
	{"ficd_config_reload_failures", METRIC_COUNTER,
	 "Configurations that were read again and not taken over.", put_reloads, NULL, NULL},
	{"ficd_loop_lag_seconds", METRIC_GAUGE,
	 "The longest that one turn of the loop took within the last minute.", put_lag, NULL, NULL},
	{"ficd_connections_cut", METRIC_COUNTER,
	 "Clients that were cut off because they took nothing of their answers.", put_cut, NULL, NULL},
	{"ficd_queries", METRIC_COUNTER, "Questions answered, by what the answer was worth.",
	 put_queries, NULL, NULL},
	{"ficd_alerts_raised", METRIC_GAUGE, "Conditions of an alert that hold now.",
	 put_raised_alerts, NULL, NULL},
	{"ficd_alert_notices", METRIC_COUNTER,
	 "Notices that were taken, attempts that failed, notices that were given up.", put_notices,
	 NULL, NULL},
	{"ficd_source_up", METRIC_GAUGE, "1 while the provider can be asked.", NULL, put_up, NULL},
	{"ficd_sync_last_success_timestamp_seconds", METRIC_GAUGE,
	 "End of the last successful run; 0: none yet.", NULL, NULL, put_success},
	{"ficd_sync_last_attempt_timestamp_seconds", METRIC_GAUGE,
	 "Start of the last run that ended, since the daemon started; 0: none yet.", NULL, NULL,
	 put_attempt},
	{"ficd_sync_runs", METRIC_COUNTER, "Runs that ended.", NULL, NULL, put_runs},
	{"ficd_sync_duration_seconds", METRIC_GAUGE, "How long the last run took.", NULL, NULL,
	 put_took},
	{"ficd_sync_records", METRIC_COUNTER, "Records that runs have read, by what came of them.",
	 NULL, NULL, put_records_read},
	{"ficd_records", METRIC_GAUGE, "Records that are held.", NULL, NULL, put_records},
	{"ficd_data_as_of_timestamp_seconds", METRIC_GAUGE,
	 "The moment whose state is held; 0: nothing is held.", NULL, NULL, put_as_of},
	{"ficd_coverage_ratio", METRIC_GAUGE, "Share of the wanted history that is held.", NULL,
	 NULL, put_ratio},
	{"ficd_coverage_gap_seconds", METRIC_GAUGE, "What of the wanted history is missing.", NULL,
	 NULL, put_gap},
	{"ficd_dead_letters", METRIC_GAUGE, "Records that cannot be read, whatever is tried.", NULL,
	 put_dead, NULL},
	{"ficd_edits", METRIC_GAUGE,
	 "Edits by state: those that wait for the provider or for somebody, and those of late.",
	 NULL, put_edits, NULL},
	{"ficd_api_requests", METRIC_COUNTER,
	 "Calls to the provider by the first digit of the status; none: no answer.", NULL,
	 put_requests, NULL},
	{"ficd_api_request_duration_seconds", METRIC_HISTOGRAM,
	 "How long calls to the provider took.", NULL, put_durations, NULL},
	{"ficd_ratelimit_limit", METRIC_GAUGE, "Calls that the provider allows in a window.", NULL,
	 put_limit, NULL},
	{"ficd_ratelimit_remaining", METRIC_GAUGE, "Calls that are left of the present window.",
	 NULL, put_remaining, NULL},
	{"ficd_ratelimit_waits_seconds", METRIC_COUNTER,
	 "Time in which calls waited for the rate limit, or for our share of it.", NULL, put_waits,
	 NULL},
	{"ficd_store_bytes", METRIC_GAUGE, "Size on the disk.", NULL, put_store, NULL},
	{"ficd_store_segments", METRIC_GAUGE, "Files that hold records.", NULL, put_segments, NULL},
	{"ficd_store_errors", METRIC_COUNTER,
	 "Commits that came to nothing, and files set aside as damaged.", NULL, put_store_errors,
	 NULL},
	{"ficd_webhook_events", METRIC_COUNTER, "Webhooks, by what came of them.", NULL, put_hooks,
	 NULL},
	{"process_resident_memory_bytes", METRIC_GAUGE, "Resident memory size in bytes.",
	 put_resident, NULL, NULL},
	{"process_cpu_seconds", METRIC_COUNTER, "Total user and system CPU time spent in seconds.",
	 put_cpu, NULL, NULL},
	{"process_open_fds", METRIC_GAUGE, "Number of open file descriptors.", put_fds, NULL, NULL},
	{"process_start_time_seconds", METRIC_GAUGE,
	 "Start time of the process since unix epoch in seconds.", put_start, NULL, NULL},
};

static void put_sources(struct exposition *e, const struct family *family,
			const struct facts *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct facts *f = &facts[i];
		struct label labels[LABELS] = {{"source", f->source->config->name}};
		if (family->source)
			family->source(e, labels, f);
		for (size_t j = 0; family->resource && j < f->count; j++) {
			labels[1] = (struct label){"resource", f->held[j].type->name};
			labels[2] = (struct label){NULL, NULL};
			family->resource(e, labels, &f->held[j]);
		}
	}
}

void web_metrics(struct web *w, struct web_request *r)
{
	struct daemon *d = w->daemon;
	struct buf text = {0};
	struct exposition e = {.out = &text, .openmetrics = exposition_asked(web_header(r, "Accept"))};
	struct facts *facts = calloc(d->source_count + 1, sizeof *facts);

	for (size_t i = 0; facts && i < d->source_count; i++)
		look(&facts[i], &d->sources[i]);
	for (size_t i = 0; facts && i < sizeof families / sizeof *families; i++) {
		exposition_family(&e, families[i].name, families[i].type, families[i].help);
		if (families[i].whole)
			families[i].whole(&e, d);
		else
			put_sources(&e, &families[i], facts, d->source_count);
	}
	exposition_end(&e);
	if (!facts || text.error)
		web_reply_text(r, 500, "out of memory\n");
	else
		web_reply(r, 200, exposition_content_type(e.openmetrics), buf_bytes(&text));
	buf_release(&text);
	free(facts);
}
