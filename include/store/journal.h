/*
 * journal: the append-only file that takes small commits between two manifests, byte by byte. All
 * words are little-endian.
 *
 *   <dir>/journal/N.log   several may follow one manifest: a store that was opened again begins a
 *                         new one
 *
 * Header:
 *      0    8  "FICJRN1\n"
 *      8    8  revision of the manifest that it follows
 *     16    4  the CRC-32 in that manifest's header: a journal is of one manifest and of no other
 *     20    4  CRC-32 of the 20 bytes before
 *
 * Frames, back to back, one for each transaction, which so counts as a whole or not at all: u32
 * length of the body, u32 CRC-32 of those 4 bytes and of the body, the body: one MessagePack value
 *     [1, revision before, revision after, resources, marks]
 *     resource  [name, dictionary's number, coverage, damaged, kills, rows, frames]; the first four
 *               as in the manifest, and as they are after the transaction
 *     kills     bin, 16 bytes each: u64 number of a segment file of the manifest, u32 ordinal, u32
 *               the row's flags. A row of the journal dies when another of the same id comes
 *     rows      bin, as SECTION_ROWS of a segment (store/segment.h), offsets into `frames`, in any
 *               order
 *     frames    bin, as in a segment's data area
 *     marks     array of [str, bin or nil: the mark goes]
 *
 * The first frame that is cut or damaged ends its file; a frame counts only when the state that it
 * meets has its `revision before`. So a torn tail loses what was not acknowledged, and a damaged
 * frame loses itself and all after it, with the coverage that came with them.
 *
 * Versions
 *   1  the first (release 0.1.0)
 */
#ifndef FIC_STORE_JOURNAL_FORMAT_H
#define FIC_STORE_JOURNAL_FORMAT_H

#define JOURNAL_MAGIC      "FICJRN1\n"
#define JOURNAL_HEAD       24u
#define JOURNAL_FRAME_HEAD 8u
#define JOURNAL_KILL_SIZE  16u
#define JOURNAL_BYTES_MAX  (256u << 20) /* of a file that is read */

#endif
