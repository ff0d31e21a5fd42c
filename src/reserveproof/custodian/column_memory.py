"""The memory of Arrow columns, as the native kernel takes it. Nothing is copied."""

from __future__ import annotations

from typing import Any


def text_memory(column: Any) -> tuple[memoryview, memoryview]:
    """Offsets (n + 1 of 32 bits) and bytes of a column of texts or binaries, which has no null."""
    _, offsets, data = column.buffers()
    wide = memoryview(offsets).cast("B")[4 * column.offset : 4 * (column.offset + len(column) + 1)]
    return wide, memoryview(data).cast("B") if data is not None else memoryview(b"")


def fixed_memory(column: Any) -> memoryview:
    """The values of a column of one width, which has no null."""
    width = column.type.bit_width // 8
    return memoryview(column.buffers()[1]).cast("B")[width * column.offset : width * (column.offset + len(column))]
