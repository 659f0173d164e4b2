/* mcp_config: see the header. */
#include "mcp_config.h"

#include <base/suggest.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Where this program is. */
static const char *own_path(char room[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", room, PATH_MAX - 1);

	if (n <= 0)
		return "ficq";
	room[n] = 0;
	return room;
}

/* Clients start programs in folders of their own. */
static const char *whole_path(const char *path, char room[PATH_MAX])
{
	return realpath(path, room) ? room : path;
}

static void put_server(struct app *a, struct buf *out, bool typed)
{
	const char *const with[] = {"--source", app_value(a, OPT_SOURCE), "--socket",
				    app_value(a, OPT_SOCKET)};
	char program[PATH_MAX], socket[PATH_MAX];
	uint32_t count = 1 + (with[1] ? 2u : 0) + (with[3] ? 2u : 0);

	mp_put_map(out, typed ? 3 : 2);
	if (typed) {
		mp_put_cstr(out, "type");
		mp_put_cstr(out, "stdio");
	}
	mp_put_cstr(out, "command");
	mp_put_cstr(out, own_path(program));
	mp_put_cstr(out, "args");
	mp_put_array(out, count);
	for (int i = 0; i < 4; i += 2) {
		if (!with[i + 1])
			continue;
		mp_put_cstr(out, with[i]);
		mp_put_cstr(out, i ? whole_path(with[i + 1], socket) : with[i + 1]);
	}
	mp_put_cstr(out, "mcp");
}

static void put_toml(struct app *a, struct buf *server)
{
	struct buf *out = &a->out.buf;
	struct bytes command = member_str(buf_bytes(server), "command");

	buf_put_str(out, "[mcp_servers.fic]\ncommand = ");
	json_write_str(out, command);
	buf_put_str(out, "\nargs = ");
	json_write(member(buf_bytes(server), "args"), out);
	buf_put_byte(out, '\n');
}

static void put_json(struct app *a, const char *key, struct buf *server)
{
	struct buf whole = {0};

	mp_put_map(&whole, 1);
	mp_put_cstr(&whole, key);
	mp_put_map(&whole, 1);
	mp_put_cstr(&whole, "fic");
	buf_put_bytes(&whole, buf_bytes(server));
	json_write_pretty(buf_bytes(&whole), &a->out.buf);
	buf_put_byte(&a->out.buf, '\n');
	buf_release(&whole);
}

int mcp_config(struct app *a)
{
	const char *client = app_arg(a, 0);
	bool vscode = client && strcmp(client, "vscode") == 0;
	bool codex = client && strcmp(client, "codex") == 0;
	struct buf server = {0};

	if (client) {
		const char *near = suggest(bytes_str(client), mcp_client_words);
		if (!near || strcmp(near, client) != 0)
			return report_error(&a->report, EXIT_USAGE, "usage",
					    "\"%.40s\" is none of claude, cursor, vscode, codex",
					    client);
	}
	put_server(a, &server, vscode);
	if (codex)
		put_toml(a, &server);
	else
		put_json(a, vscode ? "servers" : "mcpServers", &server);
	int rc = server.error;
	buf_release(&server);
	return rc ? report_error(&a->report, EXIT_SOFTWARE, "internal", "out of memory") : EXIT_OK;
}
