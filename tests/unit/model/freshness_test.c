/*
 * freshness_test: the verdict, row by row. Times are minutes of 2024-12-20; now is 15:00 (900) unless a row says otherwise.
 */
#include <model/freshness.h>

#include <codec/msgpack.h>

#include "support/spans.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#define NONE INT_MAX /* in the minutes of a row: TIME_NONE */
#define OPEN INT_MIN
#define NOW  900

struct row {
	const char *name;
	const char *held;
	int chain_start, chain_end; /* both 0: no chain */
	int start, end;             /* OPEN: defaults */
	enum axis axis;
	int now;       /* 0: NOW */
	int history;   /* 0: all there is */
	int tolerance; /* 0: 5 minutes; negative: none */
	int max_age;   /* 0: any */
	const char *trouble;
	bool unreached;
	bool syncing, synced;
	unsigned dead, truncated, quarantined;
	const char *noun;

	enum freshness_state state;
	const char *reason;
	const char *covered, *gaps;
	int as_of, age; /* minutes */
	bool complete;
	const char *message;
};

#define STALE_SENTENCE "Data is stale - syncing latest conversations..."
#define UP_TO(time) \
	"Analysis includes conversations up to " time " - may be missing recent conversations"

static const struct row rows[] = {
	{.name = "never synced",
	 .held = "",
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_STALE,
	 .reason = "never-synced",
	 .covered = "",
	 .gaps = "0..900",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "never synced, being synced",
	 .held = "",
	 .start = 0,
	 .end = 900,
	 .syncing = true,
	 .trouble = "rate-limited",
	 .state = FRESHNESS_STALE,
	 .reason = "rate-limited",
	 .covered = "",
	 .gaps = "0..900",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "never synced, of another resource",
	 .held = "",
	 .start = 0,
	 .end = 900,
	 .noun = "contacts",
	 .state = FRESHNESS_STALE,
	 .reason = "never-synced",
	 .covered = "",
	 .gaps = "0..900",
	 .as_of = NONE,
	 .message = "Data is stale - syncing latest contacts..."},
	{.name = "synced, but all withdrawn",
	 .held = "",
	 .synced = true,
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "0..900",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	/* Coverage knows nothing of records: a span that was read is covered, however empty. */
	{.name = "empty but covered",
	 .held = "0..900@900",
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..900",
	 .gaps = "",
	 .as_of = 900,
	 .age = 0,
	 .complete = true},
	{.name = "gap in the middle",
	 .held = "0..300@900 400..900@900",
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "0..300 400..900",
	 .gaps = "300..400",
	 .as_of = 900,
	 .message = "Analysis covers 13 of 15 hours asked for - may be missing conversations between "
		    "2024-12-20 05:00 and 2024-12-20 06:40"},
	{.name = "gap at the start",
	 .held = "-4320..900@900",
	 .start = -7200,
	 .end = 900,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "-4320..900",
	 .gaps = "-7200..-4320",
	 .as_of = 900,
	 .message = "Analysis covers 3 of 6 days asked for - may be missing conversations between "
		    "2024-12-15 00:00 and 2024-12-17 00:00"},
	{.name = "gap at an open start",
	 .held = "0..900@900",
	 .start = OPEN,
	 .end = OPEN,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "0..900",
	 .gaps = "min..0",
	 .as_of = 900,
	 .message = "Analysis may be missing conversations before 2024-12-20 00:00"},
	{.name = "open start with a history that is held",
	 .held = "-9..900@900",
	 .start = OPEN,
	 .end = OPEN,
	 .history = -9,
	 .state = FRESHNESS_FRESH,
	 .covered = "-9..900",
	 .gaps = "",
	 .as_of = 900,
	 .complete = true},
	{.name = "two gaps, the tail among them",
	 .held = "0..300@870 400..870@870",
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "0..300 400..870",
	 .gaps = "300..400 870..900",
	 .as_of = 870,
	 .age = 30,
	 .message = UP_TO("2024-12-20 14:30")},
	{.name = "tail within tolerance",
	 .held = "0..897@897",
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..897",
	 .gaps = "",
	 .as_of = 897,
	 .age = 3,
	 .complete = true},
	{.name = "tail exactly at tolerance",
	 .held = "0..895@895",
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..895",
	 .gaps = "",
	 .as_of = 895,
	 .age = 5,
	 .complete = true},
	{.name = "tail beyond tolerance",
	 .held = "0..894@894",
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "expired",
	 .covered = "0..894",
	 .gaps = "894..900",
	 .as_of = 894,
	 .age = 6,
	 .message = UP_TO("2024-12-20 14:54")},
	{.name = "tail without tolerance",
	 .held = "0..899@899",
	 .start = 0,
	 .end = 900,
	 .tolerance = -1,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "expired",
	 .covered = "0..899",
	 .gaps = "899..900",
	 .as_of = 899,
	 .age = 1,
	 .message = UP_TO("2024-12-20 14:59")},
	{.name = "tail of a span in the past, within tolerance",
	 .held = "0..497@497",
	 .start = 0,
	 .end = 500,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..497",
	 .gaps = "",
	 .as_of = 497,
	 .age = 403,
	 .complete = true},
	{.name = "hole that ends with the span, shorter than the tolerance",
	 .held = "0..497@900 510..900@900",
	 .start = 0,
	 .end = 500,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "0..497",
	 .gaps = "497..500",
	 .as_of = 900,
	 .message = "Analysis covers 8 of 9 hours asked for - may be missing conversations between "
		    "2024-12-20 08:17 and 2024-12-20 08:20"},
	{.name = "span older than coverage",
	 .held = "500..900@900",
	 .start = 0,
	 .end = 400,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "0..400",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "span older than the wanted history: trouble is not why",
	 .held = "500..900@900",
	 .start = 0,
	 .end = 400,
	 .history = 500,
	 .trouble = "auth",
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "0..400",
	 .as_of = NONE,
	 .message = "Data is stale - conversations before 2024-12-20 08:20 are not kept"},
	{.name = "span that ends where the wanted history starts",
	 .held = "500..900@900",
	 .start = 0,
	 .end = 500,
	 .history = 500,
	 .trouble = "auth",
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "0..500",
	 .as_of = NONE,
	 .message = "Data is stale - conversations before 2024-12-20 08:20 are not kept"},
	{.name = "trouble explains what the wanted history lacks",
	 .held = "600..900@900",
	 .start = 0,
	 .end = 560,
	 .history = 500,
	 .trouble = "rate-limited",
	 .state = FRESHNESS_STALE,
	 .reason = "rate-limited",
	 .covered = "",
	 .gaps = "0..560",
	 .as_of = NONE,
	 .message = "Data is stale - cannot sync: the provider's rate limit is used up"},
	{.name = "coverage older than span",
	 .held = "0..400@400",
	 .start = 500,
	 .end = 900,
	 .state = FRESHNESS_STALE,
	 .reason = "older",
	 .covered = "",
	 .gaps = "500..900",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "coverage ends where the span starts",
	 .held = "0..500@500",
	 .start = 500,
	 .end = 900,
	 .state = FRESHNESS_STALE,
	 .reason = "older",
	 .covered = "",
	 .gaps = "500..900",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "span in a hole",
	 .held = "0..300@900 600..900@900",
	 .start = 400,
	 .end = 500,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "400..500",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "span in the past fully held",
	 .held = "0..500@500",
	 .start = 100,
	 .end = 400,
	 .state = FRESHNESS_FRESH,
	 .covered = "100..400",
	 .gaps = "",
	 .as_of = 500,
	 .age = 400,
	 .complete = true},
	{.name = "span in the future, known up to now",
	 .held = "0..897@897",
	 .start = 1000,
	 .end = 1100,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = "Nothing is known yet - 2024-12-20 16:40 has not begun"},
	{.name = "from some time in the future on",
	 .held = "0..897@897",
	 .start = 1000,
	 .end = OPEN,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = "Nothing is known yet - 2024-12-20 16:40 has not begun"},
	{.name = "span in the future, not known up to now",
	 .held = "0..800@800",
	 .start = 1000,
	 .end = 1100,
	 .state = FRESHNESS_STALE,
	 .reason = "expired",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "span in the future, never synced",
	 .held = "",
	 .start = 1000,
	 .end = 1100,
	 .state = FRESHNESS_STALE,
	 .reason = "never-synced",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "span in the future, known but too old",
	 .held = "0..897@897",
	 .start = 1000,
	 .end = 1100,
	 .max_age = 1,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = "Nothing is known yet - 2024-12-20 16:40 has not begun"},
	{.name = "span in the future, known up to now, cannot sync",
	 .held = "0..897@897",
	 .start = 1000,
	 .end = 1100,
	 .trouble = "auth",
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = "Nothing is known yet - 2024-12-20 16:40 has not begun"},
	{.name = "span that begins a minute from now",
	 .held = "0..900@900",
	 .start = 901,
	 .end = OPEN,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = "Nothing is known yet - 2024-12-20 15:01 has not begun"},
	{.name = "span that begins now",
	 .held = "0..900@900",
	 .start = 900,
	 .end = OPEN,
	 .state = FRESHNESS_FRESH,
	 .covered = "",
	 .gaps = "",
	 .as_of = 900,
	 .complete = true},
	{.name = "span that ends in the future",
	 .held = "0..898@898",
	 .start = 100,
	 .end = 2000,
	 .state = FRESHNESS_FRESH,
	 .covered = "100..898",
	 .gaps = "",
	 .as_of = 898,
	 .age = 2,
	 .complete = true},
	{.name = "span starting within the tolerance of now",
	 .held = "0..897@897",
	 .start = 898,
	 .end = OPEN,
	 .state = FRESHNESS_FRESH,
	 .covered = "",
	 .gaps = "",
	 .as_of = 897,
	 .age = 3,
	 .complete = true},
	{.name = "span starting within the tolerance of now, knowledge too old",
	 .held = "0..890@890",
	 .start = 898,
	 .end = OPEN,
	 .state = FRESHNESS_STALE,
	 .reason = "older",
	 .covered = "",
	 .gaps = "898..900",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "empty span in what is held",
	 .held = "0..900@900",
	 .start = 300,
	 .end = 300,
	 .state = FRESHNESS_FRESH,
	 .covered = "",
	 .gaps = "",
	 .as_of = 900,
	 .complete = true},
	{.name = "empty span, never synced",
	 .held = "",
	 .start = 300,
	 .end = 300,
	 .state = FRESHNESS_STALE,
	 .reason = "never-synced",
	 .covered = "",
	 .gaps = "",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "creation axis: a hole hides only itself",
	 .held = "0..300@900 400..900@900",
	 .start = 400,
	 .end = 900,
	 .state = FRESHNESS_FRESH,
	 .covered = "400..900",
	 .gaps = "",
	 .as_of = 900,
	 .complete = true},
	{.name = "update axis: a hole hides what follows",
	 .held = "0..300@900 400..900@900",
	 .start = 400,
	 .end = 900,
	 .axis = AXIS_UPDATED,
	 .state = FRESHNESS_STALE,
	 .reason = "gap",
	 .covered = "",
	 .gaps = "400..900",
	 .as_of = NONE,
	 .message = STALE_SENTENCE},
	{.name = "update axis: what is before the hole is known",
	 .held = "0..300@900 400..900@900",
	 .start = 100,
	 .end = 900,
	 .axis = AXIS_UPDATED,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "100..300",
	 .gaps = "300..900",
	 .as_of = 900,
	 .message = "Analysis covers 3 of 14 hours asked for - may be missing conversations between "
		    "2024-12-20 05:00 and 2024-12-20 15:00"},
	{.name = "update axis: what is below the lowest span hides nothing",
	 .held = "400..900@900",
	 .start = 400,
	 .end = 900,
	 .axis = AXIS_UPDATED,
	 .state = FRESHNESS_FRESH,
	 .covered = "400..900",
	 .gaps = "",
	 .as_of = 900,
	 .complete = true},
	{.name = "update axis: a span read long ago tells nothing of later updates",
	 .held = "0..300@300 300..900@900",
	 .start = 0,
	 .end = 900,
	 .axis = AXIS_UPDATED,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "0..300",
	 .gaps = "300..900",
	 .as_of = 300,
	 .age = 600,
	 .message = "Analysis covers 5 of 15 hours asked for - may be missing conversations between "
		    "2024-12-20 05:00 and 2024-12-20 15:00"},
	{.name = "update axis: but the chain knows of all of them",
	 .held = "0..300@300 300..900@900",
	 .chain_start = 500,
	 .chain_end = 900,
	 .start = 500,
	 .end = 900,
	 .axis = AXIS_UPDATED,
	 .state = FRESHNESS_FRESH,
	 .covered = "500..900",
	 .gaps = "",
	 .as_of = 900,
	 .complete = true},
	{.name = "snapshot: held from the beginning",
	 .held = "min..897@897",
	 .start = -500000,
	 .end = 900,
	 .state = FRESHNESS_FRESH,
	 .covered = "-500000..897",
	 .gaps = "",
	 .as_of = 897,
	 .age = 3,
	 .complete = true},
	{.name = "snapshot: the span starts at the beginning too",
	 .held = "min..897@897",
	 .start = OPEN,
	 .end = OPEN,
	 .state = FRESHNESS_FRESH,
	 .covered = "min..897",
	 .gaps = "",
	 .as_of = 897,
	 .age = 3,
	 .complete = true},
	{.name = "snapshot: too old",
	 .held = "min..600@600",
	 .start = OPEN,
	 .end = OPEN,
	 .noun = "tags",
	 .state = FRESHNESS_PARTIAL,
	 .reason = "expired",
	 .covered = "min..600",
	 .gaps = "600..900",
	 .as_of = 600,
	 .age = 300,
	 .message = "Analysis includes tags up to 2024-12-20 10:00 - may be missing recent tags"},
	{.name = "snapshot on the update axis",
	 .held = "min..897@897",
	 .start = 600,
	 .end = 900,
	 .axis = AXIS_UPDATED,
	 .state = FRESHNESS_FRESH,
	 .covered = "600..897",
	 .gaps = "",
	 .as_of = 897,
	 .age = 3,
	 .complete = true},
	{.name = "max_age met",
	 .held = "0..898@898",
	 .start = 0,
	 .end = 900,
	 .max_age = 2,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..898",
	 .gaps = "",
	 .as_of = 898,
	 .age = 2,
	 .complete = true},
	{.name = "max_age unmet",
	 .held = "0..897@897",
	 .start = 0,
	 .end = 900,
	 .max_age = 2,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "expired",
	 .covered = "0..897",
	 .gaps = "",
	 .as_of = 897,
	 .age = 3,
	 .message = "Analysis shows conversations as of 2024-12-20 14:57 - may be missing recent changes"},
	{.name = "max_age unmet by a gap as well",
	 .held = "0..300@600 400..900@900",
	 .start = 0,
	 .end = 900,
	 .max_age = 60,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "0..300 400..900",
	 .gaps = "300..400",
	 .as_of = 600,
	 .age = 300,
	 .message = "Analysis covers 13 of 15 hours asked for - may be missing conversations between "
		    "2024-12-20 05:00 and 2024-12-20 06:40"},
	{.name = "as_of in the chain",
	 .held = "0..300@600",
	 .chain_start = 500,
	 .chain_end = 897,
	 .start = 0,
	 .end = 900,
	 .max_age = 5,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "gap",
	 .covered = "0..300 500..897",
	 .gaps = "300..500",
	 .as_of = 897,
	 .age = 3,
	 .message = "Analysis covers 11 of 15 hours asked for - may be missing conversations between "
		    "2024-12-20 05:00 and 2024-12-20 08:20"},
	{.name = "as_of outside the chain",
	 .held = "0..500@400 400..500@500",
	 .chain_start = 500,
	 .chain_end = 897,
	 .start = 0,
	 .end = 900,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..897",
	 .gaps = "",
	 .as_of = 400,
	 .age = 500,
	 .complete = true},
	{.name = "as_of outside the chain, and an age asked for",
	 .held = "0..500@400 400..500@500",
	 .chain_start = 500,
	 .chain_end = 897,
	 .start = 0,
	 .end = 900,
	 .max_age = 30,
	 .state = FRESHNESS_PARTIAL,
	 .reason = "expired",
	 .covered = "0..897",
	 .gaps = "",
	 .as_of = 400,
	 .age = 500,
	 .message = "Analysis shows conversations as of 2024-12-20 06:40 - may be missing recent changes"},
	{.name = "fresh, not complete: dead letter",
	 .held = "0..900@900",
	 .start = 0,
	 .end = 900,
	 .dead = 1,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..900",
	 .gaps = "",
	 .as_of = 900},
	{.name = "fresh, not complete: truncated",
	 .held = "0..900@900",
	 .start = 0,
	 .end = 900,
	 .truncated = 1,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..900",
	 .gaps = "",
	 .as_of = 900},
	{.name = "fresh, not complete: quarantined",
	 .held = "0..900@900",
	 .start = 0,
	 .end = 900,
	 .quarantined = 1,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..900",
	 .gaps = "",
	 .as_of = 900},
	{.name = "clock stepped back",
	 .held = "0..900@900",
	 .start = 0,
	 .end = OPEN,
	 .now = 850,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..850",
	 .gaps = "",
	 .as_of = 900,
	 .age = 0,
	 .complete = true},
	{.name = "clock stepped back, an age asked for",
	 .held = "0..900@900",
	 .start = 0,
	 .end = OPEN,
	 .now = 850,
	 .max_age = 1,
	 .state = FRESHNESS_FRESH,
	 .covered = "0..850",
	 .gaps = "",
	 .as_of = 900,
	 .age = 0,
	 .complete = true},
	{.name = "nobody is reached",
	 .held = "",
	 .start = 0,
	 .end = 900,
	 .trouble = "source-error",
	 .unreached = true,
	 .state = FRESHNESS_STALE,
	 .reason = "source-error",
	 .covered = "",
	 .gaps = "0..900",
	 .as_of = NONE,
	 .message = "Data is stale - cannot sync: the provider cannot be reached"},
	{.name = "errors are answered",
	 .held = "",
	 .start = 0,
	 .end = 900,
	 .trouble = "source-error",
	 .state = FRESHNESS_STALE,
	 .reason = "source-error",
	 .covered = "",
	 .gaps = "0..900",
	 .as_of = NONE,
	 .message = "Data is stale - cannot sync: the provider answers with errors"},
	{.name = "trouble explains staleness",
	 .held = "0..400@400",
	 .start = 500,
	 .end = 900,
	 .trouble = "auth",
	 .state = FRESHNESS_STALE,
	 .reason = "auth",
	 .covered = "",
	 .gaps = "500..900",
	 .as_of = NONE,
	 .message = "Data is stale - cannot sync: access token refused"},
	{.name = "trouble explains a tail",
	 .held = "0..800@800",
	 .start = 0,
	 .end = 900,
	 .trouble = "source-error",
	 .state = FRESHNESS_PARTIAL,
	 .reason = "source-error",
	 .covered = "0..800",
	 .gaps = "800..900",
	 .as_of = 800,
	 .age = 100,
	 .message = UP_TO("2024-12-20 13:20")},
	{.name = "trouble of a fresh answer is nobody's business",
	 .held = "0..900@900",
	 .start = 0,
	 .end = 900,
	 .trouble = "paused",
	 .state = FRESHNESS_FRESH,
	 .covered = "0..900",
	 .gaps = "",
	 .as_of = 900,
	 .complete = true},
	{.name = "trouble without a word of ours",
	 .held = "",
	 .start = 0,
	 .end = 900,
	 .trouble = "earthquake",
	 .state = FRESHNESS_STALE,
	 .reason = "earthquake",
	 .covered = "",
	 .gaps = "0..900",
	 .as_of = NONE,
	 .message = "Data is stale - cannot sync: earthquake"},
};

static struct freshness_question question(const struct row *row)
{
	return (struct freshness_question){
		.start_ms = minute(row->start),
		.end_ms = row->end == OPEN ? TIME_MAX : minute(row->end),
		.axis = row->axis,
		.now_ms = minute(row->now ? row->now : NOW),
		.history_ms = row->history ? minute(row->history) : TIME_MIN,
		.tolerance_ms = row->tolerance ? -1 : FRESHNESS_TOLERANCE_MS,
		.max_age_ms = row->max_age ? row->max_age * MINUTE_MS : -1,
		.noun = row->noun,
	};
}

static void judge(const struct row *row, struct freshness *out)
{
	struct freshness_question q = question(row);
	struct coverage c;

	coverage_init(&c);
	spans_hold(&c, row->held);
	if (row->chain_end) {
		coverage_chain_start(&c, minute(row->chain_start));
		assert_int_equal(coverage_chain_extend(&c, minute(row->chain_start),
						       minute(row->chain_end)),
				 0);
	}
	struct freshness_evidence e = {.coverage = &c,
				       .syncing = row->syncing,
				       .progress = row->syncing ? 0.25 : -1,
				       .last_sync_ms = row->synced ? minute(890) : TIME_NONE,
				       .dead = row->dead,
				       .truncated = row->truncated,
				       .quarantined = row->quarantined,
				       .unreached = row->unreached,
				       .trouble = row->trouble};
	assert_int_equal(freshness_judge(&q, &e, out), 0);
	coverage_release(&c);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static int row_check(const struct row *row)
{
	struct freshness f;
	int wrong = 0;

#define CHECK(ok, ...)                                  \
	do {                                            \
		if (!(ok)) {                            \
			print_error("%s: ", row->name); \
			print_error(__VA_ARGS__);       \
			print_error("\n");              \
			wrong++;                        \
		}                                       \
	} while (0)
	judge(row, &f);
	int64_t as_of = row->as_of == NONE ? TIME_NONE : minute(row->as_of);
	CHECK(f.state == row->state, "is %s", freshness_state_name(f.state));
	CHECK(same(f.reason, row->reason), "reason %s", f.reason);
	CHECK(same(spans_text(&f.covered, false), row->covered), "covered %s",
	      spans_text(&f.covered, false));
	CHECK(same(spans_text(&f.gaps, false), row->gaps), "gaps %s", spans_text(&f.gaps, false));
	CHECK(f.as_of_ms == as_of, "as_of %d", (int)((f.as_of_ms - DAY_START_MS) / MINUTE_MS));
	CHECK(f.age_ms == (row->as_of == NONE ? -1 : row->age * MINUTE_MS), "age %lld",
	      (long long)f.age_ms);
	CHECK(f.complete == row->complete, "complete %d", f.complete);
	CHECK(f.requested_start_ms <= f.requested_end_ms, "ends before it begins");
	CHECK(same(f.message, row->message ? row->message : ""), "message '%s'", f.message);
	CHECK(f.syncing == row->syncing && (f.progress < 0) == !row->syncing, "syncing not carried");
	CHECK(f.last_sync_ms == (row->synced ? minute(890) : TIME_NONE), "last_sync not carried");
#undef CHECK
	freshness_release(&f);
	return wrong;
}

static void test_rows(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		wrong += row_check(&rows[i]);
	assert_int_equal(wrong, 0);
}

/* --- several sources -------------------------------------------------------------------------------------------- */

static const struct row fresh_row = {.held = "0..900@899", .start = 0, .end = 900, .synced = true};
static const struct row tail_row = {.held = "0..600@600", .start = 0, .end = 900, .synced = true};
static const struct row older_tail_row = {
	.held = "0..500@500", .start = 0, .end = 900, .syncing = true, .synced = true};
static const struct row hole_row = {
	.held = "0..300@898 400..900@898", .start = 0, .end = 900, .synced = true};
static const struct row stale_row = {.held = "", .start = 0, .end = 900};
static const struct row refused_row = {.held = "", .start = 0, .end = 900, .trouble = "auth"};

static void join(const struct row *a, const struct row *b, struct freshness *out)
{
	struct freshness other;

	judge(a, out);
	judge(b, &other);
	assert_int_equal(freshness_join(out, &other), 0);
	freshness_release(&other);
}

static void test_join_worst_wins(void **state)
{
	struct freshness f;

	(void)state;
	join(&fresh_row, &hole_row, &f);
	assert_int_equal(f.state, FRESHNESS_PARTIAL);
	assert_string_equal(f.reason, "gap");
	assert_string_equal(spans_text(&f.covered, false), "0..300 400..898");
	assert_string_equal(spans_text(&f.gaps, false), "300..400");
	assert_int_equal(f.as_of_ms, minute(898));
	assert_int_equal(f.age_ms, 2 * MINUTE_MS);
	assert_int_equal(f.last_sync_ms, minute(890));
	assert_false(f.complete);
	freshness_release(&f);

	join(&hole_row, &stale_row, &f);
	assert_int_equal(f.state, FRESHNESS_STALE);
	assert_string_equal(f.reason, "never-synced");
	assert_string_equal(f.message, STALE_SENTENCE);
	assert_string_equal(spans_text(&f.covered, false), "");
	assert_string_equal(spans_text(&f.gaps, false), "0..900");
	assert_int_equal(f.as_of_ms, TIME_NONE);
	assert_int_equal(f.age_ms, -1);
	assert_int_equal(f.last_sync_ms, TIME_NONE);
	freshness_release(&f);
}

static void test_join_names_the_earliest_tail(void **state)
{
	struct freshness f;

	(void)state;
	join(&tail_row, &older_tail_row, &f);
	assert_string_equal(f.message, UP_TO("2024-12-20 08:20"));
	assert_string_equal(spans_text(&f.gaps, false), "500..900");
	assert_true(f.syncing);
	assert_true(f.progress > 0.2);
	freshness_release(&f);

	join(&hole_row, &tail_row, &f);
	assert_string_equal(f.message, UP_TO("2024-12-20 10:00"));
	assert_string_equal(spans_text(&f.gaps, false), "300..400 600..900");
	freshness_release(&f);
}

static void test_join_names_the_trouble(void **state)
{
	struct freshness f;

	(void)state;
	join(&stale_row, &refused_row, &f);
	assert_string_equal(f.reason, "auth");
	assert_string_equal(f.message, "Data is stale - cannot sync: access token refused");
	freshness_release(&f);
	join(&refused_row, &stale_row, &f);
	assert_string_equal(f.reason, "auth");
	freshness_release(&f);
}

/* A source whose history is shorter was not asked about what came before it. */
static void test_join_of_unequal_histories(void **state)
{
	const struct row longer = {.held = "0..900@900", .start = OPEN, .end = OPEN, .history = 1};
	const struct row shorter = {.held = "500..900@900", .start = OPEN, .end = OPEN, .history = 500};
	struct freshness f;

	(void)state;
	join(&longer, &shorter, &f);
	assert_int_equal(f.state, FRESHNESS_FRESH);
	assert_true(f.complete);
	assert_string_equal(spans_text(&f.covered, false), "1..900");
	assert_string_equal(f.message, "");
	freshness_release(&f);
}

/* Of a source whose clock is behind nothing is known of what another one calls the past. */
static void test_join_of_unequal_clocks(void **state)
{
	const struct row ahead = {
		.held = "0..910@910", .start = OPEN, .end = OPEN, .history = 1, .now = 912};
	const struct row behind = {.held = "0..898@898", .start = OPEN, .end = OPEN, .history = 1};
	struct freshness f;

	(void)state;
	join(&ahead, &behind, &f);
	assert_string_equal(spans_text(&f.covered, false), "1..898");
	freshness_release(&f);
	join(&behind, &ahead, &f);
	assert_string_equal(spans_text(&f.covered, false), "1..898");
	freshness_release(&f);
}

/* --- names and writing ------------------------------------------------------------------------------------------ */

static void test_state_names(void **state)
{
	enum freshness_state got;

	(void)state;
	for (int i = FRESHNESS_FRESH; i <= FRESHNESS_STALE; i++) {
		const char *name = freshness_state_name((enum freshness_state)i);
		assert_int_equal(freshness_state_parse(bytes_str(name), &got), 0);
		assert_int_equal(got, i);
	}
	assert_int_equal(freshness_state_parse(bytes_str("Fresh"), &got), ERR_SYNTAX);
	assert_int_equal(freshness_state_parse(bytes_str(""), &got), ERR_SYNTAX);
}

static void expect_str(struct bytes map, const char *key, const char *text)
{
	struct bytes got;

	if (!mp_find_str(map, key, &got) || !bytes_is(got, text))
		fail_msg("%s is not %s", key, text);
}

static void expect_nil(struct bytes map, const char *key)
{
	struct bytes got;

	assert_int_equal(mp_find(map, bytes_str(key), &got), 1);
	assert_int_equal(got.len, 1);
	assert_int_equal(got.data[0], 0xc0);
}

static void test_write(void **state)
{
	struct freshness f;
	struct buf out = {0};
	struct bytes span;
	bool flag;
	int64_t n;

	(void)state;
	judge(&hole_row, &f);
	freshness_write(&f, "cache", 1, &out);
	mp_put_cstr(&out, "records");
	mp_put_int(&out, 7);
	struct bytes map = buf_bytes(&out);
	assert_int_equal(mp_check(map), 0);
	expect_str(map, "state", "partial");
	expect_str(map, "as_of", "2024-12-20T14:58:00Z");
	expect_str(map, "last_sync", "2024-12-20T14:50:00Z");
	expect_str(map, "source", "cache");
	expect_str(map, "reason", "gap");
	assert_true(mp_find_int(map, "age_s", &n) && n == 120);
	assert_true(mp_find_bool(map, "complete", &flag) && !flag);
	assert_true(mp_find_bool(map, "syncing", &flag) && !flag);
	expect_nil(map, "progress");
	assert_int_equal(mp_path(map, bytes_str("gaps.0.1"), &span), 1);
	assert_memory_equal(span.data + 1, "2024-12-20T06:40:00Z", 20);
	assert_true(mp_find_int(map, "records", &n) && n == 7);
	freshness_release(&f);
	buf_release(&out);
}

static void test_write_nothing_known(void **state)
{
	const struct row row = {.held = "", .start = OPEN, .end = OPEN};
	const struct row good = {.held = "min..900@900", .start = OPEN, .end = OPEN};
	struct freshness f;
	struct buf out = {0};
	struct bytes span;

	(void)state;
	judge(&row, &f);
	freshness_write(&f, "cache", 0, &out);
	expect_nil(buf_bytes(&out), "as_of");
	expect_nil(buf_bytes(&out), "age_s");
	expect_nil(buf_bytes(&out), "last_sync");
	assert_int_equal(mp_path(buf_bytes(&out), bytes_str("requested.0"), &span), 1);
	assert_int_equal(span.data[0], 0xc0);
	freshness_release(&f);
	buf_reset(&out);
	judge(&good, &f);
	freshness_write(&f, "cache", 0, &out);
	expect_nil(buf_bytes(&out), "reason");
	expect_nil(buf_bytes(&out), "message");
	freshness_release(&f);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_join_worst_wins),
		cmocka_unit_test(test_join_names_the_earliest_tail),
		cmocka_unit_test(test_join_names_the_trouble),
		cmocka_unit_test(test_join_of_unequal_histories),
		cmocka_unit_test(test_join_of_unequal_clocks),
		cmocka_unit_test(test_state_names),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_nothing_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
