"""Most blocks of a table are of one plain shape, and a few passes over their bytes show it.

What is plain is sound: the closer look (a pattern over every line) would take it as well. What is not plain is not
refused here, only not decided. Bytes in, a number out.
"""

from __future__ import annotations

from ..format.limits import MAX_TABLE_FIELD

_WINDOW = MAX_TABLE_FIELD // 2
_PRINTABLE = bytes(range(0x20, 0x7F))


class PlainLines:
    """Lines of width fields of printable ASCII, each at most MAX_TABLE_FIELD long, with delimiters between them.

    delimiter: b"," (then a field holds no comma and no quote; quotes may stand around it, if they do so in every line
    or it is empty) or b"\t" (then a quote is a character like any other). newline: LF or CR LF, the line end of the
    whole file.
    """

    def __init__(self, width: int, delimiter: bytes, newline: bytes) -> None:
        self._width, self._delimiter, self._newline = width, delimiter, newline
        self._quotes = delimiter == b","
        marks = delimiter + (b'"' if self._quotes else b"")
        self._fields = bytes(byte for byte in _PRINTABLE if byte not in marks)
        self._skeleton = delimiter * (width - 1) + newline

    def count(self, block: bytes) -> int:
        """How many lines a block of whole lines has, if it is plain; 0 if that takes a closer look."""
        bare = self._without_empty_quotes(block) if self._quotes and b'"' in block else block
        alike = self._quotes and b'"' in bare
        lines = self._alike(block) if alike else self._repeats(bare, self._skeleton)
        # The carriage returns are as many as the lines: if each line end is a pair, none stands inside a line.
        if not lines or (self._newline != b"\n" and block.count(self._newline) != lines):
            return 0
        return lines if self._is_short(block) else 0

    def _repeats(self, block: bytes, line: bytes) -> int:
        """How often a block is such a line, when the fields are taken out; 0 if it is not. A byte that no field may
        hold stays, and so does a quote."""
        skeleton = block.translate(None, self._fields)
        lines = len(skeleton) // len(line)
        return lines if skeleton == line * lines else 0

    def _alike(self, block: bytes) -> int:
        """How many lines a block has, if each has quotes around the same fields as the first; 0 if not.

        Each such field has two quotes, then. At most one of them begins it and at most one ends it: if as many begin
        and end fields as there are such fields, they stand around every one, and none inside.
        """
        first = block[: block.find(self._newline) + len(self._newline)].translate(None, self._fields)
        fields = first.removesuffix(self._newline).split(b",")
        if len(fields) != self._width or not set(fields) <= {b"", b'""'} or not first.endswith(self._newline):
            return 0
        lines = self._repeats(block, first)
        begun = block.count(b',"') + block.count(b'\n"') + block.startswith(b'"')
        ended = block.count(b'",') + block.count(b'"' + self._newline)
        return lines if begun == ended == lines * fields.count(b'""') else 0

    def _without_empty_quotes(self, block: bytes) -> bytes:
        """Take out `""` between two ends of fields. Inside quotes it is one escaped quote and outside an empty field:
        in neither case does what follows mean anything else without it. A second pass takes what the first one's
        matches overlapped."""
        block = block.replace(b',""' + self._newline, b"," + self._newline)
        return block.replace(b',"",', b",,").replace(b',"",', b",,") if b'"' in block else block

    def _is_short(self, block: bytes) -> bool:
        """Whether there is a delimiter in every window of the block: a field that is too long would fill one."""
        return all(
            block.find(self._delimiter, start, start + _WINDOW) >= 0
            for start in range(0, len(block) - _WINDOW + 1, _WINDOW)
        )
