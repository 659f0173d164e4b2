/* page: objects made of words in about the frequencies of English. Draws from one random sequence. */
#include "page.h"

#include <stdlib.h>

#define PHRASES    400u
#define BEND       3000u /* from this rank on words are as rare as 1/rank squared */
#define SAID_AGAIN 7u /* of ten sentences, where there is a vocabulary: greetings, macros, quotes */

/* Most frequent first. */
static const char words[] =
	"the to and you I for is of it in that this we your a on have can not be with my are if please as but or "
	"thanks at account from so do was will has an would there our know help me email when what get any just "
	"customer team order up how all out able need look one which like they see no let hi time been now some "
	"working issue try hello could back more page make also user check screen shows after set then send button "
	"error new here because only still again sure sorry does should other were click first support update "
	"payment happy where by import had about reply into same question through using list sent day today "
	"change message found problem moment contact number two wait each their plan address month trial "
	"over even than name try data login invoice password did right add last few file until link work card try "
	"before billing upgrade export tried settings hours best access why open app browser week morning quick "
	"product another subscription version yesterday someone always nothing people place these answer "
	"correct option since report date details service site code price company window reset long every much "
	"colleague missing field tomorrow afternoon request instead already refund charge cancel receive own "
	"refresh column download delete connect attached screenshot original confirm different available "
	"unfortunately permission dashboard integration workspace notification webhook received processed "
	"expected spreadsheet manager annual monthly currency shipping tracking delivery warehouse delayed "
	"reference engineer investigating resolved temporary duplicate archive restore template schedule "
	"calendar timezone language mobile desktop android iphone safari chrome firefox cookies cache clearing "
	"authentication factor verification certificate domain records provider firewall network office "
	"remote connection latency timeout retry limit quota exceeded documentation article guide video "
	"tutorial onboarding session call meeting agenda feedback feature roadmap priority release notes "
	"beta enterprise security compliance privacy policy retention legal contract signature purchase "
	"procurement discount coupon voucher loyalty renewal proration balance credit statement receipt tax "
	"regional postcode street building apartment neighbour courier parcel damaged replacement warranty "
	"serial adapter cable battery firmware bluetooth pairing headset speaker microphone volume keyboard";

static const char *word_list[600];
static size_t word_count;
static struct buf phrases[PHRASES]; /* what is said again and again; empty: all is new */
static uint64_t seed = 42;
static double *zipf; /* sums of 1/rank, of `vocabulary` words; none: the list's own words in its own way */
static uint32_t vocabulary;
static uint32_t time_from = 1730000000, time_span = 9000000, sentences_more = 5;

uint32_t page_random(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

void page_init(void)
{
	char *copy = strdup(words), *rest = copy, *word;

	/* The list lives as long as the program. */
	while (copy && (word = strsep(&rest, " ")) && word_count < 600)
		word_list[word_count++] = word;
}

/* About as often as its rank says: the product of two uniform numbers leans to the front. */
const char *page_word(void)
{
	uint32_t n = (uint32_t)word_count;

	return word_list[page_random(page_random(page_random(n) + 1) + 1)];
}

/* A made-up word for a rank: of two to five syllables, the same for ever, no two alike. */
static const char *made_word(uint32_t rank)
{
	static const char heads[] = "bdfghklmnprstvwz", vowels[] = "aeiou", tails[] = "lmnrst";
	static char word[24];
	size_t at = 0;

	for (uint32_t n = rank + 80; n; n /= 80) {
		word[at++] = heads[n % 16];
		word[at++] = vowels[n / 16 % 5];
	}
	word[at++] = tails[rank % 6];
	word[at] = 0;
	return word;
}

void page_vocabulary(uint32_t n)
{
	double sum = 0;

	free(zipf);
	zipf = calloc(n, sizeof *zipf);
	vocabulary = zipf ? n : 0;
	for (uint32_t i = 0; i < vocabulary; i++)
		zipf[i] = sum += 1.0 / (i + 2.7) * (i < BEND ? 1.0 : BEND / (double)i);
}

/* The first whose share of the sum reaches as far as a uniform number. */
static const char *zipf_word(void)
{
	double at = zipf[vocabulary - 1] * (page_random(1u << 31) + 0.5) / (double)(1u << 31);
	uint32_t low = 0, high = vocabulary - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (zipf[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < word_count ? word_list[low] : made_word(low);
}

static void put_sentence(struct buf *b)
{
	uint32_t n = 5 + page_random(14);

	for (uint32_t i = 0; i < n; i++) {
		const char *word = vocabulary ? zipf_word() : page_word();
		if (i == 0)
			buf_printf(b, "%c%s", word[0] & ~0x20, word + 1);
		else
			buf_printf(b, "%s%s", page_random(12) ? " " : ", ", word);
	}
	buf_put_str(b, page_random(6) ? ". " : "? ");
}

/* HTML as JSON text: quotes escaped, line ends as \n, now and then what is not ASCII. */
static void put_html(struct buf *b, uint32_t sentences)
{
	buf_put_str(b, "<p class=\\\"no-margin\\\">");
	for (uint32_t i = 0; i < sentences; i++) {
		if (phrases[0].len && (!vocabulary || page_random(10) < SAID_AGAIN))
			buf_put_bytes(b, buf_bytes(&phrases[page_random(PHRASES)]));
		else
			put_sentence(b);
		if (page_random(7) == 0)
			buf_put_str(b, "</p>\\n<p class=\\\"no-margin\\\">");
		if (page_random(9) == 0)
			buf_printf(b, "<a href=\\\"https://app.example.com/orders/%08x\\\">%s</a> ",
				   page_random(1u << 30), page_word());
		if (page_random(25) == 0)
			buf_put_str(b, "caf\xc3\xa9 \xe2\x80\x93 \\u00a320 ");
		if (page_random(40) == 0)
			buf_put_str(b, "<br>\\n&nbsp;\xf0\x9f\x99\x82");
	}
	buf_put_str(b, "</p>");
}

static void put_author(struct buf *b, bool admin)
{
	buf_printf(
		b,
		"{\"type\":\"%s\",\"id\":\"%s%07x\",\"name\":\"%s %s\",\"email\":\"%s.%s%u@example.com\"}",
		admin ? "admin" : "user", admin ? "99" : "6762f19b1bb69f9f2", page_random(1u << 28),
		page_word(), page_word(), page_word(), page_word(), page_random(100));
}

static void put_part(struct buf *b, uint32_t at)
{
	static const char *const types[] = {"comment",    "comment", "comment",
					    "assignment", "note",    "close"};
	uint32_t type = page_random(6);

	buf_printf(b, "{\"type\":\"conversation_part\",\"id\":\"%u\",\"part_type\":\"%s\",\"body\":",
		   150000000 + page_random(90000000), types[type]);
	if (type < 5) {
		buf_put_byte(b, '"');
		put_html(b, 1 + page_random(sentences_more));
		buf_put_byte(b, '"');
	} else {
		buf_put_str(b, "null");
	}
	buf_printf(b,
		   ",\"created_at\":%u,\"updated_at\":%u,\"notified_at\":%u,\"assigned_to\":null,\"author\":",
		   at, at, at);
	put_author(b, page_random(2));
	buf_put_str(
		b,
		",\"attachments\":[],\"external_id\":null,\"redacted\":false,\"email_message_metadata\":null,"
		"\"state\":\"open\",\"tags\":[],\"event_details\":null,\"app_package_code\":null}");
}

void page_time(uint32_t from_s, uint32_t span_s)
{
	time_from = from_s;
	time_span = span_s;
}

void page_sentences(uint32_t most)
{
	sentences_more = most;
	for (size_t i = 0; i < PHRASES; i++)
		put_sentence(&phrases[i]);
}

void page_conversation(struct buf *b, unsigned parts_min, unsigned parts_more)
{
	uint32_t at = time_from + page_random(time_span), parts = parts_min + page_random(parts_more);
	bool open = page_random(3) == 0;

	buf_printf(b,
		   "{\"type\":\"conversation\",\"id\":\"%u\",\"created_at\":%u,\"updated_at\":%u,\"waiting_since\":null,"
		   "\"snoozed_until\":null,\"source\":{\"type\":\"conversation\",\"id\":\"%u\",\"delivered_as\":"
		   "\"customer_initiated\",\"subject\":\"<p>%s %s %s</p>\",\"body\":\"",
		   1000000 + page_random(900000), at, at + page_random(100000),
		   400000000 + page_random(9000000), page_word(), page_word(), page_word());
	put_html(b, 2 + page_random(4));
	buf_put_str(b, "\",\"author\":");
	put_author(b, false);
	buf_printf(
		b,
		",\"attachments\":[],\"url\":\"https://www.example.com/%s/%s\",\"redacted\":false},\"contacts\":{\"type\":"
		"\"contact.list\",\"contacts\":[{\"type\":\"contact\",\"id\":\"6762f19b1bb69f9f2%07x\",\"external_id\":"
		"\"%u\"}]},\"first_contact_reply\":{\"created_at\":%u,\"type\":\"conversation\",\"url\":null},",
		page_word(), page_word(), page_random(1u << 28), page_random(100000), at);
	buf_printf(b,
		   "\"admin_assignee_id\":%u,\"team_assignee_id\":%u,\"open\":%s,\"state\":\"%s\",\"read\":%s,\"tags\":{\"type\":"
		   "\"tag.list\",\"tags\":[{\"type\":\"tag\",\"id\":\"%u\",\"name\":\"%s\",\"applied_at\":%u}]},\"priority\":"
		   "\"not_priority\",\"sla_applied\":null,",
		   991267000 + page_random(40), 5017000 + page_random(8), open ? "true" : "false",
		   open ? "open" : "closed", page_random(2) ? "true" : "false",
		   7000 + page_random(60), page_word(), at);
	buf_printf(
		b,
		"\"statistics\":{\"type\":\"conversation_statistics\",\"time_to_assignment\":%u,\"time_to_admin_reply\":%u,"
		"\"time_to_first_close\":%u,\"median_time_to_reply\":%u.%u,\"first_contact_reply_at\":%u,"
		"\"count_reopens\":%u,\"count_assignments\":%u,\"count_conversation_parts\":%u},"
		"\"conversation_rating\":null,\"teammates\":null,\"title\":null,\"custom_attributes\":{\"Plan\":\"%s\"},"
		"\"topics\":{},\"ticket\":null,\"linked_objects\":{\"type\":\"list\",\"data\":[],\"total_count\":0,"
		"\"has_more\":false},\"ai_agent\":null,\"ai_agent_participated\":false,",
		page_random(5000), page_random(50000), page_random(900000), page_random(9000),
		page_random(10), at, page_random(3), page_random(4), parts, page_word());
	buf_put_str(
		b,
		"\"conversation_parts\":{\"type\":\"conversation_part.list\",\"conversation_parts\":[");
	for (uint32_t i = 0; i < parts; i++) {
		if (i)
			buf_put_byte(b, ',');
		put_part(b, at + 60 * i);
	}
	buf_printf(b, "],\"total_count\":%u}}", parts);
}

static void put_list(struct buf *b, uint32_t id, const char *what)
{
	buf_printf(b,
		   "\"%s\":{\"type\":\"list\",\"data\":[],\"url\":\"/contacts/6762f19b1bb69f9f2%07x/%s\",\"total_count\":0,"
		   "\"has_more\":false},",
		   what, id, what);
}

void page_contact(struct buf *b)
{
	uint32_t id = page_random(1u << 28), at = 1700000000 + page_random(30000000);

	buf_printf(b,
		   "{\"type\":\"contact\",\"id\":\"6762f19b1bb69f9f2%07x\",\"workspace_id\":\"ecahpwf5\",\"external_id\":\"%u\","
		   "\"role\":\"user\",\"email\":\"%s.%s%u@%s.com\",\"phone\":\"+44%09u\",\"name\":\"%s %s\",\"avatar\":null,"
		   "\"owner_id\":%u,\"social_profiles\":{\"type\":\"list\",\"data\":[]},\"has_hard_bounced\":false,"
		   "\"marked_email_as_spam\":false,\"unsubscribed_from_emails\":%s,",
		   id, page_random(1000000), page_word(), page_word(), page_random(100),
		   page_word(), page_random(1000000000), page_word(), page_word(),
		   991267000 + page_random(40), page_random(3) ? "false" : "true");
	buf_printf(
		b,
		"\"created_at\":%u,\"updated_at\":%u,\"signed_up_at\":%u,\"last_seen_at\":%u,\"last_replied_at\":%u,"
		"\"last_contacted_at\":null,\"last_email_opened_at\":%u,\"last_email_clicked_at\":null,"
		"\"language_override\":null,\"browser\":\"chrome\",\"browser_version\":\"%u.0.0.0\",\"browser_language\":"
		"\"en\",\"os\":\"%s\",\"location\":{\"type\":\"location\",\"country\":\"%s\",\"region\":\"%s\",\"city\":\"%s\","
		"\"country_code\":\"GBR\",\"continent_code\":\"EU\"},",
		at, at + page_random(900000), at, at + page_random(900000),
		at + page_random(900000), at + page_random(900000), 100 + page_random(30),
		page_random(2) ? "Windows 10" : "OS X 10.15.7", page_word(), page_word(),
		page_word());
	buf_put_str(
		b,
		"\"android_app_name\":null,\"android_app_version\":null,\"android_device\":null,\"android_os_version\":null,"
		"\"android_sdk_version\":null,\"android_last_seen_at\":null,\"ios_app_name\":null,\"ios_app_version\":null,"
		"\"ios_device\":null,\"ios_os_version\":null,\"ios_sdk_version\":null,\"ios_last_seen_at\":null,");
	put_list(b, id, "tags");
	put_list(b, id, "notes");
	put_list(b, id, "companies");
	put_list(b, id, "opted_out_subscription_types");
	put_list(b, id, "opted_in_subscription_types");
	buf_printf(b,
		   "\"utm_campaign\":null,\"utm_content\":null,\"utm_medium\":null,\"utm_source\":\"%s\",\"utm_term\":null,"
		   "\"referrer\":\"https://www.example.com/%s?q=%08x\",\"sms_consent\":false,\"unsubscribed_from_sms\":false,"
		   "\"custom_attributes\":{\"plan\":\"%s\",\"seats\":%u,\"mrr\":%u.%02u,\"account_manager\":\"%s %s\","
		   "\"trial_ends_at\":%u,\"last_import\":\"%s\",\"note\":\"",
		   page_word(), page_word(), page_random(1u << 30), page_word(), page_random(500),
		   page_random(3000), page_random(100), page_word(), page_word(),
		   at + page_random(900000), page_word());
	put_sentence(b);
	buf_put_str(b, "\"}}");
}
