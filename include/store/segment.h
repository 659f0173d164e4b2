/*
 * segment: the immutable file that holds records of one resource, byte by byte. All words are
 * little-endian; times are int64 milliseconds (base/clock.h), unknown ones TIME_NONE. This header
 * is the format. src/store/segment_write.c, columns_write.c and terms_write.c write it; beside segment_read.c, columns_read.c
 * and terms_read.c only what looks at files as they lie there (inspect.c and tools) reads it byte by byte.
 *
 *   page 0             the header page
 *   4096 .. data end   frames, back to back, in the order of the rows; zeros up to the next
 *                      multiple of 4096
 *   sections           runs of pages, in the order of enum segment_section, but for PARENT_FILTER, which
 *                      lies behind PARENTS; an empty section has no pages
 *
 * Every page but those of the data area ends in the CRC-32 (zlib's) of its first 4092 bytes; the
 * page's own number is mixed in: the CRC starts from crc32(0, number as u32), so that a page that
 * lies at the wrong place is found. A section's elements have a fixed size and never straddle a
 * page: a page holds 4092 / size of them, zeros follow.
 *
 * Header page:
 *      0    8  "FICSEG1\n"
 *      8    4  version: 5
 *     12    4  number of sections: 12 (version 1: 6, versions 2 and 3: 11, the first ones)
 *     16    8  length of the file
 *     24    8  end of the data area (behind the last frame)
 *     32    4  records
 *     36    4  tombstones among them
 *     40    4  truncated ones among them (RECORD_TRUNCATED)
 *     44    4  records without a creation time
 *     48    8  number of the dictionary (<resource>/N.dict), 0: none
 *     56    8  start of the first window that has a record; TIME_NONE when no record has a time
 *     64    8  end of the last one
 *     72  8x8  smallest and largest created, updated, revision, seen; of the times the known ones,
 *              TIME_NONE twice when there are none
 *    136   32  the resource's name, zeros behind it
 *    168 Nx24  for each section: u64 offset, u32 pages, u32 elements, u32 bytes of an element,
 *              u32 zero
 *    456  2x8  smallest and largest key of an id
 *    472 Px4  for each page of SECTION_IDS: the high 32 bits of its last hash; absent when there are more than
 *             SEGMENT_ID_PAGES_MAX pages
 *              zeros (version 1: from 312 on, versions 2 and 3: from 432 on, version 4: from 456 on)
 *
 * Key of an id, so made that providers' ids grow with it as they do with time: of what stands behind its last underscore
 *     (of all of it, when there is none or nothing behind it)
 *       only digits, more than 10 of them  the number that the first 16 are
 *       else    the first 10 characters as a number, in base 37: digits, letters (small and large alike) 10 to 35, all others 36
 *     added to 2^56 times its length (127 when it is longer), and to 2^63 when it is longer than 10 and not only digits.
 *
 * Frame: u32 CRC-32 of all that follows, u8 length of the id, the id, the record (record_encode) as
 * one stream packed with the dictionary (codec/deflate.h). The id stands outside the stream, too, so that a
 * lookup compares it in full without inflating.
 *
 * SECTION_ROWS, 72 bytes, in ascending order of (created, id hash); a row's place is its ordinal:
 *      0 u32 offset of the frame
 *      4 u32 bytes of the frame
 *      8 u32 bytes of the record when inflated
 *     12 u32 flags (enum record_flag)
 *     16 i64 created, 24 i64 updated, 32 i64 seen
 *     40 u64 revision
 *     48 u64 bytes_hash of the id
 *     56 u64 bytes_hash of the parent's id (1 instead of 0); 0: no parent
 *     64 u64 bytes_hash of the document (of the byte 0xc0 when it is empty), and, when it was
 *            merged into another, XOR that one's id's bytes_hash times 0x9e3779b97f4a7c15
 * SECTION_IDS, 12 bytes, ascending: u64 id hash, u32 ordinal
 * SECTION_FILTER, 64 bytes: a blocked Bloom filter over the id hashes, 10 bits a record or more.
 *     The block: ((high 32 bits of the hash) * blocks) >> 32. In it 8 words of 64 bits; the bit of
 *     word i: (u32)((low 32 bits) * SEGMENT_FILTER_SALTS[i]) >> 26
 * SECTION_UPDATED, 12 bytes, ascending by (updated, id hash): i64 updated, u32 ordinal
 * SECTION_PARENTS, 28 bytes, ascending; of records with a parent:
 *     u64 parent hash, i64 created, u64 id hash, u32 ordinal
 * SECTION_TRUNCATED, 4 bytes, ascending; of records marked RECORD_TRUNCATED: u32 ordinal
 *
 * The sections from here on are new in version 2. What is "packed" in them is a run of numbers of
 * one width in bits, 0 to 56, the first in the lowest bits of the first byte; LEB128 is an unsigned
 * number, seven bits a byte, the lowest first.
 *
 * SECTION_CHANGES, 4 bytes: the ordinals by ascending revision
 * SECTION_COLUMNS, a stream of bytes (elements of 1 byte; so are POSTINGS). A value is MessagePack
 *     as field_stored gives it (model/field.h), nil where there is none, or the byte 0xc1: it is
 *     longer than SEGMENT_VALUE_MAX and stands in the record only. An id or parent that is a
 *     number's digits is that number. Tombstones have id and parent only. Forms:
 *       numbers     a packed number a row: 0 is nil, v the integer smallest + (v - 1) * scale
 *       dictionary  a packed number a row: the place of its value in the heap
 *       heap        the values of the rows in the heap themselves
 *     The heap holds blocks of 16 values (the last one fewer): the LEB128 length of each, then
 *     their bytes. Where each block begins in the heap stands packed behind it.
 * SECTION_FIELDS, 96 bytes: what the segment knows of its rows beside the envelope. The first two
 *     are "id" and "parent", the others the fields of the schema that wrote it, in its order.
 *      0 32 name, zeros behind it
 *     32 u64 bytes_hash of (u8 type, u8 kind, path) of the field; 0 of the first two. A field of
 *            another definition is another field, whatever its name.
 *     40 u8 kind (enum store_kind; 255 of the first two)
 *     41 u8 form of its column (enum segment_form)
 *     42 u8 bits of a packed number, 43 u8 bits of a block's offset
 *     44 u32 values in the heap
 *     48 u32 offset of the packed numbers, one a row, in SECTION_COLUMNS
 *     52 u32 offset of the heap, 56 u32 its bytes, 60 u32 offset of the packed offsets of its blocks
 *     64 i64 smallest number, 72 i64 largest (the zone map), 80 u64 scale
 *     88 u32 rows that have a value, 92 u32 zero
 * SECTION_POSTINGS: lists of the ordinals that have a term, ascending, in blocks of 256 (the last
 *     one smaller). Of a list of more than one block first, for each block, u32 its first ordinal
 *     and u32 the offset of the block behind these words. A block: u8 width, LEB128 first ordinal,
 *     then packed the differences to the one before, less one.
 * SECTION_TERMS, 4092 bytes, a tree of pages: leaves in the order of their terms, then the pages
 *     that lead to them, the root last. u16 level (leaves 0), u16 entries, u16 bytes used, entries.
 *     An entry: u8 bytes shared with the term before (0 in the first), u8 bytes of its own, these;
 *       in a leaf     LEB128 ordinals; up to SEGMENT_INLINE_MAX of them the ordinals themselves,
 *                     LEB128 differences to the one before less one (the first from -1); else
 *                     LEB128 offset of the list in SECTION_POSTINGS
 *       above         LEB128 the page in this section that begins with this term; the first entry of
 *                     a level is the empty term instead
 *     A term: u8 number of the field in SECTION_FIELDS, then the bytes of a word (codec/words.h) or
 *     of a keyword, which is cut at SEGMENT_TERM_MAX - 1 bytes: what is so long means this or
 *     longer. Positions of words may be added behind an entry's list by a later version. The term
 *     of the byte 0 alone lists rows that have more terms than are kept of one record.
 *
 * SECTION_PARENT_FILTER, 64 bytes, new in version 4: as SECTION_FILTER, over the hashes of parents, so that who looks for
 *     the children of one leaves most segments out. About 10 bits for each different parent; empty when no record has one.
 *
 * Dictionary file, N.dict: "FICDIC1\n", u32 length, u32 CRC-32 of the 12 bytes before and of the
 * dictionary, the dictionary.
 *
 * Manifest file: "FICMAN1\n", u32 length, u32 CRC-32 of the 12 bytes before and of the body, the
 * body: one MessagePack value
 *     [1, revision, next file number, resources, marks]
 *     resource    [name, current dictionary's number, dictionaries, segments, coverage, damaged]
 *     dictionary  [number, bytes]
 *     segment     [number, folder, bytes of the file, end of the data area, records, tombstones that
 *                 live, truncated ones that live, ones without a creation time, dictionary, CRC-32
 *                 of the header page, the eight ranges in the header page's order, dead rows]
 *     dead rows   nil; or bin, a bitmap of (records + 7) / 8 bytes, least bit first; or str, the
 *                 ordinals as LEB128 differences to the one before plus one (the first from -1);
 *                 the smaller one. Behind them, when it was packed densely by a compaction: true
 *                 (since 0.2)
 *     coverage    as model/coverage.h encodes it
 *     damaged     as model/interval.h encodes it
 *     marks       map of str to bin, ascending; the store's own among them:
 *                   forget.key        32 bytes, and forgotten.0000 …: seals of 16 bytes each, of what was forgotten: of HMAC-SHA-256 with the key,
 *                                     over the resource, a zero byte and the id, the first ones
 *                   purge:RESOURCE    u64 r, u64 d, u64 x, u8 settled: files with numbers below r are to have no dead rows, no dictionary is to have a number below d, and files below x may
 *                                     have what is excluded
 *                   scrub:RESOURCE    old copies are to go with the next purge
 *                   exclude:RESOURCE  paths of members that are not stored, a line each
 *                   lead:RESOURCE     u64: by how many ms a record may be older than its parent
 *
 * Versions
 *   1  the first (release 0.1.0)
 *   2  sections CHANGES, COLUMNS, FIELDS, POSTINGS, TERMS
 *   3  the dictionary may be one of phrases
 *   4  section PARENT_FILTER
 *   5  keys of ids and ends of SECTION_IDS' pages in the header page
 */
#ifndef FIC_STORE_SEGMENT_H
#define FIC_STORE_SEGMENT_H

#include <stdint.h>

#define SEGMENT_MAGIC      "FICSEG1\n"
#define SEGMENT_VERSION    5
#define SEGMENT_PAGE       4096u
#define SEGMENT_PAGE_ROOM  4092u /* of a page before its checksum */
#define SEGMENT_FRAME_HEAD 5u    /* of a frame before the id */

#define DICTIONARY_MAGIC "FICDIC1\n"
#define MANIFEST_MAGIC   "FICMAN1\n"
#define FRAMED_HEAD      16u /* magic, length, CRC-32 */

/* A segment is split above these. */
#define SEGMENT_RECORDS_MAX 100000u
#define SEGMENT_DATA_MAX    (64u << 20)
/* One record, encoded. */
#define SEGMENT_RECORD_MAX (32u << 20)

enum segment_section {
	SECTION_ROWS,
	SECTION_IDS,
	SECTION_FILTER,
	SECTION_UPDATED,
	SECTION_PARENTS,
	SECTION_TRUNCATED,
	SEGMENT_SECTIONS_V1,
	SECTION_CHANGES = SEGMENT_SECTIONS_V1,
	SECTION_COLUMNS,
	SECTION_FIELDS,
	SECTION_POSTINGS,
	SECTION_TERMS,
	SEGMENT_SECTIONS_V2,
	SECTION_PARENT_FILTER = SEGMENT_SECTIONS_V2,
	SEGMENT_SECTIONS,
};

enum segment_form { FORM_NONE, FORM_NUMBERS, FORM_DICTIONARY, FORM_HEAP };

/* The fields that every segment has. */
enum segment_own { OWN_ID, OWN_PARENT, SEGMENT_OWN_FIELDS };

#define SEGMENT_ROW_SIZE       72u
#define SEGMENT_ID_SIZE        12u
#define SEGMENT_BLOCK_SIZE     64u
#define SEGMENT_UPDATED_SIZE   12u
#define SEGMENT_PARENT_SIZE    28u
#define SEGMENT_TRUNCATED_SIZE 4u
#define SEGMENT_CHANGE_SIZE    4u
#define SEGMENT_FIELD_SIZE     96u

#define SEGMENT_FIELDS_MAX 64u
#define SEGMENT_VALUE_MAX  160u /* bytes of a value in a column */
#define SEGMENT_HEAP_BLOCK 16u
#define SEGMENT_TERM_MAX   129u /* field number and bytes */
#define SEGMENT_POST_BLOCK 256u
#define SEGMENT_INLINE_MAX 4u
#define SEGMENT_TERMS_HEAD 6u
#define SEGMENT_LEVELS_MAX 4u

/* Offsets in the header page. */
enum segment_header_at {
	HEADER_VERSION = 8,
	HEADER_SECTIONS = 12,
	HEADER_BYTES = 16,
	HEADER_DATA_END = 24,
	HEADER_RECORDS = 32,
	HEADER_TOMBSTONES = 36,
	HEADER_TRUNCATED = 40,
	HEADER_UNTIMED = 44,
	HEADER_DICTIONARY = 48,
	HEADER_WINDOW = 56,
	HEADER_RANGES = 72,
	HEADER_RESOURCE = 136,
	HEADER_TABLE = 168,
	HEADER_END_V1 = 312,
	HEADER_END_V2 = 432,
	HEADER_END_V4 = 456,
	HEADER_ID_KEYS = 456,
	HEADER_ID_PAGES = 472,
};

#define SEGMENT_ID_PAGES_MAX ((SEGMENT_PAGE_ROOM - HEADER_ID_PAGES) / 4)

#define SEGMENT_TABLE_SIZE 24u
#define SEGMENT_NAME_SIZE  32u

#define SEGMENT_FILTER_WORDS 8
#define SEGMENT_FILTER_SALTS                                                                  \
	{                                                                                     \
		0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du, 0x705495c7u, 0x2df1424bu, \
			0x9efc4947u, 0x5c6bfb31u                                              \
	}

#endif
