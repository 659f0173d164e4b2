/* render_status: how the daemon and its sources are, on one screen. Says what the daemon said; judges nothing by itself. */
#include "render_status.h"

#include "text.h"

#include <codec/msgpack.h>

#define WIDTH_PHASE 100

struct drawing {
	struct buf *out;
	const struct show *show;
	const struct table_look *look;
};

enum style status_style(struct bytes state)
{
	if (bytes_is(state, "fresh") || bytes_is(state, "ok"))
		return STYLE_GREEN;
	if (bytes_is(state, "partial") || bytes_is(state, "syncing") ||
	    bytes_is(state, "starting") || bytes_is(state, "running"))
		return STYLE_YELLOW;
	return STYLE_RED;
}

static void put_dot(struct buf *out, const struct show *s, struct bytes state)
{
	buf_put_str(out, s->utf8 ? "● " : "* ");
	text_clean(out, state, TEXT_LINE, s->ascii);
}

/* "45.0 %", or "1,200" records where it is not known of how many; the phase too where there is room. */
static void put_progress(struct buf *out, const struct show *s, struct bytes resource, bool phase)
{
	struct bytes progress = member(resource, "progress");
	double ratio;

	if (!progress.data) {
		if (member_true(resource, "syncing"))
			buf_put_str(out, "yes");
		return;
	}
	if (phase && member_str(progress, "phase").len) {
		member_show(out, s, progress, "phase", CELL_TEXT);
		buf_put_byte(out, ' ');
	}
	if (member_float(progress, "ratio", &ratio))
		show_ratio(out, ratio);
	else
		member_show(out, s, progress, "done", CELL_NUMBER);
}

static void add_cell(struct table *t, struct buf *cell, enum style style)
{
	table_cell(t, buf_bytes(cell), style);
	buf_reset(cell);
}

static void add_resource(struct table *t, const struct show *s, struct bytes resource, bool syncing,
			 bool phase)
{
	struct bytes state = member_str(resource, "state");
	struct buf cell = {0};

	member_show(&cell, s, resource, "name", CELL_TEXT);
	add_cell(t, &cell, STYLE_NONE);
	put_dot(&cell, s, state);
	add_cell(t, &cell, status_style(state));
	member_show(&cell, s, resource, "records", CELL_NUMBER);
	add_cell(t, &cell, STYLE_NONE);
	member_show(&cell, s, resource, "coverage_ratio", CELL_RATIO);
	add_cell(t, &cell, STYLE_NONE);
	member_show(&cell, s, resource, "last_sync", CELL_AGO);
	if (!cell.len)
		buf_put_str(&cell, "never");
	add_cell(t, &cell, STYLE_NONE);
	member_show(&cell, s, resource, "next_run", CELL_AGO);
	add_cell(t, &cell, STYLE_NONE);
	if (syncing) {
		put_progress(&cell, s, resource, phase);
		add_cell(t, &cell, STYLE_YELLOW);
	}
	buf_release(&cell);
}

/* In full, below the table: what went wrong is the last thing to cut. */
static void put_words(struct drawing *d, struct bytes resources, const char *key, enum style style)
{
	struct mp_reader r = mp_reader_of(resources);
	struct mp_value head;
	struct bytes item;

	if (mp_next(&r, &head) != 1)
		return;
	while (mp_take(&r, &item) == 1) {
		if (!member(item, key).data)
			continue;
		buf_printf(d->out, "  %s", style_on(d->look->color, style));
		member_show(d->out, d->show, item, "name", CELL_TEXT);
		buf_put_str(d->out, ": ");
		member_show(d->out, d->show, item, key, CELL_TEXT);
		buf_printf(d->out, "%s\n", style_off(d->look->color, style));
	}
}

static bool any_syncs(struct mp_reader items, uint32_t count)
{
	struct bytes item;

	for (; count > 0 && mp_take(&items, &item) == 1; count--)
		if (member_true(item, "syncing"))
			return true;
	return false;
}

static void put_resources(struct drawing *d, struct bytes resources)
{
	struct mp_reader r = mp_reader_of(resources);
	struct table_look look = *d->look;
	struct mp_value head;
	struct bytes item;
	struct table t;

	if (!resources.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY || head.count == 0)
		return;
	table_init(&t);
	table_column(&t, "RESOURCE", false, TABLE_ID);
	table_column(&t, "STATE", false, TABLE_FIRM);
	table_column(&t, "RECORDS", true, TABLE_FIRM);
	table_column(&t, "COVERED", true, TABLE_FIRM);
	table_column(&t, "LAST SYNC", false, TABLE_FIRM);
	table_column(&t, "NEXT RUN", false, TABLE_FIRM);
	bool syncing = any_syncs(r, head.count);
	if (syncing)
		table_column(&t, "SYNCING", false, TABLE_TEXT);
	while (mp_take(&r, &item) == 1)
		add_resource(&t, d->show, item, syncing, d->look->width >= WIDTH_PHASE);
	look.indent = 2;
	table_put(&t, d->out, &look);
	table_release(&t);
	put_words(d, resources, "last_error", STYLE_RED);
	put_words(d, resources, "note", STYLE_YELLOW);
}

/* One fact of a list in a sentence: text before, value, text after; nothing when the value is missing. */
static void put_fact(struct drawing *d, struct bytes map, const char *before, const char *path,
		     enum cell_kind kind, const char *after)
{
	struct bytes value = member(map, path);

	if (!value.data)
		return;
	buf_put_str(d->out, before);
	cell_show(d->out, d->show, value, kind);
	buf_put_str(d->out, after);
}

/* A kind of calls that the provider counts for itself. */
static void put_route(struct drawing *d, struct bytes route)
{
	int64_t wait = 0;

	put_fact(d, route, "    of ", "name", CELL_TEXT, ": ");
	if (member(route, "limit").data) {
		put_fact(d, route, "", "used", CELL_NUMBER, " in ");
		put_fact(d, route, "", "window_ms", CELL_MILLIS, ", of at most ");
		put_fact(d, route, "", "limit", CELL_NUMBER, "");
	} else {
		buf_put_str(d->out, "as many as of all");
	}
	if (member_int(route, "wait_ms", &wait) && wait > 0)
		put_fact(d, route, "; none for ", "wait_ms", CELL_MILLIS, ", says the provider");
	buf_put_byte(d->out, '\n');
}

static void put_routes(struct drawing *d, struct bytes routes)
{
	struct mp_reader r = mp_reader_of(routes);
	struct mp_value head;
	struct bytes item;

	if (!routes.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	while (mp_take(&r, &item) == 1)
		put_route(d, item);
}

static void put_budget(struct drawing *d, struct bytes budget)
{
	if (!budget.data)
		return;
	buf_put_str(d->out, "  calls: ");
	member_show(d->out, d->show, budget, "used_last_minute", CELL_NUMBER);
	buf_put_str(d->out, " in the last minute, of at most ");
	member_show(d->out, d->show, budget, "limit_per_minute", CELL_NUMBER);
	/* The provider counts in windows of its own. */
	put_fact(d, budget, "; ", "remaining", CELL_NUMBER, " left for now");
	buf_put_byte(d->out, '\n');
	put_routes(d, member(budget, "routes"));
}

static void put_edits(struct drawing *d, struct bytes edits)
{
	int64_t pending = 0, conflicts = 0, failed = 0, damaged = 0;

	mp_find_int(edits, "pending", &pending);
	mp_find_int(edits, "conflicts", &conflicts);
	mp_find_int(edits, "failed", &failed);
	mp_find_int(edits, "damaged_files", &damaged);
	if (pending + conflicts + failed > 0)
		buf_printf(d->out,
			   "  edits: %lld pending, %lld in conflict, %lld failed: ficq edits\n",
			   (long long)pending, (long long)conflicts, (long long)failed);
	if (damaged > 0)
		buf_printf(d->out,
			   "  %lld damaged files of edits were set aside: look at outbox/*.bad\n",
			   (long long)damaged);
}

/* What is not as it should be, and what says more. */
static void put_troubles(struct drawing *d, struct bytes source)
{
	int64_t letters;

	if (bytes_is(member_str(source, "breaker.state"), "open")) {
		buf_put_str(d->out, "  not asked since ");
		member_show(d->out, d->show, source, "breaker.since", CELL_TIME);
		put_fact(d, member(source, "breaker"), ", again at ", "next_probe", CELL_TIME, "");
		buf_put_byte(d->out, '\n');
	}
	if (mp_find_int(source, "dead_letters", &letters) && letters > 0)
		buf_printf(d->out, "  %lld records cannot be read: ficq dead\n", (long long)letters);
	if (member(source, "erasing.files").data) {
		buf_put_str(d->out, "  being erased from the disk: ");
		member_show(d->out, d->show, source, "erasing.files", CELL_NUMBER);
		buf_put_str(d->out, " files, ");
		member_show(d->out, d->show, source, "erasing.bytes", CELL_BYTES);
		buf_put_str(d->out, " to go\n");
	}
	if (member(source, "edits").data)
		put_edits(d, member(source, "edits"));
}

static void put_workspace(struct drawing *d, struct bytes workspace)
{
	if (!workspace.data)
		return;
	buf_put_str(d->out, "  ");
	member_show(d->out, d->show, workspace, "name", CELL_TEXT);
	buf_put_str(d->out, " (");
	member_show(d->out, d->show, workspace, "id", CELL_TEXT);
	if (member_str(workspace, "region").len) {
		buf_put_str(d->out, ", ");
		member_show(d->out, d->show, workspace, "region", CELL_TEXT);
	}
	buf_put_byte(d->out, ')');
}

static void put_source(struct drawing *d, struct bytes source)
{
	struct bytes state = member_str(source, "state");

	buf_printf(d->out, "\n%s", style_on(d->look->color, STYLE_BOLD));
	member_show(d->out, d->show, source, "name", CELL_TEXT);
	buf_printf(d->out, "%s  ", style_off(d->look->color, STYLE_BOLD));
	member_show(d->out, d->show, source, "provider", CELL_TEXT);
	put_workspace(d, member(source, "workspace"));
	buf_printf(d->out, "  %s", style_on(d->look->color, status_style(state)));
	put_dot(d->out, d->show, state);
	buf_printf(d->out, "%s\n", style_off(d->look->color, STYLE_RED));
	if (member(source, "error").data) {
		buf_printf(d->out, "  %s", style_on(d->look->color, STYLE_RED));
		member_show(d->out, d->show, source, "error", CELL_TEXT);
		buf_printf(d->out, "%s\n", style_off(d->look->color, STYLE_RED));
	}
	put_resources(d, member(source, "resources"));
	put_troubles(d, source);
	put_budget(d, member(source, "budget"));
}

static void put_micros(struct drawing *d, struct bytes map, const char *before, const char *path)
{
	double us;

	if (member_float(map, path, &us))
		buf_printf(d->out, "%s%.1f ms", before, us / 1000);
}

static void put_daemon(struct drawing *d, struct bytes result)
{
	int64_t started, now, n;

	buf_put_str(d->out, "ficd");
	put_fact(d, result, " ", "version", CELL_TEXT, "");
	put_fact(d, result, ", pid ", "pid", CELL_TEXT, "");
	if (member_time(result, "started", &started) && member_time(result, "now", &now)) {
		buf_put_str(d->out, ", up ");
		show_millis(d->out, now - started);
	}
	put_fact(d, result, ", ", "connections", CELL_NUMBER,
		 member_int(result, "connections", &n) && n == 1 ? " connection" : " connections");
	if (member_int(result, "connections_cut", &n) && n > 0)
		put_fact(d, result, ", ", "connections_cut", CELL_NUMBER,
			 " cut off that read nothing");
	buf_put_byte(d->out, '\n');
}

static void put_machine(struct drawing *d, struct bytes result)
{
	int64_t quarantined, raised;

	buf_put_str(d->out, "\nstore   ");
	put_fact(d, result, "", "store.bytes", CELL_BYTES, "");
	put_fact(d, result, " in ", "store.segments", CELL_NUMBER, " segments");
	put_fact(d, result, ", revision ", "store.revision", CELL_NUMBER, "");
	put_fact(d, result, ", ", "store.free_bytes", CELL_BYTES, " free on the disk");
	if (member_int(result, "store.quarantined", &quarantined) && quarantined > 0)
		buf_printf(d->out, ", %sdamaged and set aside: %lld%s",
			   style_on(d->look->color, STYLE_RED), (long long)quarantined,
			   style_off(d->look->color, STYLE_RED));
	buf_put_str(d->out, "\nmemory  ");
	put_fact(d, result, "", "memory.rss_bytes", CELL_BYTES, " in use");
	put_fact(d, result, ", caches and buffers up to ", "memory.limit_bytes", CELL_BYTES, "");
	buf_put_str(d->out, "\nloop    ");
	put_micros(d, result, "held for at most ", "loop.held_max_us");
	put_micros(d, result, ", last for ", "loop.held_last_us");
	put_fact(d, result, ", ", "loop.turns", CELL_NUMBER, " turns");
	buf_put_byte(d->out, '\n');
	if (member_int(result, "alerts", &raised) && raised > 0)
		buf_printf(d->out, "alerts  %s%lld raised%s: 'ficq alerts' tells which\n",
			   style_on(d->look->color, STYLE_RED), (long long)raised,
			   style_off(d->look->color, STYLE_RED));
}

void render_status(struct buf *out, struct bytes result, const struct show *show,
		   const struct table_look *look)
{
	struct drawing d = {.out = out, .show = show, .look = look};
	struct bytes sources = member(result, "sources"), item;
	struct mp_reader r = mp_reader_of(sources);
	struct mp_value head;

	put_daemon(&d, result);
	if (sources.data && mp_next(&r, &head) == 1 && head.type == MP_ARRAY)
		while (mp_take(&r, &item) == 1)
			put_source(&d, item);
	put_machine(&d, result);
}
