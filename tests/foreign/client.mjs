// The twelve steps of a client. Step 12, what was not checked, is for people and not judged here.

import { LIMIT, compareTyped, total } from './amounts.mjs';
import { hex, unhex } from './bytes.mjs';
import { checkEvidence, checkFiles, checkTrees, isListed, readRegister } from './bundle.mjs';
import { parse } from './canonical.mjs';
import { readSlot } from './log.mjs';
import * as name from './names.mjs';
import { hasQuorum } from './policy.mjs';
import { readProof } from './proof.mjs';
import { isAtLeast, sumHolds } from './register.mjs';
import { accepts } from './shape.mjs';
import { cellsOf, failsBlocking, findAsset, findCell, readEnvelope } from './statement.mjs';
import { checkAssurance, checkCovered, checkPublication, checkSequence, checkStatement } from './steps.mjs';
import { clientHolder, fold, lineDetails, positionDetails, positionHolder, tie, treeId } from './tree.mjs';
import { demand, malformed, step } from './verdict.mjs';

const BOUND_BUCKETS = [4, 5, 8, 9];

function checkClaims(claims) {
  const must = (check, value) => demand(accepts(check, value), 'usage', 'input');
  must(name.clientId, claims.client_id);
  must(name.clientCode, claims.client_code);
  claims.dedicated.forEach((account) => must(name.account, account));
  must(name.digestOrEmpty, claims.digest);
  for (const { pool, asset } of claims.balances) {
    if (pool !== '') must(name.pool, pool);
    must(name.assetId, asset);
  }
}

function readBundleStatement(files) {
  if (!files.has('statement.json')) malformed('file-missing');
  return readEnvelope(parse(files.get('statement.json')));
}

/** One envelope, of those inside and beside or else in the bundle, with all their signatures. */
function readFiles({ proofBytes, statementBytes, files }) {
  const proof = readProof(proofBytes);
  const given = [];
  if ('envelope' in proof) given.push(readEnvelope(proof.envelope));
  if (statementBytes !== null) given.push(readEnvelope(parse(statementBytes)));
  if (given.length === 0 && files !== null) given.push(readBundleStatement(files));
  demand(given.length > 0, 'usage', 'no-statement');
  const [first] = given;
  for (const other of given) demand(other.payload.equals(first.payload), 'failed', 'statement-differs');
  return { proof, envelope: { ...first, signatures: given.flatMap((item) => item.signatures) } };
}

const isNothing = ({ amount, debit }) => [amount, debit || '0'].every((text) => /^0(\.0{1,30})?$/.test(text));

/** Each balance that is stated and has a line, by 'pool asset'. */
function findStated(claims, p, lines) {
  demand(claims.balances.length > 0, 'usage', 'no-balance');
  const stated = new Map();
  for (const balance of claims.balances) {
    let { pool } = balance;
    if (pool === '') {
      const pools = cellsOf(p).filter((cell) => cell.asset === balance.asset);
      demand(pools.length <= 1, 'usage', 'pool-needed');
      if (pools.length === 1) pool = pools[0].pool.pool;
    }
    const key = `${pool} ${balance.asset}`;
    demand(!stated.has(key), 'usage', 'stated-twice');
    stated.set(key, balance);
  }
  const keys = new Set(lines.map((line) => line.key));
  for (const [key, balance] of stated) {
    if (keys.has(key)) continue;
    demand(isNothing(balance), 'failed', 'line-missing');
    stated.delete(key);
  }
  demand(stated.size > 0, 'failed', 'line-missing');
  for (const line of lines) demand(line.cell, 'failed', 'cell-unknown');
  for (const line of lines) {
    const isZero = line.buckets.every((entry) => entry.credit === '0' && entry.debit === '0');
    demand(stated.has(line.key) || isZero, 'failed', 'unstated-line');
  }
  return stated;
}

function checkLine(line, balance, p) {
  if (line.cell.pool.term === 'free') {
    const isBound = line.buckets.some((entry) => BOUND_BUCKETS.includes(entry.bucket));
    demand(!isBound, 'failed', 'bound-bucket');
  }
  const credits = total(line.buckets.map((entry) => entry.credit));
  const debits = total(line.buckets.map((entry) => entry.debit));
  demand(credits < LIMIT && debits < LIMIT, 'failed', 'sum');
  if (!balance) return;
  const { decimals } = findAsset(p, line.asset);
  compareTyped(balance.amount, decimals, credits, 'amount-differs');
  if (balance.debit === '') demand(debits === 0n, 'failed', 'debit-differs');
  else compareTyped(balance.debit, decimals, debits, 'debit-differs');
}

function foldIn(p, item, side, tree, holder, { details, sum }) {
  const id = treeId(tree.kind, side, p.custodian.id, p.snapshot_id, item.pool, item.asset);
  return fold(id, tree.depth, { ...item, blind: unhex(item.blind) }, { holder, details, sum });
}

function compareTree(folded, tree) {
  demand(folded.total === BigInt(tree.total), 'failed', 'total-differs');
  demand(hex(folded.root) === tree.root, 'failed', 'root-differs');
}

function checkReserves(policy, p, envelope, files, lines, stated) {
  const cells = lines.filter((line) => stated.has(line.key)).map((line) => line.cell);
  checkCovered(cells);
  checkAssurance(policy, cells);
  const pools = new Set(['', ...cells.map((cell) => cell.pool.pool)]);
  const isFailing = p.rules.some((rule) => pools.has(rule.pool) && failsBlocking(rule));
  demand(!isFailing, 'failed', 'rule-fails');
  if (policy.reserves === 'register') {
    demand(files !== null, 'policy', 'register-needed');
    demand(cells.every((cell) => cell.reserves.register === 'public'), 'policy', 'register-needed');
  }
  if (files !== null) {
    demand(readBundleStatement(files).payload.equals(envelope.payload), 'failed', 'statement-differs');
    checkFiles(files, envelope.manifestDigest);
    const positions = readRegister(files, p);
    checkEvidence(files, positions, p);
    checkTrees(positions, p);
  }
}

function checkDedicated(policy, p, claims, holder, entries, lines) {
  const inFile = new Set(entries.map((entry) => entry.position.account));
  for (const account of claims.dedicated) demand(inFile.has(account), 'failed', 'dedicated-missing');
  for (const account of inFile) demand(claims.dedicated.includes(account), 'failed', 'dedicated-unknown');
  const names = entries.map(({ position }) => `${position.account} ${position.form}`);
  demand(new Set(names).size === names.length, 'failed', 'dedicated-twice');
  for (const { pool, asset, position } of entries) {
    demand(isListed(p, pool, asset, position), 'failed', 'cell-unknown');
  }
  for (const { position } of entries) demand(position.segregation === 'dedicated', 'failed', 'not-dedicated');
  for (const { position } of entries) demand(sumHolds(position), 'failed', 'position-sum');
  for (const { position } of entries) {
    demand(position.class !== 'DECLARED_ONLY' || position.counted === '0', 'failed', 'declared-only');
  }
  for (const { position } of entries) {
    const isShown = position.control !== '' && position.observation !== '';
    demand(isShown || position.counted === '0', 'failed', 'evidence-missing');
  }
  for (const { position } of entries) {
    const isStrong = isAtLeast(position.class, policy.least_assurance);
    demand(isStrong || position.counted === '0', 'policy', 'assurance');
  }
  for (const { position, tie_blind: blind } of entries) {
    demand(hex(tie(unhex(blind), holder)) === position.client_tie, 'failed', 'tie-differs');
  }
  const folded = entries.map((entry) => {
    const { reserves } = findCell(p, entry.pool, entry.asset);
    const { position } = entry;
    const leaf = { details: positionDetails(position), sum: BigInt(position.counted) };
    return [foldIn(p, entry, 'R', reserves, positionHolder(position.account, position.form), leaf), reserves];
  });
  for (const [result, reserves] of folded) compareTree(result, reserves);
  const owed = lines.filter((line) => line.cell.pool.model === 'dedicated').map((line) => line.key);
  for (const key of new Set([...entries.map((entry) => `${entry.pool} ${entry.asset}`), ...owed])) {
    const own = entries.filter((entry) => `${entry.pool} ${entry.asset}` === key);
    const counted = total(own.map((entry) => entry.position.counted));
    const buckets = lines.find((line) => line.key === key)?.buckets ?? [];
    demand(counted >= total(buckets.map((entry) => entry.credit)), 'failed', 'dedicated-below');
  }
}

export function verifyClient(reader) {
  const { proofBytes, statementBytes, files, policy, claims: typed, clock, last, consistency } = reader;
  const claims = { ...typed, dedicated: typed.dedicated.map(name.typedAccount) };
  const { proof, envelope } = step(1, () => {
    checkClaims(claims);
    return readFiles({ proofBytes, statementBytes, files });
  });
  const p = envelope.predicate;
  step(2, () => {
    demand(proof.statement_sha256 === envelope.payloadDigest, 'failed', 'statement-differs');
    demand(hasQuorum(policy, envelope, p.sequence), 'policy', 'quorum');
  });
  step(3, () => checkStatement(policy, p, clock));
  step(4, () => checkSequence(policy, p, envelope.payloadDigest, last));
  const given = () => ({ text: readSlot(proof.log), consistency, clock, last: last?.log ?? null });
  step(5, () => checkPublication(policy, p, envelope.payloadDigest, claims.digest, true, given));
  const lines = proof.lines.map((line) => ({
    ...line, key: `${line.pool} ${line.asset}`, cell: findCell(p, line.pool, line.asset),
  }));
  const stated = step(6, () => findStated(claims, p, lines));
  step(7, () => lines.forEach((line) => checkLine(line, stated.get(line.key), p)));
  const holder = clientHolder(claims.client_id, claims.client_code);
  const folded = step(8, () =>
    lines.map((line) => foldIn(p, line, 'L', line.cell.liabilities, holder, lineDetails(line.buckets))),
  );
  step(9, () => folded.forEach((result, at) => compareTree(result, lines[at].cell.liabilities)));
  step(10, () => checkReserves(policy, p, envelope, files, lines, stated));
  step(11, () => checkDedicated(policy, p, claims, holder, proof.positions, lines));
}

