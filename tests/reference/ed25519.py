"""Ed25519 (RFC 8032) by its equations, as strict as docs/spec/statement.md, 6. Slow, and not for secrets."""

from __future__ import annotations

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
NEUTRAL: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n: int, p: Point) -> Point:
    if n == 0:
        return NEUTRAL
    half = times(n // 2, p)
    double = add(half, half)
    return add(double, p) if n & 1 else double


def encode(p: Point) -> bytes:
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point, if these are its canonical 32 bytes and it is on the curve."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if len(data) != 32 or y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * ROOT_OF_MINUS_ONE % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


_base = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
assert _base is not None
BASE: Point = _base


def is_key(data: bytes) -> bool:
    """Canonical, on the curve, neither of small order nor with a torsion part."""
    point = decode(data)
    return point is not None and encode(times(8, point)) != encode(NEUTRAL) and is_neutral(times(ORDER, point))


def is_neutral(p: Point) -> bool:
    return encode(p) == encode(NEUTRAL)


def secret(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    return (int.from_bytes(digest[:32], "little") & (2**254 - 8)) | 2**254, digest[32:]


def public_key(seed: bytes) -> bytes:
    return encode(times(secret(seed)[0], BASE))


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def sign(seed: bytes, message: bytes, key: bytes | None = None) -> bytes:
    """RFC 8032, 5.1.6; with a key given, as if that were the public key of the seed."""
    scalar, prefix = secret(seed)
    key = key or public_key(seed)
    nonce = _hash(prefix, message)
    commitment = encode(times(nonce, BASE))
    return commitment + ((nonce + _hash(commitment, key, message) * scalar) % ORDER).to_bytes(32, "little")


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """S below the order, and R equal to the encoding of S B - k A: no cofactor, and R canonical."""
    if len(signature) != 64 or not is_key(key):
        return False
    commitment, response = signature[:32], int.from_bytes(signature[32:], "little")
    point = decode(key)
    if response >= ORDER or point is None:
        return False
    negative = (P - point[0], point[1], point[2], P - point[3])
    return encode(add(times(response, BASE), times(_hash(commitment, key, message), negative))) == commitment
