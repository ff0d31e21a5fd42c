"""Which Ed25519 public keys are sound to pin: canonical, on the curve, torsion-free, not of small order.

A key with a small-order part lets its owner make signatures that verify for some messages, or some verifiers,
and not for others. OpenSSL does not look (see attacks mixed_order_key, low_order_key), so we do, once a key, when a
policy is loaded. RFC 8032 section 5.1 for the curve; plain integers, not constant time: keys here are public.
"""

from __future__ import annotations

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
_SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
_IDENTITY: Point = (0, 1, 1, 0)


def _decode(key: bytes) -> Point | None:
    """The point in extended coordinates, None if the encoding is not the canonical one of a point."""
    y = int.from_bytes(key, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * _SQRT_MINUS_ONE % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _add(a: Point, b: Point) -> Point:
    """RFC 8032 section 5.1.4: complete, so it doubles too."""
    e1, e2 = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = e2 - e1, d - c, d + c, e2 + e1
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    result = _IDENTITY
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _is_identity(point: Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


def weakness(key: bytes) -> str:
    """Why these 32 bytes are not sound as a pinned key; "" if they are."""
    if len(key) != 32:
        return "an Ed25519 key has 32 bytes"
    point = _decode(key)
    if point is None:
        return "it is not the canonical encoding of a point of the curve"
    if _is_identity(_times(8, point)):
        return "it is a point of small order, under which signatures can be made without a private key"
    if not _is_identity(_times(ORDER, point)):
        return "it has a part of small order, so verifiers may disagree on its signatures"
    return ""
