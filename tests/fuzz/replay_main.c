/*
 * Runs a fuzz target without a fuzzer, so that a machine with gcc alone checks every decoder too: all files of the
 * target's corpus, then a few thousand mutations of them that are the same in every run.
 *
 *     codec_json_fuzz                tests/fuzz/corpus/codec_json_fuzz/ (or codec_json/), then mutations
 *     codec_json_fuzz FILE|DIR...    just these, each as it is
 *
 * FUZZ_MUTATIONS says how many (4,000). Each input lies in a heap block of its exact size, where sanitizers and
 * valgrind see one byte too far. The input at work when the process dies is left in the file that it names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_BYTES_MAX  (64u << 10)
#define CORPUS_FILES_MAX 4096
#define CORPUS_BYTES_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

struct input {
	uint8_t *data;
	size_t size;
};

static struct input corpus[CORPUS_FILES_MAX];
static size_t corpus_count, corpus_bytes;

static struct input at_work;
static char crash_path[4096];

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static size_t random_below(size_t limit)
{
	return limit ? (size_t)(random_next() % limit) : 0;
}

/* Only calls that a signal handler may make. */
static void keep_input(void)
{
	static const char words[] = "replay: the input that broke it is ";
	int fd;

	if (!at_work.data)
		return;
	fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, at_work.data, at_work.size) == (ssize_t)at_work.size &&
	    write(2, words, sizeof words - 1) > 0 && write(2, crash_path, strlen(crash_path)) > 0)
		(void)!write(2, "\n", 1);
	close(fd);
	at_work.data = NULL;
}

static void on_death(int signal_number)
{
	keep_input();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void watch_for_death(const char *name)
{
	static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTERM, SIGALRM};
	const char *build = getenv("BUILD");

	snprintf(crash_path, sizeof crash_path, "%s/crash-%s", build ? build : ".", name);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		/* Under a sanitizer the faults are its own to report. */
		if (__sanitizer_set_death_callback && signals[i] != SIGTERM && signals[i] != SIGALRM)
			continue;
		signal(signals[i], on_death);
	}
}

static void run_one(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact) {
		fputs("replay: out of memory\n", stderr);
		exit(2);
	}
	if (size)
		memcpy(exact, data, size);
	at_work = (struct input){exact, size};
	alarm(20);
	LLVMFuzzerTestOneInput(exact, size);
	alarm(0);
	at_work.data = NULL;
	free(exact);
}

static int load_file(const char *path, size_t size)
{
	struct input *in = &corpus[corpus_count];
	FILE *file;

	if (corpus_count == CORPUS_FILES_MAX || size > CORPUS_BYTES_MAX - corpus_bytes) {
		fprintf(stderr, "replay: the corpus is too large at %s\n", path);
		return -1;
	}
	file = fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		return -1;
	}
	in->data = malloc(size ? size : 1);
	in->size = in->data ? fread(in->data, 1, size, file) : 0;
	fclose(file);
	if (!in->data || in->size != size) {
		fprintf(stderr, "replay: %s: cannot be read\n", path);
		free(in->data);
		return -1;
	}
	corpus_count++;
	corpus_bytes += size;
	return 0;
}

static int skip_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A file, or the files of a folder and what lies below it in the order of their names. */
static int load(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int count, bad = 0;

	if (stat(path, &st) < 0) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return load_file(path, (size_t)st.st_size);
	count = scandir(path, &entries, skip_hidden, alphasort);
	if (count < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		char below[4096];
		int n = snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);

		if (n < 0 || (size_t)n >= sizeof below || load(below) < 0)
			bad = -1;
		free(entries[i]);
	}
	free(entries);
	return bad;
}

static size_t insert_bytes(uint8_t *data, size_t size, size_t at, const uint8_t *from, size_t n)
{
	if (n > INPUT_BYTES_MAX - size)
		n = INPUT_BYTES_MAX - size;
	memmove(data + at + n, data + at, size - at);
	memcpy(data + at, from, n);
	return size + n;
}

/* One step of damage; `data` has room for INPUT_BYTES_MAX. Returns the new size. */
static size_t mutate(uint8_t *data, size_t size)
{
	static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0xc0, 0xc1, 0xdf, 0xdd, 0xc6,
					'"',  '\\', '{',  '}',  '[',  ']',  ':',  ',',  '-',  '\n'};
	size_t at = random_below(size), n;
	uint8_t piece[64];

	if (size == 0) {
		data[0] = (uint8_t)random_next();
		return 1;
	}
	switch (random_below(8)) {
	case 0: /* a bit */ data[at] ^= (uint8_t)(1u << random_below(8)); return size;
	case 1: /* a byte that means something to a decoder */
		data[at] = edges[random_below(sizeof edges)];
		return size;
	case 2: /* a number, big or little */
		n = (size_t)1 << random_below(4);
		for (size_t i = 0; i < n && at + i < size; i++)
			data[at + i] = (uint8_t)(random_below(2) ? 0xff : random_next());
		return size;
	case 3: /* a piece is gone */
		n = 1 + random_below(size - at < 32 ? size - at : 32);
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	case 4: /* a piece comes twice */
		n = 1 + random_below(sizeof piece - 1);
		if (n > size - at)
			n = size - at;
		memcpy(piece, data + at, n);
		return insert_bytes(data, size, at, piece, n);
	case 5: /* noise comes in between */
		n = 1 + random_below(8);
		for (size_t i = 0; i < n; i++)
			piece[i] = random_below(2) ? edges[random_below(sizeof edges)]
						   : (uint8_t)random_next();
		return insert_bytes(data, size, at, piece, n);
	case 6: /* the end is gone */ return at;
	default: /* the tail is another input's */
		if (corpus_count > 0) {
			const struct input *other = &corpus[random_below(corpus_count)];
			size_t from = random_below(other->size);

			n = other->size - from;
			if (n > INPUT_BYTES_MAX - at)
				n = INPUT_BYTES_MAX - at;
			if (n > 0)
				memcpy(data + at, other->data + from, n);
			return at + n;
		}
		return size;
	}
}

static void run_mutations(unsigned long count)
{
	uint8_t *data = malloc(INPUT_BYTES_MAX);

	if (!data)
		exit(2);
	for (unsigned long i = 0; i < count; i++) {
		size_t size = 0;

		if (corpus_count > 0) {
			const struct input *in = &corpus[random_below(corpus_count)];

			size = in->size < INPUT_BYTES_MAX ? in->size : INPUT_BYTES_MAX;
			if (size)
				memcpy(data, in->data, size);
		} else {
			size = random_below(256);
			for (size_t k = 0; k < size; k++)
				data[k] = (uint8_t)random_next();
		}
		for (size_t steps = 1 + random_below(4); steps > 0; steps--)
			size = mutate(data, size);
		run_one(data, size);
	}
	free(data);
}

/* tests/fuzz/corpus/NAME_fuzz or tests/fuzz/corpus/NAME, where there is one. */
static int load_own_corpus(const char *name)
{
	int stem = (int)(strlen(name) - strlen("_fuzz"));
	char path[512];
	int bad = 0;

	snprintf(path, sizeof path, "tests/fuzz/corpus/%s", name);
	if (access(path, F_OK) == 0 && load(path) < 0)
		bad = -1;
	if (stem > 0) {
		snprintf(path, sizeof path, "tests/fuzz/corpus/%.*s", stem, name);
		if (access(path, F_OK) == 0 && load(path) < 0)
			bad = -1;
	}
	return bad;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	const char *wanted = getenv("FUZZ_MUTATIONS");
	unsigned long mutations = argc > 1 ? 0 : wanted ? strtoul(wanted, NULL, 10) : 4000;
	int bad = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	watch_for_death(name);
	for (int i = 1; i < argc; i++)
		bad |= load(argv[i]);
	if (argc <= 1)
		bad = load_own_corpus(name);
	if (argc <= 1)
		run_one(NULL, 0);
	for (size_t i = 0; i < corpus_count; i++)
		run_one(corpus[i].data, corpus[i].size);
	run_mutations(mutations);
	printf("%zu inputs and %lu mutations\n", corpus_count, mutations);
	for (size_t i = 0; i < corpus_count; i++)
		free(corpus[i].data);
	return bad ? 2 : 0;
}
