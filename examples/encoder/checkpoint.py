"""Reads the tensors of a TensorFlow checkpoint (format V2), with the standard library alone.

PREFIX.index is a sorted table as in LevelDB: blocks of keys with shared prefixes, and a footer of 48 bytes. It maps
the name of a tensor to its type, shape and place in PREFIX.data-00000-of-00001. Files are untrusted: every length is
checked against the bytes that are there before it is used, and a file that breaks a rule raises Damaged.
"""

import array
import math
import os
import sys

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5  # of a block: type, checksum
FLOAT = 1  # DT_FLOAT
MAX_INDEX = 16 << 20  # bytes
MAX_TENSOR = 1 << 30  # bytes
MAX_RANK = 8


class Damaged(Exception):
    """The checkpoint is not valid; the text states why."""


def need(holds, problem):
    if not holds:
        raise Damaged(problem)


def varint(data, at):
    """The number at `at`, and the place after it."""
    value = 0
    for shift in range(0, 64, 7):
        need(at < len(data), "the index ends inside a number")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            need(value < 1 << 64, "the index contains a number of more than 64 bits")
            return value, at
    raise Damaged("the index contains a number of more than 64 bits")


def block(index, offset, size):
    need(offset + size + TRAILER <= len(index) - FOOTER, "the index refers to a block after its end")
    need(index[offset + size] == 0, "the index is compressed, which is not supported")
    return index[offset : offset + size]


def entries(data):
    """(key, value) of a block."""
    need(len(data) >= 4, "a block of the index is too short")
    restarts = int.from_bytes(data[-4:], "little")
    end = len(data) - 4 - 4 * restarts
    need(end >= 0, "a block of the index is too short for its restart points")
    data, at, key = data[:end], 0, b""
    while at < end:
        shared, at = varint(data, at)
        rest, at = varint(data, at)
        length, at = varint(data, at)
        need(shared <= len(key) and at + rest + length <= end, "an entry of the index exceeds its block")
        key = key[:shared] + data[at : at + rest]
        yield key, data[at + rest : at + rest + length]
        at += rest + length


def table(index):
    """All (key, value) of an index."""
    need(len(index) >= FOOTER, "the index is too short")
    need(int.from_bytes(index[-8:], "little") == MAGIC, "the index is not the table of a TensorFlow checkpoint")
    footer, at = index[-FOOTER:-8], 0
    for _ in range(2):  # that of the metaindex, which is not needed
        _, at = varint(footer, at)
    offset, at = varint(footer, at)
    size, at = varint(footer, at)
    end = 0
    for _, handle in entries(block(index, offset, size)):
        first, place = varint(handle, 0)
        length, _ = varint(handle, place)
        need(first >= end, "the blocks of the index overlap")
        end = first + length
        yield from entries(block(index, first, length))


def fields(data):
    """(number, value) of a protocol buffer message: int, or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 in (1, 2, 5):
            size, at = (8 if tag & 7 == 1 else 4, at) if tag & 7 != 2 else varint(data, at)
            need(at + size <= len(data), "an entry of the index is truncated")
            value, at = data[at : at + size], at + size
        else:
            raise Damaged("an entry of the index has an unknown form")
        yield tag >> 3, value


def of_type(value, kind):
    need(isinstance(value, kind), "an entry of the index has an unknown form")
    return value


def shape_of(message):
    """[rank] from a TensorShapeProto."""
    shape = []
    for number, dimension in fields(message):
        if number == 2:
            sizes = [of_type(size, int) for kind, size in fields(of_type(dimension, bytes)) if kind == 1]
            shape.append(sizes[0] if sizes else 0)
    need(len(shape) <= MAX_RANK, "a tensor has too many dimensions")
    return tuple(shape)


class Checkpoint:
    """checkpoint.names; checkpoint.read (name, shape) → array of float."""

    def __init__(self, prefix):
        self.data = prefix + ".data-00000-of-00001"
        path = prefix + ".index"
        with open(path, "rb") as file:
            index = file.read(MAX_INDEX + 1)
        need(len(index) <= MAX_INDEX, "the index is too large")
        self.size = os.path.getsize(self.data)
        self.tensors = {}
        for key, value in table(index):
            if key == b"":
                self._check_header(value)
            else:
                self.tensors[key.decode("utf-8", "replace")] = value
        self.names = set(self.tensors)

    @staticmethod
    def _check_header(message):
        header = dict(fields(message))
        need(header.get(1, 1) == 1, "the checkpoint consists of several data files, which is not supported")
        need(header.get(2, 0) == 0, "the checkpoint is big-endian, which is not supported")

    def read(self, name, shape):
        """The values of a tensor that must have this shape and be finite."""
        need(name in self.tensors, f"there is no tensor ‘{name}’")
        entry = dict(fields(self.tensors[name]))
        found = shape_of(of_type(entry.get(2, b""), bytes))
        need(found == tuple(shape), f"‘{name}’ has the shape {list(found)}, not {list(shape)}")
        need(entry.get(1) == FLOAT and 7 not in entry, f"‘{name}’ is not a plain tensor of float32")
        offset, size = (of_type(entry.get(number, 0), int) for number in (4, 5))
        need(entry.get(3, 0) == 0 and size == 4 * math.prod(shape) <= MAX_TENSOR, f"‘{name}’ has the wrong size")
        need(offset + size <= self.size, f"‘{name}’ is truncated")
        with open(self.data, "rb") as file:
            file.seek(offset)
            data = file.read(size)
        need(len(data) == size, f"‘{name}’ is truncated")
        values = array.array("f", data)
        if sys.byteorder == "big":
            values.byteswap()
        need(all(map(math.isfinite, values)), f"‘{name}’ contains a number that is not finite")
        return values
