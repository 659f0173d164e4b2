/*
 * web_hook: POST /webhooks/SOURCE. The signature over the bytes as they came decides; then it is answered at once, and read about later. Who cannot sign learns nothing but that
 * he may not: not even whether there is such a source.
 */
#include "hooks.h"
#include "web.h"

#include <base/clock.h>
#include <codec/json.h>

#define PREFIX "/webhooks/"

static struct source *source_of(struct web *w, struct web_request *r)
{
	struct source *s = source_find(w->daemon, bytes_str(web_path(r) + strlen(PREFIX)));

	return s && s->hooks && hooks_secret(s->hooks).len && webhook_headers(s->provider) ? s : NULL;
}

static void take(struct source *s, struct web_request *r)
{
	struct webhook_hint hint;
	struct buf body = {0};
	struct why why;

	if (json_to_msgpack(web_body(r), JSON_LENIENT, &body, &why) ||
	    webhook_read(s->provider, buf_bytes(&body), &hint)) {
		hooks_refused(s->hooks);
		web_reply_text(r, 400, "this is no event\n");
	} else {
		if (hint.type && !source_type(s, bytes_str(hint.type->name)))
			hint.type = NULL;
		hooks_take(s->hooks, &hint);
		web_reply_text(r, 200, "ok\n");
	}
	buf_release(&body);
}

/* Providers try an address before they send to it. */
void web_hook_probe(struct web *w, struct web_request *r)
{
	(void)w;
	web_reply_text(r, 200, "ok\n");
}

void web_hook(struct web *w, struct web_request *r)
{
	struct source *s = source_of(w, r);

	if (!s) {
		web_reply_text(r, 401, "not signed\n");
		return;
	}
	const struct webhook_headers *names = webhook_headers(s->provider);
	const char *challenge = names->challenge ? web_header(r, names->challenge) : NULL;
	struct webhook h = {.body = web_body(r),
			    .signature = web_header(r, names->signature),
			    .timestamp = names->timestamp ? web_header(r, names->timestamp) : NULL,
			    .now_ms = clock_wall_ms()};
	int rc = webhook_check(s->provider, hooks_secret(s->hooks), &h);
	if (rc) {
		hooks_refused(s->hooks);
		web_reply_text(r, 401, rc == ERR_LIMIT ? "signed too long ago\n" : "not signed\n");
	} else if (challenge) {
		web_reply_text(r, 200, challenge);
	} else {
		take(s, r);
	}
}
