"""The tree of a log (RFC 6962, 2.1): that an entry is under a root, and that a root continues an earlier one.

Hashes come from whoever wants to be believed; sizes and index come from what has been judged. Each function raises
EvidenceError, or returns the root that it has shown. How many hashes a proof has follows from index and size alone, so
that is compared before anything is hashed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ..format.errors import EvidenceError

HASH_BYTES = 32
Path = Sequence[bytes]


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962, 2.1. The byte before it keeps an entry from being read as a node."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes, whose order is the log's."""
    peaks: list[tuple[int, bytes]] = []  # the whole trees so far, each lower than the one to its left
    for leaf in leaves:
        level, right = 0, leaf
        while peaks and peaks[-1][0] == level:
            level, right = level + 1, node_hash(peaks.pop()[1], right)
        peaks.append((level, right))
    if not peaks:
        return hashlib.sha256(b"").digest()
    _, root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop()[1], root)
    return root


def check_inclusion(leaf: bytes, index: int, size: int, path: Path, root: bytes) -> bytes:
    """The root, if the path leads to it from the leaf at this index of a tree of this size (RFC 9162, 2.1.3.2).
    EvidenceError(reason="log-inclusion") if not."""
    if not 0 <= index < size:
        raise _refused("log-inclusion", "the index is not in the log", f"below {size}", str(index))
    inner = (index ^ (size - 1)).bit_length()  # levels at which the way up has a sibling on either side
    border = (index >> inner).bit_count()  # above them, siblings on the left alone
    _check_lengths([leaf, root, *path], len(path), inner + border, "log-inclusion")
    found = leaf
    for level, sibling in enumerate(path[:inner]):
        found = node_hash(sibling, found) if index >> level & 1 else node_hash(found, sibling)
    for sibling in path[inner:]:
        found = node_hash(sibling, found)
    if found != root:
        raise _refused("log-inclusion", "the entry is not under the log's root", root.hex(), found.hex())
    return root


def root_before(leaf: bytes, index: int, size: int, path: Path, before: int) -> bytes | None:
    """The root of the first `before` entries, where a path that check_inclusion has accepted says it: for as many
    entries as stand before the leaf, and for one more. None for any other number."""
    if before not in (index, index + 1) or not 0 < before <= size:
        return None
    inner = (index ^ (size - 1)).bit_length()
    left = [sibling for level, sibling in enumerate(path[:inner]) if index >> level & 1] + list(path[inner:])
    if before == index + 1:
        left.insert(0, leaf)
    root = left[0]
    for sibling in left[1:]:
        root = node_hash(sibling, root)
    return root


def check_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Path) -> bytes:
    """The root, if the tree of this size begins with the whole of the older one (RFC 9162, 2.1.4.2).
    EvidenceError(reason="log-consistency") if not. The older tree is not empty: an empty one says nothing."""
    reason = "log-consistency"
    if not 0 < old_size <= size:
        raise _refused(reason, "the older log is empty, or larger than the newer one", f"1 to {size}", str(old_size))
    if old_size == size:
        _check_lengths([old_root, root, *proof], len(proof), 0, reason)
        if old_root != root:
            raise _refused(reason, "two logs of one size have different roots", old_root.hex(), root.hex())
        return root
    last = old_size - 1
    low = (~last & (last + 1)).bit_length() - 1  # levels of the whole tree that the older log ends with
    inner = (last ^ (size - 1)).bit_length() - low
    border = (last >> (low + inner)).bit_count()
    whole = old_size & (old_size - 1) == 0  # the older log is one whole tree: its root begins the proof
    _check_lengths([old_root, root, *proof], len(proof), inner + border + (not whole), reason)
    start, *rest = [old_root, *proof] if whole else proof
    old, new, at = start, start, last >> low
    for level, sibling in enumerate(rest):
        if level >= inner or at >> level & 1:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if old != old_root:
        raise _refused(reason, "the proof is not of the older log", old_root.hex(), old.hex())
    if new != root:
        raise _refused(reason, "the log does not continue the older one", root.hex(), new.hex())
    return root


def _check_lengths(hashes: Path, found: int, wanted: int, reason: str) -> None:
    if found != wanted:
        raise _refused(reason, "the proof has not as many hashes as the sizes say", str(wanted), str(found))
    if any(len(item) != HASH_BYTES for item in hashes):
        raise _refused(reason, "a hash has not 32 bytes", "32 bytes each", "another length")


def _refused(reason: str, message: str, expected: str, found: str) -> EvidenceError:
    hint = "get the log proof again; if it stays so, keep it and ask the custodian"
    return EvidenceError(message, reason=reason, expected=expected, found=found, hint=hint)
