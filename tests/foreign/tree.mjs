// Sum tree: names, leaves, ties, the tree over them, and the fold of one path.

import { amount, LIMIT, total } from './amounts.mjs';
import { H, hex, hmac, lp, sha256, T, u128, u64, u8, unhex } from './bytes.mjs';
import { encode } from './canonical.mjs';
import { demand, malformed } from './verdict.mjs';

const MAX_DEPTH = 48;

export const treeId = (kind, side, custodian, snapshot, pool, asset) =>
  H('tree', u8(kind), side, lp(custodian), lp(snapshot), lp(pool), lp(asset));
export const publicKey = (id) => H('public', id);

export const clientHolder = (id, code) => H('client', lp(id), lp(code));
export const positionHolder = (account, form) => H('position', lp(account), lp(form));
export const positionDetails = (position) => H('position-details', encode(position));
export const tie = (blind, clientLeafHolder) => H('tie', blind, clientLeafHolder);

/** Details and sum of a line; codes ascend from 1 to 10. */
export function lineDetails(buckets) {
  if (!Array.isArray(buckets) || buckets.length < 1 || buckets.length > 10) malformed();
  let last = 0;
  const parts = [u8(buckets.length)];
  for (const { bucket, credit, debit } of buckets) {
    if (!Number.isInteger(bucket) || bucket <= last || bucket > 10) malformed();
    last = bucket;
    parts.push(u8(bucket), u128(amount(credit)), u128(amount(debit)));
  }
  const sum = total(buckets.map((entry) => entry.credit));
  demand(sum < LIMIT, 'failed', 'sum');
  return { details: H('line', ...parts), sum };
}

const leafBlind = (key, holder) => hmac(key, u8(0), holder);
const leafDigest = (id, blind, leaf) => H('leaf', id, blind, leaf.holder, leaf.details, u128(leaf.sum));
const pad = (key, level, index) => ({ digest: hmac(key, u8(1), u8(level), u64(index)), sum: 0n });
const rootOf = (id, depth, top) => sha256(T('root'), id, u8(depth), top.digest, u128(top.sum));

function join(id, level, left, right) {
  const sum = left.sum + right.sum;
  demand(sum < LIMIT, 'failed', 'sum');
  return { digest: H('node', id, u8(level), left.digest, u128(left.sum), right.digest, u128(right.sum)), sum };
}

const bitLength = (number) => (number === 0 ? 0 : 32 - Math.clz32(number));

/** The tree of leaves {holder, details, sum}; `path(index)` gives siblings from the leaf upwards. */
export function build(id, key, minDepth, leaves) {
  const holders = new Set(leaves.map((leaf) => hex(leaf.holder)));
  demand(holders.size === leaves.length, 'failed', 'holder-twice');
  const depth = Math.max(minDepth, leaves.length <= 1 ? 0 : bitLength(leaves.length - 1));
  demand(depth <= MAX_DEPTH, 'failed', 'depth');
  const ranked = leaves.map((leaf) => {
    const blind = leafBlind(key, leaf.holder);
    return { ...leaf, blind, digest: leafDigest(id, blind, leaf) };
  });
  ranked.sort((a, b) => Buffer.compare(a.digest, b.digest));
  const levels = [ranked];
  for (let level = 1; level <= depth && ranked.length > 0; level++) {
    const below = levels[level - 1];
    if (below.length % 2 === 1) below.push(pad(key, level - 1, below.length));
    const row = [];
    for (let at = 0; at < below.length; at += 2) row.push(join(id, level, below[at], below[at + 1]));
    levels.push(row);
  }
  const top = ranked.length > 0 ? levels[depth][0] : pad(key, depth, 0);
  const path = (index) => levels.slice(0, depth).map((row, level) => row[Math.floor(index / 2 ** level) ^ 1]);
  return { depth, leaves: ranked.slice(0, leaves.length), path, root: rootOf(id, depth, top), total: top.sum };
}

/** Step 8: the root and the total that a leaf and its path lead to. */
export function fold(id, depth, { blind, index, path }, leaf) {
  if (path.length !== depth) malformed('path-length');
  if (index >= 2 ** depth) malformed('index');
  let node = { digest: leafDigest(id, blind, leaf), sum: leaf.sum };
  path.forEach(([digest, sum], level) => {
    const sibling = { digest: unhex(digest), sum: BigInt(sum) };
    const isRight = Math.floor(index / 2 ** level) % 2 === 1;
    node = isRight ? join(id, level + 1, sibling, node) : join(id, level + 1, node, sibling);
  });
  return { root: rootOf(id, depth, node), total: node.sum };
}
