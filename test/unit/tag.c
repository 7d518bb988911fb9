/* needs: tagbloom/tag.c */
#include "tagbloom/tag.h"

#include "tap.h"

/* ---------- the hash ---------- */

/*
 * XXH64 with seed 0 of the bytes 0, 1, 2, ...: of the first 0, 1, ... 31 of them.
 * The figures are those of the Bloom filter tests of Parquet's own libraries.
 */
static const int64 looping_bytes[32] = {
	-1205034819632174695, -1642502924627794072, 5216751715308240086, -1889335612763511331,
	-13835840860730338, -2521325055659080948, 4867868962443297827, 1498682999415010002,
	-8626056615231480947, 7482827008138251355, -617731006306969209, 7289733825183505098,
	4776896707697368229, 1428059224718910376, 6690813482653982021, -6248474067697161171,
	4951407828574235127, 6198050452789369270, 5776283192552877204, -626480755095427154,
	-6637184445929957204, 8370873622748562952, -1705978583731280501, -7898818752540221055,
	-2516210193198301541, 8356900479849653862, -4413748141896466000, -6040072975510680789,
	1451490609699316991, -7948005844616396060, 8567048088357095527, -4375578310507393311
};

static uint64
hash_of(const char *tag)
{
	size_t		length = strlen(tag);
	char	   *copy = exact_copy(tag, length);
	uint64		hash = tag_hash64(copy, length);

	free(copy);
	return hash;
}

static void
test_hash(void)
{
	static const struct
	{
		const char *tag;
		uint64		hash;
	}			known[] = {
		/* from the documentation of xxHash's Python module, and made with it */
		{"xxhash", UINT64CONST(0x32dd38952c4bc720)},
		{"a", UINT64CONST(0xd24ec4f1a98c6e5b)},
		{"abc", UINT64CONST(0x44bc2cf5ad770999)},
		{"Nobody inspects the spammish repetition", UINT64CONST(0xfbcea83c8a378bf1)},
		{"vip", UINT64CONST(0x75467768a6a8cec8)},
		{"new friend", UINT64CONST(0xe548103df58458ec)},
		{"gr\xc3\xbcn", UINT64CONST(0xb037500f0b7caaff)},
		{"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", UINT64CONST(0x7179a19f3719f5e1)}
	};
	/* The same bytes on and on: lengths at which the algorithm changes its way. */
	static const struct
	{
		int			length;
		uint64		hash;
	}			longer[] = {
		{63, UINT64CONST(0xe26aa9e2a95f8e4f)}, {64, UINT64CONST(0xf7c67301db6713f0)},
		{65, UINT64CONST(0xc31eb63b2ae4465b)}, {100, UINT64CONST(0x6ac1e58032166597)},
		{255, UINT64CONST(0x0f7d97507caad693)}, {1023, UINT64CONST(0x1a335d2617346f82)}
	};
	char		bytes[1024 + 8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char) i;

	property("hashes are those that Parquet's libraries are tested with, at any alignment");
	for (int length = 0; length < 32; length++)
		for (int shift = 0; shift < 8; shift++)
		{
			char	   *copy = malloc(shift + length);

			memcpy(copy + shift, bytes, length);
			holds(tag_hash64(copy + shift, length) == (uint64) looping_bytes[length], "%d bytes", length);
			free(copy);
		}
	property_end();

	property("hashes are those of other implementations of XXH64");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
		holds(hash_of(known[i].tag) == known[i].hash, "%s: %016" PRIx64, known[i].tag, hash_of(known[i].tag));
	for (size_t i = 0; i < LENGTH_OF(longer); i++)
		holds(tag_hash64(bytes, longer[i].length) == longer[i].hash, "%d bytes", longer[i].length);
	property_end();
}

/* ---------- limits, blanks and positions ---------- */

static void
test_limits(void)
{
	char		long_tag[2 * TAG_LENGTH_MAX];
	const char *p;
	TagWord		word;

	is_text(tag_length_wrong(0), "a tag is empty", "a tag of no bytes");
	is_text(tag_length_wrong(1), NULL, "a tag of 1 byte");
	is_text(tag_length_wrong(1024), NULL, "a tag of 1024 bytes");
	is_text(tag_length_wrong(1025), "a tag has more than 1024 bytes", "a tag of 1025 bytes");
	is_text(tag_length_wrong(UINT64CONST(0x100000001)), "a tag has more than 1024 bytes", "a tag of 4 GB and 1 byte");

	/* What is read counts: not quotes, backslashes, or blanks at the end. */
	property("a tag of 1024 bytes is read, one of 1025 is not");
	for (int quoted = 0; quoted < 2; quoted++)
		for (int syntax = TAG_IN_LIST; syntax <= TAG_IN_QUERY; syntax++)
			for (int length = 1020; length <= 1030; length++)
			{
				char	   *text;
				int			n = 0;
				const char *wrong;

				if (quoted)
					long_tag[n++] = '"';
				for (int i = 0; i < length; i++)
				{
					if (i % 500 == 7)
						long_tag[n++] = '\\';
					long_tag[n++] = 'a' + i % 26;
				}
				if (quoted)
					long_tag[n++] = '"';
				else
					for (int i = 0; i < 100; i++)
						long_tag[n++] = ' ';
				p = text = exact_copy(long_tag, n);
				wrong = tag_read(&p, text + n, syntax, &word);
				if (length <= TAG_LENGTH_MAX)
				{
					bool		right = wrong == NULL && (int) word.length == length &&
						word.is_quoted &&
						p == text + (quoted || syntax == TAG_IN_LIST ? n : n - 100);

					for (int i = 0; right && i < length; i++)
						right = word.text[i] == 'a' + i % 26;
					holds(right, "%d bytes, quoted %d, syntax %d: %s", length, quoted, syntax, wrong);
				}
				else
					holds(wrong != NULL && strcmp(wrong, "a tag has more than 1024 bytes") == 0 && p == text,
						  "%d bytes, quoted %d, syntax %d: %s", length, quoted, syntax, wrong);
				free(text);
			}
	property_end();

	property("blanks are the six of ASCII and no other byte");
	for (int c = 0; c < 256; c++)
	{
		char		text[2] = {(char) c, ' '};
		bool		is_blank = c != 0 && strchr(" \t\n\v\f\r", c) != NULL;

		holds(tag_skip_blanks(text, text + 2) == text + (is_blank ? 2 : 0), "byte %02x before a blank", c);
		holds(tag_skip_blanks(text, text) == text, "nothing, before byte %02x", c);
	}
	property_end();

	p = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\x81z";
	ok(tag_position(p, p) == 1 && tag_position(p, p + 1) == 2 && tag_position(p, p + 3) == 3 &&
	   tag_position(p, p + 6) == 4 && tag_position(p, p + 10) == 5 && tag_position(p, p + 11) == 6,
	   "positions count characters of one to four bytes, from 1");
}

/* ---------- reading ---------- */

typedef struct ReadCase
{
	const char *text;
	const char *tag;			/* NULL: nothing is read */
	int			at;				/* where reading stops */
	const char *wrong;
} ReadCase;

static const char unclosed[] = "a quote is not closed";
static const char nothing_follows[] = "nothing follows a backslash";
static const char empty[] = "a tag is empty";

static void
test_reading(TagSyntax syntax, const ReadCase *cases, size_t count, const char *name)
{
	property(name);
	for (size_t i = 0; i < count; i++)
	{
		size_t		length = strlen(cases[i].text);
		char	   *text = exact_copy(cases[i].text, length);
		const char *p = text;
		TagWord		word;
		const char *wrong = tag_read(&p, text + length, syntax, &word);

		if (cases[i].wrong != NULL)
			holds(wrong != NULL && strcmp(wrong, cases[i].wrong) == 0, "<%s>: %s", cases[i].text, wrong);
		else
			holds(wrong == NULL && word.length == strlen(cases[i].tag) &&
				  memcmp(word.text, cases[i].tag, word.length) == 0 &&
				  word.is_quoted == (*text == '"' || memchr(text, '\\', cases[i].at) != NULL),
				  "<%s>: %s <%.*s>", cases[i].text, wrong, (int) word.length, word.text);
		holds(p == text + cases[i].at, "<%s>: stops at %d", cases[i].text, (int) (p - text));
		free(text);
	}
	property_end();
}

static void
test_lists(void)
{
	static const ReadCase cases[] = {
		{"vip", "vip", 3},
		{"vip,ios", "vip", 3},
		{"vip}", "vip", 3},
		{"vip{", "vip", 3},
		{"vip\"x", "vip", 3},
		{"new friend,x", "new friend", 10},
		{"new  friend \t\n,x", "new  friend", 14},
		{"new friend  ", "new friend", 12},
		{"a&b|c!(d)", "a&b|c!(d)", 9},
		{"\"new friend\"", "new friend", 12},
		{"\" a \" ,", " a ", 5},
		{"\"a,b}c{d\",", "a,b}c{d", 9},
		{"\"a\\\"b\"", "a\"b", 6},
		{"\"a\\\\\"b", "a\\", 5},
		{"\"\\n\"", "n", 4},
		{"a\\,b", "a,b", 4},
		{"a\\ ,b", "a ", 3},
		{"\\ \\  ,", "  ", 5},
		{"\\\"a", "\"a", 3},
		{"\\\\", "\\", 2},
		{"NULL", "NULL", 4},
		{"gr\xc3\xbcn}", "gr\xc3\xbcn", 5},
		{"", NULL, 0, empty},
		{",", NULL, 0, empty},
		{"}", NULL, 0, empty},
		{"  ,", NULL, 0, empty},
		{"\"\"", NULL, 0, empty},
		{"\"", NULL, 0, unclosed},
		{"\"abc", NULL, 0, unclosed},
		{"\"abc\\\"", NULL, 0, unclosed},
		{"\\", NULL, 0, nothing_follows},
		{"abc\\", NULL, 3, nothing_follows},
		{"\"abc\\", NULL, 4, nothing_follows}
	};

	test_reading(TAG_IN_LIST, cases, LENGTH_OF(cases), "tags in lists");
}

static void
test_queries(void)
{
	static const ReadCase cases[] = {
		{"vip", "vip", 3},
		{"vip&ios", "vip", 3},
		{"vip|ios", "vip", 3},
		{"vip!ios", "vip", 3},
		{"vip(ios", "vip", 3},
		{"vip)", "vip", 3},
		{"vip\"ios\"", "vip", 3},
		{"new friend", "new", 3},
		{"new\tfriend", "new", 3},
		{"new\r\n", "new", 3},
		{"a,b{c}d", "a,b{c}d", 7},
		{"\"new friend\"&", "new friend", 12},
		{"\"a&b|c!(d)\"", "a&b|c!(d)", 11},
		{"\" \"", " ", 3},
		{"new\\ friend ", "new friend", 11},
		{"a\\&b&c", "a&b", 4},
		{"a\\ ", "a ", 3},
		{"\\!a", "!a", 3},
		{"a'b:*-<>", "a'b:*-<>", 8},
		{"gr\xc3\xbcn|", "gr\xc3\xbcn", 5},
		{"&", NULL, 0, empty},
		{"\"\"", NULL, 0, empty},
		{"\"\"a", NULL, 0, empty},
		{"\"a b", NULL, 0, unclosed},
		{"\"a\\", NULL, 2, nothing_follows},
		{"ab\\", NULL, 2, nothing_follows}
	};

	test_reading(TAG_IN_QUERY, cases, LENGTH_OF(cases), "tags in queries");
}

/* Bytes that mean something, and some that do not. */
static char
random_byte(void)
{
	static const char special[] = "\"\"\\\\ \t\r,{}&|!()a\xc3\xbc";

	return random_below(4) == 0 ? (char) random_u64() : special[random_below(sizeof(special) - 1)];
}

/*
 * The reader by its rules, in two steps: every byte is marked as plain or taken
 * literally, then the word's end is looked for among the plain ones.
 */
static const char *
read_by_rules(const char *text, int length, TagSyntax syntax, char *tag, int *tag_length, int *stop)
{
	bool		is_quoted = length > 0 && text[0] == '"';
	const char *ends = is_quoted ? "\"" : syntax == TAG_IN_LIST ? ",{}\"" : "&|!()\" \t\n\v\f\r";
	bool		literal[64] = {false};
	char		bytes[64];
	int			n = 0;
	int			last;
	bool		is_closed = false;
	bool		is_cut = false;

	*stop = length;
	for (int i = is_quoted; i < length; i++)
	{
		if (text[i] == '\\' && i + 1 == length)
		{
			is_cut = true;
			*stop = i;
			break;
		}
		if (text[i] == '\\')
			literal[n] = true, i++;
		else if (text[i] != '\0' && strchr(ends, text[i]) != NULL)
		{
			is_closed = true;
			*stop = i + is_quoted;
			break;
		}
		bytes[n++] = text[i];
	}
	if (is_cut)
		return nothing_follows;
	if (is_quoted && !is_closed)
	{
		*stop = 0;
		return unclosed;
	}
	for (last = n; !is_quoted && last > 0 && !literal[last - 1] && bytes[last - 1] != '\0' &&
		 strchr(" \t\n\v\f\r", bytes[last - 1]) != NULL; last--)
		;
	memcpy(tag, bytes, last);
	*tag_length = last;
	if (last == 0)
	{
		*stop = 0;
		return empty;
	}
	return NULL;
}

static void
test_random_texts(void)
{
	property("random texts are read as the rules have it");
	for (int run = 0; run < 1000000; run++)
	{
		int			length = (int) random_below(run % 10 == 0 ? 40 : 8);
		TagSyntax	syntax = run % 2 == 0 ? TAG_IN_LIST : TAG_IN_QUERY;
		char		bytes[64];
		char		tag[64];
		int			tag_length = 0;
		int			stop;
		const char *expected;
		char	   *text;
		const char *p;
		TagWord		word;
		const char *wrong;

		for (int i = 0; i < length; i++)
			bytes[i] = random_byte();
		expected = read_by_rules(bytes, length, syntax, tag, &tag_length, &stop);
		p = text = exact_copy(bytes, length);
		wrong = tag_read(&p, text + length, syntax, &word);
		holds(p == text + stop &&
			  (expected != NULL ? wrong != NULL && strcmp(wrong, expected) == 0 :
			   wrong == NULL && (int) word.length == tag_length && memcmp(word.text, tag, tag_length) == 0),
			  "run %d, <%.*s>: %s at %d, not %s at %d", run, length, text, wrong, (int) (p - text), expected, stop);
		free(text);
	}
	property_end();
}

/* ---------- writing ---------- */

static void
test_writing(void)
{
	static const struct
	{
		const char *tag;
		const char *written;
	}			cases[] = {
		{"vip", "vip"},
		{"new friend", "\"new friend\""},
		{" ", "\" \""},
		{"a\tb", "\"a\tb\""},
		{"a&b", "\"a&b\""},
		{"a|b", "\"a|b\""},
		{"!a", "\"!a\""},
		{"(a", "\"(a\""},
		{"a)", "\"a)\""},
		{"a\"b", "\"a\\\"b\""},
		{"a\\b", "\"a\\\\b\""},
		{"\\", "\"\\\\\""},
		{"a,b{c}'d", "a,b{c}'d"},
		{"gr\xc3\xbcn", "gr\xc3\xbcn"}
	};

	property("tags are written as they are, or in quotes");
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		size_t		length = strlen(cases[i].tag);
		char	   *to = malloc(TAG_WRITTEN_SIZE(length));
		Size		written = tag_write(cases[i].tag, length, to);

		holds(written == strlen(cases[i].written) && memcmp(to, cases[i].written, written) == 0,
			  "<%s>: <%.*s>", cases[i].tag, (int) written, to);
		free(to);
	}
	property_end();

	property("what is written is read again, whatever follows");
	for (int run = 0; run < 300000; run++)
	{
		size_t		length = 1 + random_below(run % 100 == 0 ? TAG_LENGTH_MAX : 12);
		char		tag[TAG_LENGTH_MAX];
		char	   *to;
		Size		written;
		const char *p;
		TagWord		word;
		const char *wrong;

		for (size_t i = 0; i < length; i++)
			tag[i] = random_byte();
		p = to = malloc(TAG_WRITTEN_SIZE(length));
		written = tag_write(tag, length, to);
		/* Nothing behind it, or what may stand behind a tag. */
		if (run % 2 == 0 && written < TAG_WRITTEN_SIZE(length))
			to[written] = "&|) "[random_below(4)];
		wrong = tag_read(&p, to + Min(written + (run % 2 == 0), TAG_WRITTEN_SIZE(length)), TAG_IN_QUERY, &word);
		holds(wrong == NULL && p == to + written && word.length == length && memcmp(word.text, tag, length) == 0,
			  "run %d: <%.*s> is written <%.*s>: %s", run, (int) length, tag, (int) written, to, wrong);
		free(to);
	}
	property_end();
}

int
main(void)
{
	test_hash();
	test_limits();
	test_lists();
	test_queries();
	test_random_texts();
	test_writing();
	return done_testing();
}
