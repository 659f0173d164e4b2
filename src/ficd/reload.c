/* reload: the configuration is read again, as a whole or not at all; nobody is cut off, nothing that is under way ends. */
#include "access_log.h"
#include "alerts.h"
#include "service.h"
#include "session.h"
#include "web.h"

#include <base/log.h>

#include <stdlib.h>

static int load(struct daemon *d, struct config **now_out, struct buf *words)
{
	struct config_errors errors;

	config_errors_init(&errors);
	int rc = config_load(d->config_path, now_out, &errors);
	if (rc)
		config_errors_write(&errors, words);
	config_errors_release(&errors);
	if (rc)
		log_error("ficd", "the configuration was not read again: %s", buf_text(words));
	return rc ? ERR_INVALID : 0;
}

static void put_in_force(struct daemon *d)
{
	log_setup(d->config->log_level, getenv("JOURNAL_STREAM") != NULL);
	sessions_allow(d);
	web_configure(d);
	access_log_configure(d->access_log, d->config->access_log, d->config->access_log_bytes);
	for (size_t i = 0; i < d->source_count; i++)
		source_configure(&d->sources[i]);
	alerts_configure(d->alerts);
}

static int apply(struct daemon *d, const struct config *now, struct buf *words)
{
	struct why why = {""};
	int rc = config_apply(d->config, now, &why);

	if (rc == ERR_INVALID) {
		buf_printf(words, "%s: restart ficd for that; nothing was changed", why.text);
		log_error("ficd", "the configuration was not taken over: %s", buf_text(words));
		return rc;
	}
	put_in_force(d);
	if (rc)
		return rc;
	config_restart_needed(d->config, now, words);
	if (words->len)
		log_warn("ficd", "the configuration was read again; a restart is needed for %s",
			 buf_text(words));
	else
		log_info("ficd", "the configuration was read again");
	return 0;
}

int daemon_reload(struct daemon *d, struct buf *words)
{
	struct config *now = NULL;

	service_reloading(d->service);
	int rc = load(d, &now, words);
	if (rc == 0)
		rc = apply(d, now, words);
	d->reload_failures += rc != 0;
	config_free(now);
	service_ready(d->service);
	return rc;
}
