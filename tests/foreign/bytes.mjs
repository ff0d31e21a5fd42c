// Conventions 1 to 4: hashes, tags, and how numbers and strings become bytes.

import { createHash, createHmac } from 'node:crypto';
import { malformed } from './verdict.mjs';

export const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const tags = new Map();
export function T(name) {
  if (!tags.has(name)) tags.set(name, sha256('reserveproof/v1/', name));
  return tags.get(name);
}

/** H with the tag in front that every preimage has. */
export const H = (tag, ...parts) => sha256(T(tag), ...parts);

export function hmac(key, ...parts) {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function uint(value, size) {
  const out = Buffer.alloc(size);
  let rest = BigInt(value);
  for (let at = size - 1; at >= 0; at--, rest >>= 8n) out[at] = Number(rest & 255n);
  if (rest !== 0n) throw new RangeError('integer does not fit');
  return out;
}
export const u8 = (value) => uint(value, 1);
const u32 = (value) => uint(value, 4);
export const u64 = (value) => uint(value, 8);
export const u128 = (value) => uint(value, 16);

export const lp = (text) => {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([u32(bytes.length), bytes]);
};

export const unhex = (text) => Buffer.from(text, 'hex');
export const hex = (bytes) => Buffer.from(bytes).toString('hex');

/** Standard base64 with padding that encodes to itself again. */
export function base64(text) {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) malformed();
  return bytes;
}

/** Order of strings is by their UTF-8 bytes, which is not JavaScript's own. */
export const compareText = (a, b) => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** The first 5 * count bits in base32. */
export function base32(bytes, count) {
  let out = '';
  for (let at = 0; at < count; at++) {
    let value = 0;
    for (let bit = at * 5; bit < at * 5 + 5; bit++) value = value * 2 + ((bytes[bit >> 3] >> (7 - (bit & 7))) & 1);
    out += ALPHABET[value];
  }
  return out;
}
