/* method_config: the configuration in force, and reading it again. */
#include "method.h"
#include "pairs.h"

#include <codec/msgpack.h>

void method_config(struct request *r)
{
	struct buf text = {0};

	config_print(r->daemon->config, &text);
	mp_put_map(&r->result, 2);
	put_text(&r->result, "path", r->daemon->config_path);
	mp_put_cstr(&r->result, "text");
	mp_put_str(&r->result, buf_bytes(&text));
	if (text.error)
		r->result.error = text.error;
	buf_release(&text);
	request_answer(r);
}

void method_reload(struct request *r)
{
	struct buf words = {0};
	int rc = daemon_reload(r->daemon, &words);

	if (rc == ERR_INVALID) {
		request_error(r, RPC_CONFLICT, "configuration",
			      "nothing was changed; ficd --check-config says the same", "%s",
			      buf_text(&words));
	} else if (rc) {
		request_error(r, RPC_INTERNAL, "no_memory", "restart ficd",
			      "the configuration is not wholly in force: out of memory");
	} else {
		mp_put_map(&r->result, 2);
		put_text(&r->result, "path", r->daemon->config_path);
		put_text(&r->result, "restart_needed", words.len ? buf_text(&words) : NULL);
		request_answer(r);
	}
	buf_release(&words);
}
