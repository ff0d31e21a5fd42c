// Verification of ML-DSA-44 (FIPS 204, pure, empty context).

import { createHash } from 'node:crypto';

const Q = 8380417;
const N = 256;
const K = 4;
const L = 4;
const TAU = 39;
const GAMMA1 = 1 << 17;
const GAMMA2 = (Q - 1) / 88;
const BETA = 78;
const OMEGA = 80;
const CHALLENGE = 32;
export const KEY_BYTES = 1312;
const SIGNATURE_BYTES = CHALLENGE + L * 576 + OMEGA + K;

const shake = (bits, length, ...parts) => {
  const hash = createHash(`shake${bits}`, { outputLength: length });
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const mod = (a) => ((a % Q) + Q) % Q;
const polynomial = () => new Array(N).fill(0);

const ZETAS = [];
for (let k = 0; k < N; k++) {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) reversed |= ((k >> bit) & 1) << (7 - bit);
  let zeta = 1;
  for (let at = 0; at < reversed; at++) zeta = (zeta * 1753) % Q;
  ZETAS.push(zeta);
}

function ntt(coefficients) {
  const w = coefficients.map(mod);
  let m = 0;
  for (let length = 128; length >= 1; length >>= 1) {
    for (let start = 0; start < N; start += 2 * length) {
      const zeta = ZETAS[++m];
      for (let j = start; j < start + length; j++) {
        const t = (zeta * w[j + length]) % Q;
        w[j + length] = mod(w[j] - t);
        w[j] = (w[j] + t) % Q;
      }
    }
  }
  return w;
}

function inverseNtt(transformed) {
  const w = [...transformed];
  let m = 256;
  for (let length = 1; length < N; length <<= 1) {
    for (let start = 0; start < N; start += 2 * length) {
      const zeta = Q - ZETAS[--m];
      for (let j = start; j < start + length; j++) {
        const t = w[j];
        w[j] = (t + w[j + length]) % Q;
        w[j + length] = (zeta * mod(t - w[j + length])) % Q;
      }
    }
  }
  return w.map((c) => (c * 8347681) % Q);
}

/** 256 unsigned integers of `width` bits, least significant bit first. */
function unpack(bytes, width) {
  const out = [];
  let buffer = 0;
  let held = 0;
  for (const byte of bytes) {
    buffer += byte * 2 ** held;
    held += 8;
    while (held >= width) {
      out.push(buffer % 2 ** width);
      buffer = Math.floor(buffer / 2 ** width);
      held -= width;
    }
  }
  return out;
}

function rejectionSample(seed) {
  for (let length = 1344; ; length *= 2) {
    const stream = shake(128, length, seed);
    const out = [];
    for (let at = 0; at + 3 <= length && out.length < N; at += 3) {
      const value = stream[at] + stream[at + 1] * 256 + (stream[at + 2] & 0x7f) * 65536;
      if (value < Q) out.push(value);
    }
    if (out.length === N) return out;
  }
}

function sampleInBall(seed) {
  const stream = shake(256, 4096, seed);
  const c = polynomial();
  let at = 8;
  for (let i = N - TAU; i < N; i++) {
    while (stream[at] > i) at++;
    const j = stream[at++];
    const bit = i + TAU - N;
    c[i] = c[j];
    c[j] = (stream[bit >> 3] >> (bit & 7)) & 1 ? -1 : 1;
  }
  return c;
}

function unpackHints(bytes) {
  const hints = Array.from({ length: K }, polynomial);
  let index = 0;
  for (let row = 0; row < K; row++) {
    const end = bytes[OMEGA + row];
    if (end < index || end > OMEGA) return null;
    const first = index;
    for (; index < end; index++) {
      if (index > first && bytes[index - 1] >= bytes[index]) return null;
      hints[row][bytes[index]] = 1;
    }
  }
  for (; index < OMEGA; index++) if (bytes[index] !== 0) return null;
  return hints;
}

function useHint(hint, r) {
  let low = r % (2 * GAMMA2);
  if (low > GAMMA2) low -= 2 * GAMMA2;
  let high;
  if (r - low === Q - 1) {
    high = 0;
    low -= 1;
  } else {
    high = (r - low) / (2 * GAMMA2);
  }
  if (hint === 0) return high;
  return low > 0 ? (high + 1) % 44 : (high + 43) % 44;
}

function packHigh(high) {
  const out = [];
  for (let at = 0; at < N; at += 4) {
    const word = high[at] | (high[at + 1] << 6) | (high[at + 2] << 12) | (high[at + 3] << 18);
    out.push(word & 255, (word >> 8) & 255, (word >> 16) & 255);
  }
  return Buffer.from(out);
}

export function verify(key, message, signature) {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const rho = key.subarray(0, 32);
  const seed = signature.subarray(0, CHALLENGE);
  const z = [];
  for (let at = 0; at < L; at++) {
    const packed = signature.subarray(CHALLENGE + at * 576, CHALLENGE + (at + 1) * 576);
    z.push(unpack(packed, 18).map((value) => GAMMA1 - value));
  }
  if (z.some((row) => row.some((value) => Math.abs(value) >= GAMMA1 - BETA))) return false;
  const hints = unpackHints(signature.subarray(CHALLENGE + L * 576));
  if (hints === null) return false;

  const framed = Buffer.concat([Buffer.from([0, 0]), message]);
  const mu = shake(256, 64, shake(256, 64, key), framed);
  const c = ntt(sampleInBall(seed));
  const zHat = z.map(ntt);
  const high = [];
  for (let row = 0; row < K; row++) {
    const sum = polynomial();
    for (let column = 0; column < L; column++) {
      const a = rejectionSample(Buffer.concat([rho, Buffer.from([column, row])]));
      for (let at = 0; at < N; at++) sum[at] = (sum[at] + a[at] * zHat[column][at]) % Q;
    }
    const t1 = unpack(key.subarray(32 + row * 320, 32 + (row + 1) * 320), 10);
    const t = ntt(t1.map((value) => value * 8192));
    const w = inverseNtt(sum.map((value, at) => mod(value - ((c[at] * t[at]) % Q))));
    high.push(packHigh(w.map((value, at) => useHint(hints[row][at], value))));
  }
  return shake(256, CHALLENGE, mu, ...high).equals(seed);
}
