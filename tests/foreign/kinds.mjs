// One judge for each kind of vector: from the vector to an outcome {class, reason, step, ...what was computed}.

import { createHash } from 'node:crypto';
import { typedAmount, amount, compareTyped } from './amounts.mjs';
import { hex, sha256, u128, unhex } from './bytes.mjs';
import { parse } from './canonical.mjs';
import { challengeOf, claimOf } from './challenge.mjs';
import { verifyClient } from './client.mjs';
import { checkConsistency, entryOf, leafHash, readCheckpoint, readLogProof, readNote } from './log.mjs';
import * as name from './names.mjs';
import { fingerprint, readPolicy } from './policy.mjs';
import { verifyPublic } from './public.mjs';
import { accepts } from './shape.mjs';
import { readPredicate } from './statement.mjs';
import { build, clientHolder, lineDetails, positionHolder, treeId } from './tree.mjs';
import { demand, step } from './verdict.mjs';

const bytesOf = (text) => Buffer.from(text, 'utf8');

function tree({ input, expect }) {
  const id = treeId(input.kind, input.side, input.custodian, input.snapshot, input.pool, input.asset);
  const leaves = input.leaves.map((leaf) => ({
    holder: unhex(leaf.holder), details: unhex(leaf.details), sum: amount(leaf.sum),
  }));
  const built = build(id, unhex(input.tree_key), input.min_depth, leaves);
  const paths = (expect.paths ?? []).map(({ index }) => {
    const leaf = built.leaves[index];
    const path = built.path(index).map((node) => [hex(node.digest), String(node.sum)]);
    return { blind: hex(leaf.blind), digest: hex(leaf.digest), holder: hex(leaf.holder), index, path };
  });
  return {
    tree_id: hex(id),
    depth: built.depth,
    root: hex(built.root),
    total: String(built.total),
    order: built.leaves.map((leaf) => hex(leaf.holder)),
    paths,
  };
}

function rollOver(minDepth, most, at) {
  const id = treeId(1, 'L', 'roll', 'roll', 'roll', 'ROLL');
  const key = Buffer.alloc(32, 0x2a);
  const [roots, paths] = [createHash('sha256'), createHash('sha256')];
  const leaves = [];
  const seen = [];
  for (let n = 0; n <= most; n++) {
    if (n > 0) {
      const [holder, details, sum] = ['holder', 'details', 'sum'].map((word) => sha256(`${word} ${n - 1}`));
      leaves.push({ holder, details, sum: sum.readBigUInt64BE() });
    }
    const built = build(id, key, minDepth, leaves);
    roots.update(built.root);
    for (let index = 0; index < n; index++) {
      for (const node of built.path(index)) paths.update(node.digest).update(u128(node.sum));
    }
    const digests = { paths: paths.copy().digest('hex'), roots: roots.copy().digest('hex') };
    if (at.includes(n)) seen.push({ n, root: hex(built.root), ...digests });
    if (n === most) return { at: seen, min_depth: minDepth, ...digests };
  }
  return null;
}

function rolling({ input, expect }) {
  const runs = expect.runs.map((run, index) =>
    rollOver(input.min_depths[index], input.n[1], run.at.map((item) => item.n)),
  );
  return { runs };
}

function holder({ input }) {
  if (input.side === 'R') {
    demand(accepts(name.account, input.account) && accepts(name.form, input.form), 'usage', 'input');
    return { holder: hex(positionHolder(input.account, input.form)) };
  }
  const isGood = accepts(name.clientId, input.client_id) && accepts(name.clientCode, input.client_code);
  demand(isGood, 'usage', 'input');
  return { holder: hex(clientHolder(input.client_id, input.client_code)) };
}

function details({ input }) {
  const found = lineDetails(input.buckets);
  return { details: hex(found.details), sum: String(found.sum) };
}

const readState = (state) => (state === '' ? null : state);
const readBundle = (bundle) => new Map(Object.entries(bundle).map(([key, text]) => [key, bytesOf(text)]));

function client(vector) {
  const files = readBundle(vector.bundle);
  const policy = step(1, () => readPolicy(bytesOf(vector.policy)));
  verifyClient({
    proofBytes: 'proof_hex' in vector ? unhex(vector.proof_hex) : bytesOf(vector.proof),
    statementBytes: vector.statement === '' ? null : bytesOf(vector.statement),
    files: files.size === 0 ? null : files,
    policy,
    claims: vector.claims,
    clock: name.seconds(vector.at),
    last: readState(vector.state),
    consistency: vector.consistency ?? null,
  });
  return { step: 0 };
}

function publicCase(vector) {
  const policy = step(1, () => readPolicy(bytesOf(vector.policy)));
  const [clock, last] = [name.seconds(vector.at), readState(vector.state)];
  const log = { text: vector.log_proof ?? null, consistency: null, clock, last: last?.log ?? null };
  verifyPublic({ files: readBundle(vector.bundle), policy, clock, last, log });
  return { step: 0 };
}

function logEntry({ input }) {
  const payload = bytesOf(input.payload);
  const entry = entryOf(parse(payload).predicate, hex(sha256(payload)));
  return { entry: entry.toString(), leaf: hex(leafHash(entry)) };
}

function checkpoint({ input }) {
  const { text, signatures } = readNote(input.text);
  const log = readCheckpoint(text);
  return { ...log, root: hex(log.root), names: signatures.map((line) => line.name) };
}

function logProof({ input }) {
  const { index, path } = readLogProof(input.text);
  return { index, path: path.map(hex) };
}

function logConsistency({ input }) {
  const { old_size: oldSize, old_root: oldRoot, size, root, proof } = input;
  checkConsistency(oldSize, unhex(oldRoot), size, unhex(root), proof.map(unhex));
  return {};
}

export const JUDGES = {
  'amount-compare': ({ input }) => {
    compareTyped(input.text, input.decimals, BigInt(input.amount), 'amount-differs');
    return {};
  },
  'canonical-json': ({ input }) => {
    parse(unhex(input.hex));
    return {};
  },
  checkpoint,
  'log-consistency': logConsistency,
  'log-entry': logEntry,
  'log-proof': logProof,
  challenge: ({ input }) => challengeOf(input),
  claim: ({ input }) => ({ claim: claimOf(readPredicate(bytesOf(input.predicate))) }),
  client,
  holder,
  'line-details': details,
  policy: ({ input }) => ({ fingerprint: fingerprint(readPolicy(bytesOf(input.toml))) }),
  public: publicCase,
  rolling,
  tree,
  'typed-amount': ({ input }) => ({ amount: String(typedAmount(input.text, input.decimals).value) }),
};

