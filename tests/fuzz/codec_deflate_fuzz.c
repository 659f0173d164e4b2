/*
 * codec_deflate_fuzz: any bytes as a packed record of any claimed length, with and without a
 * dictionary, and as a dictionary; and any bytes as a record that is packed, with a dictionary trained on pieces of
 * it, and comes back as it was.
 *
 * The first byte chooses the level, the next two the claimed length.
 */
#include <codec/deflate.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static const char shared[] =
	"{\"type\":\"conversation\",\"id\":\"1\",\"created_at\":1734537511,\"state\":\"open\"}";

/* Of records that share all but a number. */
static struct unpacker *phrases_new(void)
{
	struct buf text = {.max = 0}, dictionary = {.max = 0};
	struct bytes samples[40];
	size_t ends[40];

	for (int i = 0; i < 40; i++) {
		buf_printf(&text, "%s%d%s", shared, i * 7919, shared + i);
		ends[i] = text.len;
	}
	for (int i = 0; i < 40; i++) {
		size_t start = i ? ends[i - 1] : 0;
		samples[i] = bytes_of(text.data + start, ends[i] - start);
	}
	require(dictionary_train(samples, 40, &dictionary) == 0);
	require(dictionary_phrases(buf_bytes(&dictionary)) > 0);
	struct unpacker *u = unpacker_new(buf_bytes(&dictionary));
	buf_release(&text);
	buf_release(&dictionary);
	return u;
}

static void unpack_any(struct unpacker *u, struct bytes packed, size_t claimed)
{
	struct buf out = {.max = 0};

	buf_put_str(&out, "kept");
	int rc = unpacker_unpack(u, packed, claimed, &out);
	require(rc == 0 || rc == ERR_CORRUPT);
	require(out.len == (rc == 0 ? 4 + claimed : 4));
	require(memcmp(out.data, "kept", 4) == 0);
	buf_release(&out);
}

static void round_trip(struct bytes raw, struct bytes dictionary, int level)
{
	struct packer *p = packer_new(dictionary, level);
	struct unpacker *u = unpacker_new(dictionary);
	struct buf first = {.max = 0}, second = {.max = 0}, back = {.max = 0};

	if (p && u) {
		require(packer_pack(p, raw, &first) == 0);
		require(packer_pack(p, raw, &second) == 0);
		require(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
		require(unpacker_unpack(u, buf_bytes(&first), raw.len, &back) == 0);
		require(bytes_equal(buf_bytes(&back), raw));
		require(unpacker_unpack(u, buf_bytes(&first), raw.len + 1, &back) == ERR_CORRUPT);
		require(unpacker_unpack(u, bytes_of(first.data, first.len - 1), raw.len, &back) ==
			ERR_CORRUPT);
		if (raw.len)
			require(unpacker_unpack(u, buf_bytes(&first), raw.len - 1, &back) ==
				ERR_CORRUPT);
	}
	buf_release(&first);
	buf_release(&second);
	buf_release(&back);
	packer_free(p);
	unpacker_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unpacker *plain, *primed, *phrases;

	if (!plain) {
		plain = unpacker_new(bytes_str(""));
		primed = unpacker_new(bytes_str(shared));
		phrases = phrases_new();
	}
	if (size < 3 || !plain || !primed || !phrases)
		return 0;
	size_t claimed = le16(data + 1);
	struct bytes body = bytes_of(data + 3, size - 3);
	unpack_any(plain, body, claimed);
	unpack_any(primed, body, claimed);
	unpack_any(phrases, body, claimed);

	struct unpacker *of_body = unpacker_new(body);
	if (of_body)
		unpack_any(of_body, body, claimed);
	unpacker_free(of_body);

	struct buf dictionary = {.max = 0};
	struct bytes samples[] = {body, bytes_of(body.data, body.len / 2),
				  bytes_of(body.data + body.len / 3, body.len / 3)};
	require(dictionary_train(samples, data[0] & 1 ? 3 : 0, &dictionary) == 0);
	require(dictionary.len <= DICTIONARY_MAX);
	round_trip(body, buf_bytes(&dictionary), 1 + data[0] % 9);
	buf_release(&dictionary);
	return 0;
}
