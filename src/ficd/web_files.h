/* web_files: the files of src/ficd/page, made into C when ficd is built (tools/lib/embed). Private to this layer. */
#ifndef FIC_FICD_WEB_FILES_INTERNAL_H
#define FIC_FICD_WEB_FILES_INTERNAL_H

#include <stddef.h>

struct web_file {
	const char *name;
	const unsigned char *data;
	size_t len;
};

extern const struct web_file web_files[]; /* ended by a name of NULL */

#endif
