// Ed25519 public keys, strictly: canonical, on the curve, of the prime-order group and not its neutral element.

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (a) => ((a % P) + P) % P;
function power(base, exponent) {
  let out = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = (b * b) % P) if (e & 1n) out = (out * b) % P;
  return out;
}
const invert = (a) => power(a, P - 2n);
const D = mod(-121665n * invert(121666n));
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

function decode(bytes) {
  let y = 0n;
  for (let at = 31; at >= 0; at--) y = (y << 8n) | BigInt(at === 31 ? bytes[at] & 0x7f : bytes[at]);
  const sign = BigInt(bytes[31] >> 7);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * ROOT_OF_MINUS_1);
  if (mod(x * x - square) !== 0n) return null;
  if (x === 0n && sign === 1n) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return { x, y };
}

// Extended coordinates (X, Y, Z, T); the addition law is complete.
const NEUTRAL = [0n, 1n, 1n, 0n];
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * t2 * D);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}
function multiply(point, scalar) {
  let out = NEUTRAL;
  for (let p = point, s = scalar; s > 0n; s >>= 1n, p = add(p, p)) if (s & 1n) out = add(out, p);
  return out;
}
const isNeutral = ([x, y, z]) => mod(x) === 0n && mod(y - z) === 0n;

export function isGoodKey(bytes) {
  const point = decode(bytes);
  if (point === null) return false;
  const extended = [point.x, point.y, 1n, mod(point.x * point.y)];
  return !isNeutral(extended) && isNeutral(multiply(extended, L));
}

/** S of a signature is below the group order, and R is a canonical point. */
export function isGoodSignature(bytes) {
  if (bytes.length !== 64) return false;
  let s = 0n;
  for (let at = 63; at >= 32; at--) s = (s << 8n) | BigInt(bytes[at]);
  return s < L && decode(bytes.subarray(0, 32)) !== null;
}
