"""Bytes on the disk of a daemon, wherever they may hide: every file as it is, and every stream in it unpacked, those of dead rows, too. Reads the formats by their
descriptions (include/store/segment.h, journal.h, include/codec/deflate.h) and shares no code with what wrote them."""
import json
import os
import struct
import zlib

PAGE, ROOM, ROW, FRAME_HEAD = 4096, 4092, 72, 5
SYMBOLS, DISTANCES = 284, 16


def canonical(lengths):
    """{(bits, code): symbol}: by length, then by number."""
    table, code, last = {}, 0, 0
    for bits, symbol in sorted((n, i) for i, n in enumerate(lengths) if n):
        code <<= bits - last
        table[bits, code] = symbol
        code, last = code + 1, bits
    return table


class Bits:
    def __init__(self, data):
        self.data, self.at, self.held, self.count = data, 0, 0, 0

    def take(self, n):
        while self.count < n:
            self.held |= self.data[self.at] << self.count
            self.at += 1
            self.count += 8
        value = self.held & ((1 << n) - 1)
        self.held >>= n
        self.count -= n
        return value

    def symbol(self, table):
        code, bits = 0, 0
        while (bits, code) not in table or bits == 0:
            code, bits = code << 1 | self.take(1), bits + 1
            assert bits <= 14, "no such code"
        return table[bits, code]


class Dictionary:
    def __init__(self, body):
        self.phrases = None
        self.text = body
        if not body.startswith(b"FICPHR1\n"):
            return
        n, text = struct.unpack_from("<II", body, 8)
        nibbles = SYMBOLS + n + DISTANCES
        at = 16 + (nibbles + 1) // 2
        lengths = [body[16 + i // 2] >> (4 if i % 2 else 0) & 15 for i in range(nibbles)]
        self.symbols, self.distances = canonical(lengths[:SYMBOLS + n]), canonical(lengths[SYMBOLS + n:])
        sizes, at = body[at:at + n], at + n
        self.text = body[at:at + text]
        self.phrases, start = [], 0
        for size in sizes:
            self.phrases.append(self.text[start:start + size])
            start += size

    def inflate(self, packed):
        zdict = self.text[-16384:]
        d = zlib.decompressobj(-15, zdict) if zdict else zlib.decompressobj(-15)
        return d.decompress(packed) + d.flush()

    def unpack(self, packed, raw):
        if self.phrases is None:
            return self.inflate(packed)
        if packed[0] == 0:
            return self.inflate(packed[1:])
        bits, out = Bits(packed[1:]), bytearray()
        while len(out) < raw:
            symbol = bits.symbol(self.symbols)
            if symbol < 256:
                out.append(symbol)
            elif symbol >= SYMBOLS:
                out += self.phrases[symbol - SYMBOLS]
            else:
                length = symbol - 252
                if symbol >= 272:
                    extra = symbol - 268
                    length = 4 + (1 << extra) + bits.take(extra)
                d = bits.symbol(self.distances)
                back = (1 << d) + bits.take(d)
                for _ in range(length):
                    out.append(out[-back])
        return bytes(out)


NONE = Dictionary(b"")


def dictionary_of(folder, number):
    if not number:
        return NONE
    with open(os.path.join(folder, "%d.dict" % number), "rb") as f:
        return Dictionary(f.read()[16:])


def streams_of_rows(rows, area, dictionary):
    for row in rows:
        offset, size, raw = struct.unpack_from("<III", row)
        frame = area[offset:offset + size]
        out = dictionary.unpack(frame[FRAME_HEAD + frame[4]:], raw)
        assert len(out) == raw, (len(out), raw)
        yield out


def streams_of_segment(path, data):
    records, number = struct.unpack_from("<I", data, 32)[0], struct.unpack_from("<Q", data, 48)[0]
    at = struct.unpack_from("<Q", data, 168)[0]
    each = ROOM // ROW
    rows = [data[at + i // each * PAGE + i % each * ROW:][:ROW] for i in range(records)]
    yield from streams_of_rows(rows, data, dictionary_of(os.path.dirname(os.path.dirname(path)), number))


def unpack_value(data, at):
    """One MessagePack value of those that a journal has, and where it ends."""
    b = data[at]
    at += 1
    if b <= 0x7f:
        return b, at
    if b >= 0xe0:
        return b - 256, at
    if 0x80 <= b <= 0x8f or b in (0xde, 0xdf):
        n = b & 15
        if b > 0x8f:
            size = 2 if b == 0xde else 4
            n, at = int.from_bytes(data[at:at + size], "big"), at + size
        out = {}
        for _ in range(n):
            key, at = unpack_value(data, at)
            out[key], at = unpack_value(data, at)
        return out, at
    if 0x90 <= b <= 0x9f or b in (0xdc, 0xdd):
        n = b & 15
        if b > 0x9f:
            size = 2 if b == 0xdc else 4
            n, at = int.from_bytes(data[at:at + size], "big"), at + size
        out = []
        for _ in range(n):
            value, at = unpack_value(data, at)
            out.append(value)
        return out, at
    if 0xa0 <= b <= 0xbf:
        return data[at:at + (b & 31)], at + (b & 31)
    if b in (0xc0, 0xc2, 0xc3):
        return {0xc0: None, 0xc2: False, 0xc3: True}[b], at
    if b in (0xc4, 0xc5, 0xc6, 0xd9, 0xda, 0xdb):
        size = {0xc4: 1, 0xd9: 1, 0xc5: 2, 0xda: 2, 0xc6: 4, 0xdb: 4}[b]
        n, at = int.from_bytes(data[at:at + size], "big"), at + size
        return data[at:at + n], at + n
    size = {0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8, 0xcb: 8, 0xca: 4}[b]
    return int.from_bytes(data[at:at + size], "big", signed=b in (0xd0, 0xd1, 0xd2, 0xd3)), at + size


def streams_of_journal(path, data):
    top, at = os.path.dirname(os.path.dirname(path)), 24
    while at + 8 <= len(data):
        size = struct.unpack_from("<I", data, at)[0]
        if size > len(data) - at - 8:
            return
        body, _ = unpack_value(data, at + 8)
        for name, number, _, _, _, rows, frames in body[3]:
            if rows:
                dictionary = dictionary_of(os.path.join(top, name.decode()), number)
                yield from streams_of_rows([rows[i:i + ROW] for i in range(0, len(rows), ROW)], frames, dictionary)
        at += 8 + size


def find(folder, texts):
    """{text: [file ...]} of the texts (bytes) that stand anywhere below the folder, and how many streams were looked into. Beside a daemon that writes, files may go between two looks: then
    it looks again."""
    for again in range(20):
        try:
            return find_once(folder, texts)
        except FileNotFoundError:
            if again == 19:
                raise


def pieces_of_dictionary(data):
    """Phrases lie end to end, in an order that no record had: two that stand side by side can spell an id by chance, so each is looked at by itself."""
    dictionary = Dictionary(data[16:])
    if dictionary.phrases is None:
        return [data]
    return [data.replace(dictionary.text, b"", 1), *dictionary.phrases]


def find_once(folder, texts):
    found, streams = {}, 0
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as f:
                data = f.read()
            parts = [data]
            if data[:8] == b"FICSEG1\n":
                parts += streams_of_segment(path, data)
            elif data[:8] == b"FICJRN1\n":
                parts += streams_of_journal(path, data)
            streams += len(parts) - 1
            if name.endswith(".dict"):
                parts = pieces_of_dictionary(data)
            whole = b"\0\0".join(parts)
            for text in texts:
                if text in whole:
                    found.setdefault(text, []).append(os.path.relpath(path, folder))
    return found, streams


def leaves(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, str):
        yield value


def own_texts(rows, going):
    """The texts of these records ([(resource, id)] of {resource: {id: row}}) that no other one has."""
    texts, going = set(), set(going)
    for resource, i in going:
        for text in leaves(rows[resource][i]["doc"]):
            texts.update(part for part in [text] + text.replace("<", ">").split(">") if len(part) >= 5)
        texts.add(i)
    rest = json.dumps([row for r in rows for i, row in rows[r].items() if (r, i) not in going], ensure_ascii=False)
    return sorted(t.encode() for t in texts if t not in rest and json.dumps(t, ensure_ascii=False)[1:-1] not in rest)


def strays(folder, texts, rows):
    """Of the texts those that are found though no record that is held has them: what is written later may say the same again."""
    held = json.dumps([row for r in rows for row in rows[r].values()], ensure_ascii=False)
    found, _ = find(folder, [t for t in texts if t.decode() not in held and json.dumps(t.decode(), ensure_ascii=False)[1:-1] not in held])
    return list(found.items())[:5]
