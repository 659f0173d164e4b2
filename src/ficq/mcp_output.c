/* mcp_output: see the header. */
#include "mcp_output.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <errno.h>
#include <unistd.h>

#ifndef FIC_VERSION
#define FIC_VERSION "0"
#endif

#define META_SERVER "io.modelcontextprotocol/serverInfo"

/* ---- lines ---- */

volatile sig_atomic_t mcp_told_to_end;

static void write_all(struct mcp *m, struct bytes data)
{
	while (data.len > 0 && !m->failed && !mcp_told_to_end) {
		ssize_t n = write(m->out_fd, data.data, data.len);
		if (n >= 0) {
			data.data += n;
			data.len -= (size_t)n;
		} else if (errno != EINTR) {
			m->failed = true;
		}
	}
}

void mcp_send(struct mcp *m, struct buf *message)
{
	struct buf line = {0};

	if (message->error || json_write(buf_bytes(message), &line))
		m->failed = true;
	buf_put_byte(&line, '\n');
	if (line.error)
		m->failed = true;
	write_all(m, buf_bytes(&line));
	buf_release(&line);
}

/* ---- answers ---- */

void mcp_send_error(struct mcp *m, struct bytes id, int code, const char *message, struct bytes data)
{
	struct buf out = {0};

	mp_put_map(&out, id.data ? 3 : 2);
	mp_put_cstr(&out, "jsonrpc");
	mp_put_cstr(&out, "2.0");
	if (id.data) {
		mp_put_cstr(&out, "id");
		buf_put_bytes(&out, id);
	}
	mp_put_cstr(&out, "error");
	mp_put_map(&out, data.data ? 3 : 2);
	mp_put_cstr(&out, "code");
	mp_put_int(&out, code);
	mp_put_cstr(&out, "message");
	mp_put_cstr(&out, message);
	if (data.data) {
		mp_put_cstr(&out, "data");
		buf_put_bytes(&out, data);
	}
	mcp_send(m, &out);
	buf_release(&out);
}

void mcp_put_server(struct buf *out)
{
	mp_put_map(out, 3);
	mp_put_cstr(out, "name");
	mp_put_cstr(out, MCP_SERVER_NAME);
	mp_put_cstr(out, "title");
	mp_put_cstr(out, "fic: conversations with their freshness");
	mp_put_cstr(out, "version");
	mp_put_cstr(out, FIC_VERSION);
}

void mcp_result_begin(struct mcp_result *r, bool modern, struct bytes id)
{
	*r = (struct mcp_result){0};
	mp_put_map(&r->message, 3);
	mp_put_cstr(&r->message, "jsonrpc");
	mp_put_cstr(&r->message, "2.0");
	mp_put_cstr(&r->message, "id");
	buf_put_bytes(&r->message, id);
	mp_put_cstr(&r->message, "result");
	r->mark = mp_begin_map(&r->message);
	if (!modern)
		return;
	mp_put_cstr(mcp_result_put(r, "resultType"), "complete");
	struct buf *meta = mcp_result_put(r, "_meta");
	mp_put_map(meta, 1);
	mp_put_cstr(meta, META_SERVER);
	mcp_put_server(meta);
}

struct buf *mcp_result_put(struct mcp_result *r, const char *key)
{
	mp_put_cstr(&r->message, key);
	r->count++;
	return &r->message;
}

void mcp_result_keep(struct mcp_result *r, bool modern, int64_t ttl_ms, bool public)
{
	if (!modern)
		return;
	mp_put_int(mcp_result_put(r, "ttlMs"), ttl_ms);
	mp_put_cstr(mcp_result_put(r, "cacheScope"), public ? "public" : "private");
}

void mcp_result_send(struct mcp *m, struct mcp_result *r)
{
	mp_end_map(&r->message, r->mark, r->count);
	mcp_send(m, &r->message);
	buf_release(&r->message);
}

void mcp_put_text(struct buf *out, struct bytes text)
{
	mp_put_map(out, 2);
	mp_put_cstr(out, "type");
	mp_put_cstr(out, "text");
	mp_put_cstr(out, "text");
	mp_put_str(out, text);
}

void mcp_send_tool_error(struct mcp *m, bool modern, struct bytes id, struct bytes words)
{
	struct mcp_result r;

	mcp_result_begin(&r, modern, id);
	struct buf *content = mcp_result_put(&r, "content");
	mp_put_array(content, 1);
	mcp_put_text(content, words);
	mp_put_bool(mcp_result_put(&r, "isError"), true);
	mcp_result_send(m, &r);
}
