// Statement 4 to 8: what a key is, what is signed, and whether a key verifies a signature.

import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { unhex } from './bytes.mjs';
import * as ed25519 from './ed25519.mjs';
import * as mldsa44 from './mldsa44.mjs';
import * as p256 from './p256.mjs';
import { malformed } from './verdict.mjs';

const SIZES = { ed25519: 32, p256: 33, mldsa44: mldsa44.KEY_BYTES };
const ED25519_INFO = Buffer.from('302a300506032b6570032100', 'hex');
const publicKey = (der) => createPublicKey({ key: der, format: 'der', type: 'spki' });

export function readKey(text) {
  const match = typeof text === 'string' && /^(ed25519|p256|mldsa44):([0-9a-f]+)$/.exec(text);
  if (!match || match[2].length !== 2 * SIZES[match[1]]) malformed();
  const key = { kind: match[1], bytes: unhex(match[2]) };
  if (key.kind === 'ed25519' && !ed25519.isGoodKey(key.bytes)) malformed();
  if (key.kind === 'p256' && !p256.isGoodKey(key.bytes)) malformed();
  return key;
}

/** DSSE v1 encoding of what is signed. */
export const signedBytes = (type, payload) =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `, 'utf8'), payload]);

export function verifies(key, message, signature) {
  if (key.kind === 'mldsa44') return mldsa44.verify(key.bytes, message, signature);
  if (key.kind === 'ed25519') {
    if (!ed25519.isGoodSignature(signature)) return false;
    return nodeVerify(null, message, publicKey(Buffer.concat([ED25519_INFO, key.bytes])), signature);
  }
  const raw = p256.fromDer(signature);
  if (raw === null) return false;
  return nodeVerify('sha256', message, { key: publicKey(p256.keyInfo(key.bytes)), dsaEncoding: 'ieee-p1363' }, raw);
}
