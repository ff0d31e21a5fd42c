// The log of statements: its texts, its tree, who signed and cosigned it, and step 5 of verification.

import { base64, hex, sha256, u64, u8, unhex } from './bytes.mjs';
import { encode } from './canonical.mjs';
import { readKey, verifies } from './signatures.mjs';
import { because, demand, malformed } from './verdict.mjs';

const CLOCK_SKEW = 300;
const TYPES = { ed25519: 4, mldsa44: 6 };

// Texts. Whatever does not fit is malformed, for the reason `log`.

const reading = (run) => because('malformed', 'log', run);

function checkText(text) {
  if ([...text].length > 65536 || !text.endsWith('\n')) malformed();
  if (/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text) || !text.isWellFormed()) malformed();
  return text;
}

/** Text before and after the separator; which of several is the caller's to say. */
const cut = (text, at) => {
  if (at < 0) malformed();
  return [text.slice(0, at), text.slice(at + 2)];
};

const linesOf = (text) => text.slice(0, -1).split('\n');

function number(text) {
  const isOne = /^(0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text));
  if (!isOne) malformed();
  return Number(text);
}

function bytes(text, size) {
  const found = base64(text);
  if (found.length === 0 || (size !== undefined && found.length !== size)) malformed();
  return found;
}

function note(text) {
  const [head, tail] = cut(text, checkText(text).lastIndexOf('\n\n'));
  const lines = linesOf(tail);
  if (tail === '' || lines.length > 32) malformed();
  const signatures = lines.map((line) => {
    const match = /^\u2014 ([^ +\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+) ([^ ]+)$/u.exec(line);
    if (match === null) malformed();
    const data = bytes(match[2]);
    if (data.length < 5) malformed();
    return { name: match[1], id: hex(data.subarray(0, 4)), data: data.subarray(4) };
  });
  return { text: `${head}\n`, signatures };
}

function checkpointText(text) {
  const lines = linesOf(checkText(text));
  if (lines.length !== 3 || !/^[a-z0-9][a-z0-9./-]{0,127}$/.test(lines[0])) malformed();
  return { origin: lines[0], size: number(lines[1]), root: bytes(lines[2], 32) };
}

function proofText(text) {
  const [head, rest] = cut(text, checkText(text).indexOf('\n\n'));
  const [title, index, ...path] = head.split('\n');
  if (title !== 'c2sp.org/tlog-proof@v1' || !index?.startsWith('index ') || path.length > 53) malformed();
  const signed = note(rest);
  return {
    ...signed,
    index: number(index.slice('index '.length)),
    path: path.map((line) => bytes(line, 32)),
    log: checkpointText(signed.text),
  };
}

function hashesText(text) {
  const lines = text === '' ? [] : linesOf(checkText(text));
  if (lines.length > 54) malformed();
  return lines.map((line) => bytes(line, 32));
}

const textOf = (data) => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return malformed();
  }
};

export const readNote = (text) => reading(() => note(text));
export const readCheckpoint = (text) => reading(() => checkpointText(text));
export const readLogProof = (text) => reading(() => proofText(text));
/** The text in the slot of a proof file, null if the slot is empty. */
export const readSlot = (slot) => (slot === '' ? null : reading(() => textOf(bytes(slot))));

// The tree, as RFC 9162 walks it.

export const leafHash = (entry) => sha256(u8(0), entry);
const nodeHash = (left, right) => sha256(u8(1), left, right);
const half = (value) => Math.floor(value / 2);
const isOdd = (value) => value % 2 === 1;

function rootOfPath(leaf, index, size, path) {
  demand(index < size, 'failed', 'log-inclusion');
  let [at, last, found] = [index, size - 1, leaf];
  for (const sibling of path) {
    demand(last > 0, 'failed', 'log-inclusion');
    if (isOdd(at) || at === last) {
      found = nodeHash(sibling, found);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      found = nodeHash(found, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  demand(last === 0, 'failed', 'log-inclusion');
  return found;
}

/** The root of the first entries, up to the leaf (or with it), from the hashes that stand to the left of its path. */
function rootOfLeft(leaf, index, size, path, isWithLeaf) {
  let [at, last] = [index, size - 1];
  let found = isWithLeaf ? leaf : null;
  for (const sibling of path) {
    if (isOdd(at) || at === last) {
      found = found === null ? sibling : nodeHash(sibling, found);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    }
    [at, last] = [half(at), half(last)];
  }
  return found;
}

export function checkConsistency(oldSize, oldRoot, size, root, proof) {
  const must = (holds) => demand(holds, 'failed', 'log-consistency');
  must(oldSize > 0 && oldSize <= size && [oldRoot, root, ...proof].every((item) => item.length === 32));
  if (oldSize === size) {
    must(proof.length === 0 && oldRoot.equals(root));
    return;
  }
  let isWhole = oldSize;
  while (!isOdd(isWhole)) isWhole = half(isWhole);
  const [first, ...rest] = isWhole === 1 ? [oldRoot, ...proof] : proof;
  must(first !== undefined);
  let [at, last, before, after] = [oldSize - 1, size - 1, first, first];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  for (const sibling of rest) {
    must(last > 0);
    if (isOdd(at) || at === last) {
      [before, after] = [nodeHash(sibling, before), nodeHash(sibling, after)];
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      after = nodeHash(after, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  must(last === 0 && before.equals(oldRoot) && after.equals(root));
}

// Signatures.

const keyId = (name, type, key) => hex(sha256(`${name}\n`, u8(type), key.bytes).subarray(0, 4));
const short = (text) => Buffer.concat([u8(Buffer.byteLength(text)), Buffer.from(text)]);

function cosigned(kind, name, time, { text, log }) {
  if (kind === 'ed25519') return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
  const parts = [short(name), u64(time), short(log.origin), u64(0), u64(log.size), log.root];
  return Buffer.concat([Buffer.from('subtree/v1\n\0'), ...parts]);
}

/** When this key of a witness cosigned, as often as it did, up to the latest time. */
function timesOf(proof, name, key, latest) {
  const id = keyId(name, TYPES[key.kind], key);
  const found = [];
  for (const line of proof.signatures) {
    if (line.name !== name || line.id !== id || line.data.length < 8) continue;
    const time = line.data.readBigUInt64BE();
    if (time === 0n || time >= 1n << 63n || time > latest) continue;
    if (verifies(key, cosigned(key.kind, name, time, proof), line.data.subarray(8))) found.push(time);
  }
  return found;
}

function checkWitnesses(terms, proof, clock) {
  const counted = terms.witnesses
    .map(({ name, keys }) => keys.map((key) => timesOf(proof, name, readKey(key), BigInt(clock + CLOCK_SKEW))))
    .filter((held) => held.every((times) => times.length > 0));
  demand(counted.length >= terms.witnesses_needed, 'policy', 'witnesses');
}

// Step 5.

export const entryOf = (p, payloadDigest) =>
  encode({
    as_of: p.as_of,
    custodian: p.custodian.id,
    payload_sha256: payloadDigest,
    previous: p.previous,
    sequence: p.sequence,
    snapshot_id: p.snapshot_id,
  });

function checkContinues(last, proof, leaf, consistency) {
  const { log, index, path } = proof;
  const seen = unhex(last.root);
  demand(log.size >= last.size, 'policy', 'rollback');
  if (log.size === last.size) {
    demand(log.root.equals(seen), 'failed', 'log-fork');
  } else if (last.size === index || last.size === index + 1) {
    const told = rootOfLeft(leaf, index, log.size, path, last.size === index + 1);
    demand(told.equals(seen), 'failed', 'log-fork');
  } else {
    demand(consistency !== null, 'policy', 'consistency-needed');
    const hashes = reading(() => hashesText(consistency));
    checkConsistency(last.size, seen, log.size, log.root, hashes);
  }
}

/** `text` is the log proof, null if there is none; `last` the log that was seen last, or null. */
export function checkLog(terms, p, payloadDigest, { text, consistency, clock, last }) {
  demand(text !== null, 'policy', 'publication');
  const proof = readLogProof(text);
  demand(p.logs.includes(terms.origin), 'policy', 'publication');
  demand(proof.log.origin === terms.origin, 'failed', 'log-origin');
  const key = readKey(terms.key);
  const own = proof.signatures.filter(({ name, id }) => name === terms.origin && id === keyId(terms.origin, 1, key));
  const isSigned = own.some(({ data }) => verifies(key, Buffer.from(proof.text), data));
  demand(isSigned, 'failed', 'log-signature');
  demand(proof.index === p.sequence && proof.log.size > proof.index, 'failed', 'log-index');
  const leaf = leafHash(entryOf(p, payloadDigest));
  const found = rootOfPath(leaf, proof.index, proof.log.size, proof.path);
  demand(found.equals(proof.log.root), 'failed', 'log-inclusion');
  checkWitnesses(terms, proof, clock);
  if (last !== null && last.origin === proof.log.origin) checkContinues(last, proof, leaf, consistency);
}
