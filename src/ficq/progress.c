/*
 * progress: how far a sync is, on standard error. After half a second, at most ten times a second, and nothing of it stays.
 */
#include "progress.h"

#include "text.h"

#include <base/clock.h>
#include <codec/msgpack.h>

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define FIRST_MS 500
#define DRAW_MS  100
#define LINE_MS  10000
#define BAR_MAX  30
#define BAR_MIN  6

void progress_init(struct progress *p, const struct term *term, const struct show *show, bool lines)
{
	*p = (struct progress){.term = term,
			       .show = show,
			       .lines = lines && !term->err_tty,
			       .started_ms = clock_mono_ms()};
	p->shown_ms = p->started_ms;
}

static struct progress_run *find_run(struct progress *p, int64_t run)
{
	struct progress_run *oldest = &p->runs[0];

	for (size_t i = 0; i < p->run_count; i++) {
		if (p->runs[i].run == run)
			return &p->runs[i];
		if (p->runs[i].at_ms < oldest->at_ms)
			oldest = &p->runs[i];
	}
	if (p->run_count < PROGRESS_RUNS)
		oldest = &p->runs[p->run_count++];
	*oldest = (struct progress_run){.run = run};
	return oldest;
}

static void copy_text(char *out, size_t size, struct buf *text)
{
	size_t columns;
	struct bytes clean = buf_bytes(text);
	size_t n = text_fit(clean, size / 3, &columns);

	/* Three bytes a column at most for what is common; cut at a character's border in any case. */
	while (n >= size)
		n = text_fit(clean, --columns, &columns);
	if (n)
		memcpy(out, clean.data, n);
	out[n] = 0;
	buf_reset(text);
}

void progress_take(struct progress *p, struct bytes params)
{
	struct buf text = {0};
	int64_t run = 0;

	member_int(params, "run", &run);
	struct progress_run *r = find_run(p, run);
	member_show(&text, p->show, params, "source", CELL_TEXT);
	buf_put_byte(&text, '/');
	member_show(&text, p->show, params, "resource", CELL_TEXT);
	copy_text(r->name, sizeof r->name, &text);
	member_show(&text, p->show, params, "phase", CELL_TEXT);
	copy_text(r->phase, sizeof r->phase, &text);
	buf_release(&text);
	if (!member_int(params, "done", &r->done))
		r->done = 0;
	if (!member_int(params, "total", &r->total) || r->total <= 0)
		r->total = -1;
	if (!member_float(params, "ratio", &r->ratio))
		r->ratio = r->total > 0 ? (double)r->done / (double)r->total : -1;
	if (!member_float(params, "rate", &r->rate))
		r->rate = -1;
	r->at_ms = clock_mono_ms();
}

void progress_note(struct progress *p, const char *name, struct bytes phase, struct bytes ratio)
{
	struct progress_run *r = find_run(p, (int64_t)(bytes_hash(bytes_str(name)) >> 1));
	struct mp_value v;
	struct buf text = {0};

	*r = (struct progress_run){.run = r->run,
				   .done = -1,
				   .total = -1,
				   .ratio = -1,
				   .rate = -1,
				   .at_ms = clock_mono_ms()};
	buf_put_str(&text, name);
	copy_text(r->name, sizeof r->name, &text);
	buf_put_bytes(&text, phase);
	copy_text(r->phase, sizeof r->phase, &text);
	buf_release(&text);
	if (ratio.data && mp_get(ratio, &v) && v.type == MP_FLOAT)
		r->ratio = v.real;
}

/* Never "0 ms": what is left takes at least a second, and nobody knows it by the tenth. */
static void put_eta(struct buf *out, double seconds)
{
	int64_t s = seconds > 1e9 ? 1000000000 : (int64_t)ceil(seconds);

	buf_put_str(out, "  ETA ");
	if (s < 60)
		buf_printf(out, "%lld s", (long long)(s > 1 ? s : 1));
	else
		show_millis(out, s * 1000);
}

static void put_bar(struct buf *out, double ratio, size_t cells, bool utf8)
{
	size_t full = ratio >= 1 ? cells : ratio <= 0 ? 0 : (size_t)(ratio * (double)cells);

	buf_put_str(out, utf8 ? "▕" : "[");
	for (size_t i = 0; i < cells; i++)
		buf_put_str(out, i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."));
	buf_put_str(out, utf8 ? "▏" : "]");
}

static void put_counts(struct buf *out, const struct progress_run *run)
{
	if (run->ratio >= 0) {
		show_ratio(out, run->ratio);
		if (run->done >= 0)
			buf_put_str(out, "  ");
	}
	if (run->done >= 0)
		show_count(out, run->done);
	if (run->total > 0) {
		buf_put_byte(out, '/');
		show_count(out, run->total);
	}
	if (run->rate > 0)
		buf_printf(out, run->rate < 10 ? "  %.1f/s" : "  %.0f/s", run->rate);
	if (run->rate > 0 && run->total > run->done)
		put_eta(out, (double)(run->total - run->done) / run->rate);
}

void progress_line(struct buf *out, const struct progress_run *run, size_t width,
		   const struct show *show, unsigned spin)
{
	static const char *const spinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"};
	struct buf line = {0}, counts = {0};

	put_counts(&counts, run);
	if (run->ratio < 0)
		buf_printf(&line, "%s ", show->utf8 ? spinner[spin % 8] : spin % 2 ? "+" : "-");
	buf_printf(&line, "%s %s ", run->name, run->phase);
	size_t used = text_width(buf_bytes(&line)) + text_width(buf_bytes(&counts)) + 3;
	if (run->ratio >= 0 && used + BAR_MIN <= width) {
		put_bar(&line, run->ratio, width - used > BAR_MAX ? BAR_MAX : width - used,
			show->utf8);
		buf_put_byte(&line, ' ');
	}
	buf_put_bytes(&line, buf_bytes(&counts));
	text_put_cut(out, buf_bytes(&line), width, !show->utf8);
	buf_release(&line);
	buf_release(&counts);
}

static const struct progress_run *latest(const struct progress *p)
{
	const struct progress_run *best = NULL;

	for (size_t i = 0; i < p->run_count; i++)
		if (!best || p->runs[i].at_ms > best->at_ms)
			best = &p->runs[i];
	return best;
}

static void write_error(struct buf *text)
{
	/* Lost progress is no loss. */
	if (write(STDERR_FILENO, text->data, text->len) < 0)
		buf_reset(text);
}

static void draw(struct progress *p)
{
	const struct progress_run *run = latest(p);
	struct buf text = {0};

	if (p->term->err_tty)
		buf_put_str(&text, "\r\033[K");
	if (run)
		progress_line(&text, run, p->term->width - 1, p->show, p->spin++);
	else
		buf_put_str(&text, "waiting for the sync to begin");
	if (!p->term->err_tty)
		buf_put_byte(&text, '\n');
	write_error(&text);
	buf_release(&text);
	p->drawn = p->term->err_tty;
}

void progress_tick(struct progress *p)
{
	int64_t now = clock_mono_ms(), pause = p->lines ? LINE_MS : DRAW_MS;

	if (p->silent || (!p->lines && !p->term->err_tty))
		return;
	if (now - p->shown_ms < pause || now - p->started_ms < FIRST_MS)
		return;
	p->shown_ms = now;
	draw(p);
}

void progress_clear(struct progress *p)
{
	struct buf text = {0};

	if (!p->drawn)
		return;
	buf_put_str(&text, "\r\033[K");
	write_error(&text);
	buf_release(&text);
	p->drawn = false;
}
