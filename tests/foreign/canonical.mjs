// Conventions 10 to 15: canonical JSON, read from bytes and written to text.
// Objects have no prototype, so that no key is special.

import { compareText } from './bytes.mjs';
import { malformed } from './verdict.mjs';

const LEVELS = 24;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function parse(bytes) {
  let at = 0;

  const take = (byte) => {
    if (bytes[at] !== byte) malformed();
    at++;
  };

  function string() {
    take(0x22);
    const out = [];
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || byte < 0x20 || byte === 0x7f) malformed();
      if (byte === 0x22) break;
      if (byte === 0x5c) {
        const escaped = bytes[at++];
        if (escaped !== 0x22 && escaped !== 0x5c) malformed();
        out.push(escaped);
      } else {
        out.push(byte);
      }
    }
    let text;
    try {
      text = decoder.decode(Uint8Array.from(out));
    } catch {
      malformed();
    }
    if (/[\u0080-\u009f]/u.test(text)) malformed();
    return text;
  }

  function integer() {
    const from = at;
    while (bytes[at] >= 0x30 && bytes[at] <= 0x39) at++;
    const digits = Buffer.from(bytes.subarray(from, at)).toString('latin1');
    if (!/^(0|[1-9][0-9]{0,15})$/.test(digits) || !Number.isSafeInteger(Number(digits))) malformed();
    return Number(digits);
  }

  function array(level) {
    take(0x5b);
    const out = [];
    if (bytes[at] === 0x5d) {
      at++;
      return out;
    }
    for (;;) {
      out.push(value(level + 1));
      if (bytes[at] === 0x5d) break;
      take(0x2c);
    }
    at++;
    return out;
  }

  function object(level) {
    take(0x7b);
    const out = Object.create(null);
    if (bytes[at] === 0x7d) {
      at++;
      return out;
    }
    let last = '';
    for (;;) {
      const key = string();
      if (!/^[ -~]{1,128}$/.test(key) || compareText(last, key) >= 0) malformed();
      last = key;
      take(0x3a);
      out[key] = value(level + 1);
      if (bytes[at] === 0x7d) break;
      take(0x2c);
    }
    at++;
    return out;
  }

  function value(level) {
    const byte = bytes[at];
    if (byte === 0x22) return string();
    if (byte >= 0x30 && byte <= 0x39) return integer();
    if (level > LEVELS) malformed();
    if (byte === 0x5b) return array(level);
    if (byte === 0x7b) return object(level);
    return malformed();
  }

  const result = value(1);
  if (at !== bytes.length) malformed();
  if (!Buffer.from(encode(result), 'utf8').equals(Buffer.from(bytes))) malformed();
  return result;
}

const quote = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;

export function encode(value) {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`;
  const keys = Object.keys(value).sort(compareText);
  return `{${keys.map((key) => `${quote(key)}:${encode(value[key])}`).join(',')}}`;
}
