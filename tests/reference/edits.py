"""Small edits of JSON values, by the place that is altered: "pools.0.assets.1.asset"."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Edit = Callable[[Any], Any]


def _reach(value: Any, place: str) -> tuple[Any, Any]:
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    for part in way:
        value = value[part]
    return value, last


def put(place: str, new: Any) -> Edit:
    """Sets a member, or replaces an item; a function is given the old value."""

    def edit(value: Any) -> None:
        there, last = _reach(value, place)
        there[last] = new(there[last]) if callable(new) else copy.deepcopy(new)

    return edit


def drop(place: str) -> Edit:
    def edit(value: Any) -> None:
        there, last = _reach(value, place)
        del there[last]

    return edit


def append(place: str, *items: Any) -> Edit:
    def edit(value: Any) -> None:
        there, last = _reach(value, place)
        there[last].extend(copy.deepcopy(items))

    return edit


def all_of(*edits: Edit) -> Edit:
    def edit(value: Any) -> None:
        for one in edits:
            one(value)

    return edit


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replaces the first place where the bytes stand; they must stand there."""

    def edit(data: bytes) -> bytes:
        if old not in data:
            raise ValueError(f"{old!r} is not there")
        return data.replace(old, new, 1)

    return edit


def swap_text(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        if old not in text:
            raise ValueError(f"{old!r} is not there")
        return text.replace(old, new, 1)

    return edit


def put_file(name: str, new: Any) -> Edit:
    """The same for a bundle, whose names have dots in them."""

    def edit(files: Any) -> None:
        files[name] = new(files[name]) if callable(new) else new

    return edit


def drop_file(name: str) -> Edit:
    def edit(files: Any) -> None:
        del files[name]

    return edit
