// ECDSA over P-256: compressed keys, and signatures in strict DER.

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

const number = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);

function power(base, exponent) {
  let out = 1n;
  for (let b = base % P, e = exponent; e > 0n; e >>= 1n, b = (b * b) % P) if (e & 1n) out = (out * b) % P;
  return out;
}

export function isGoodKey(bytes) {
  if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3)) return false;
  const x = number(bytes.subarray(1));
  if (x >= P) return false;
  const square = (((x * x * x - 3n * x + B) % P) + P) % P;
  const y = power(square, (P + 1n) / 4n);
  return (y * y) % P === square;
}

/** DER SubjectPublicKeyInfo of a compressed point. */
export const keyInfo = (bytes) =>
  Buffer.concat([Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'), bytes]);

/** r ‖ s, 64 bytes, of a strict DER signature; null if it is not one. */
export function fromDer(bytes) {
  let at = 0;
  const integer = () => {
    const length = bytes[at + 1];
    const body = bytes.subarray(at + 2, at + 2 + length);
    if (bytes[at] !== 2 || length === undefined || length < 1 || length > 33 || body.length !== length) return null;
    at += 2 + length;
    if (body[0] >= 0x80 || (body[0] === 0 && length > 1 && body[1] < 0x80)) return null;
    const value = number(body);
    return value >= 1n && value < N ? value : null;
  };
  if (bytes.length < 8 || bytes[0] !== 0x30 || bytes[1] !== bytes.length - 2) return null;
  at = 2;
  const r = integer();
  const s = r === null ? null : integer();
  if (s === null || at !== bytes.length) return null;
  return Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex');
}
