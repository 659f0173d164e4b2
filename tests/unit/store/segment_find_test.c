/*
 * A row is found by the hash of its id among pages of hashes, whatever the header says of where these end: also where so many hashes begin alike that several pages
 * end so, which no id that anybody has ever does.
 */
#include "inside.h"
#include "support/lab.h"

#include <stdlib.h>

#define PER_PAGE (SEGMENT_PAGE_ROOM / SEGMENT_ID_SIZE)
#define PAGES    6u
#define IDS      (PAGES * PER_PAGE - 17)

static uint64_t hashes[IDS];
static struct lab lab;
static struct store *store; /* empty */
static struct segment *segment;

/* Three pages end in hashes of the same first half: pages 1 to 3. */
static void make_hashes(void)
{
	const uint64_t alike = UINT64_C(0x5000000000000000);

	for (uint32_t i = 0; i < IDS; i++)
		if (i < PER_PAGE + 100)
			hashes[i] = (uint64_t)i << 40 | 5;
		else if (i < 4 * PER_PAGE + 9)
			hashes[i] = alike + 3 * i;
		else
			hashes[i] = alike + ((uint64_t)i << 40);
}

static uint8_t *make_image(void)
{
	uint8_t *image = calloc(PAGES, SEGMENT_PAGE);

	for (uint32_t i = 0; image && i < IDS; i++) {
		uint8_t *e = image + i / PER_PAGE * SEGMENT_PAGE + i % PER_PAGE * SEGMENT_ID_SIZE;
		put_le64(e, hashes[i]);
		put_le32(e + 8, i);
	}
	return image;
}

static int setup(void **state)
{
	struct segment_meta meta = {.number = 1, .bytes = PAGES * SEGMENT_PAGE, .records = IDS};

	(void)state;
	make_hashes();
	lab_init(&lab);
	store = lab_open(&lab);
	segment = segment_new_memory("contacts", &meta, make_image());
	if (!segment)
		return -1;
	segment->loaded = true;
	segment->sections[SECTION_IDS] = (struct section){
		.pages = PAGES, .elements = IDS, .size = SEGMENT_ID_SIZE, .per_page = PER_PAGE};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	segment_free(segment, store->pages);
	store_close(store);
	lab_release(&lab);
	return 0;
}

static void expect(uint64_t hash, uint32_t place)
{
	uint32_t at;

	assert_int_equal(segment_find(segment, store->pages, hash, &at), 0);
	assert_int_equal(at, place);
}

static void all_are_found(void)
{
	for (uint32_t i = 0; i < IDS; i++) {
		expect(hashes[i], i);
		expect(hashes[i] - 1, i);
		expect(hashes[i] + 1, i + 1);
	}
	expect(0, 0);
	expect(UINT64_MAX, IDS);
}

static void without_ends(void **state)
{
	(void)state;
	all_are_found();
}

static void with_ends(void **state)
{
	(void)state;
	segment->id_pages = malloc(PAGES * sizeof *segment->id_pages);
	assert_non_null(segment->id_pages);
	for (uint32_t i = 0; i < PAGES; i++) {
		uint32_t last = (i + 1) * PER_PAGE < IDS ? (i + 1) * PER_PAGE - 1 : IDS - 1;
		segment->id_pages[i] = (uint32_t)(hashes[last] >> 32);
	}
	assert_true(segment->id_pages[1] == segment->id_pages[2] &&
		    segment->id_pages[2] == segment->id_pages[3] &&
		    segment->id_pages[3] < segment->id_pages[4]);
	all_are_found();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_ends),
		cmocka_unit_test(with_ends),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
