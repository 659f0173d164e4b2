/*
 * segment: the immutable file that holds records of one resource, byte by byte. All words are
 * little-endian; times are int64 milliseconds (base/clock.h), unknown ones TIME_NONE. This header
 * is the format; src/store/segment_write.c and segment_read.c are its only users beside tools.
 *
 *   page 0             the header page
 *   4096 .. data end   frames, back to back, in the order of the rows; zeros up to the next
 *                      multiple of 4096
 *   sections           runs of pages, in the order of enum segment_section; an empty section has no
 *                      pages
 *
 * Every page but those of the data area ends in the CRC-32 (zlib's) of its first 4092 bytes; the
 * page's own number is mixed in: the CRC starts from crc32(0, number as u32), so that a page that
 * lies at the wrong place is found. A section's elements have a fixed size and never straddle a
 * page: a page holds 4092 / size of them, zeros follow.
 *
 * Header page:
 *      0    8  "FICSEG1\n"
 *      8    4  version: 1
 *     12    4  number of sections: 6
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
 *    168 6x24  for each section: u64 offset, u32 pages, u32 elements, u32 bytes of an element,
 *              u32 zero
 *    312       zeros
 *
 * Frame: u32 CRC-32 of all that follows, u8 length of the id, the id, the record (record_encode) as
 * one raw deflate stream that uses the dictionary. The id stands outside the stream, too, so that a
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
 *                 the smaller one
 *     coverage    as model/coverage.h encodes it
 *     damaged     as model/interval.h encodes it
 *     marks       map of str to bin, ascending
 *
 * Versions
 *   1  the first (release 0.1.0)
 */
#ifndef FIC_STORE_SEGMENT_H
#define FIC_STORE_SEGMENT_H

#include <stdint.h>

#define SEGMENT_MAGIC      "FICSEG1\n"
#define SEGMENT_VERSION    1
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
	SEGMENT_SECTIONS,
};

#define SEGMENT_ROW_SIZE       72u
#define SEGMENT_ID_SIZE        12u
#define SEGMENT_BLOCK_SIZE     64u
#define SEGMENT_UPDATED_SIZE   12u
#define SEGMENT_PARENT_SIZE    28u
#define SEGMENT_TRUNCATED_SIZE 4u

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
	HEADER_END = 312,
};

#define SEGMENT_TABLE_SIZE 24u
#define SEGMENT_NAME_SIZE  32u

#define SEGMENT_FILTER_WORDS 8
#define SEGMENT_FILTER_SALTS                                                                  \
	{                                                                                     \
		0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du, 0x705495c7u, 0x2df1424bu, \
			0x9efc4947u, 0x5c6bfb31u                                              \
	}

#endif
