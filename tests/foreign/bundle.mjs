// Steps 6 to 9 of `public`: the files of a bundle, its register, the evidence, and the trees rebuilt.

import { convertDown, total } from './amounts.mjs';
import { hex, sha256 } from './bytes.mjs';
import { parse } from './canonical.mjs';
import * as name from './names.mjs';
import { controlShape, observationShape, registerShape, sumHolds } from './register.mjs';
import { ascending, exactly, integer, object } from './shape.mjs';
import { cellsOf, findAsset, findCell } from './statement.mjs';
import { build, positionDetails, positionHolder, publicKey, treeId } from './tree.mjs';
import { because, demand, fail } from './verdict.mjs';

const OWN = ['statement.json', 'manifest.json'];

const manifestShape = object({
  format: exactly(1),
  files: ascending(
    object({ name: name.fileName, sha256: name.digest, size: integer(0) }), (item) => [item.name],
  ),
});

const digestOf = (bytes) => hex(sha256(bytes));

/** `files` is a Map from name to bytes. */
export function checkFiles(files, manifestDigest) {
  const manifestBytes = files.get('manifest.json');
  demand(manifestBytes, 'malformed', 'file-missing');
  demand(digestOf(manifestBytes) === manifestDigest, 'failed', 'manifest-differs');
  const named = because('malformed', 'manifest', () => {
    const manifest = parse(manifestBytes);
    manifestShape(manifest);
    demand(manifest.files.every((file) => !OWN.includes(file.name)), 'malformed', 'manifest');
    return manifest.files;
  });
  const isNamed = new Set(named.map((file) => file.name));
  demand(isNamed.has('register.json'), 'malformed', 'file-missing');
  for (const file of named) demand(files.has(file.name), 'malformed', 'file-missing');
  for (const file of files.keys()) demand(isNamed.has(file) || OWN.includes(file), 'malformed', 'file-unknown');
  for (const file of named) {
    const bytes = files.get(file.name);
    demand(bytes.length === file.size && digestOf(bytes) === file.sha256, 'failed', 'file-differs');
  }
}

/** A form counts as the asset only if the registry lists it; on a chain it is a form of that chain. */
export function isListed(p, poolName, asset, { account, form }) {
  const chain = name.chainOf(account);
  if (chain !== '' && form.split('/')[0] !== chain) return false;
  if (!findCell(p, poolName, asset)) return false;
  return findAsset(p, asset).forms.some((item) => item.form === form);
}

export function readRegister(files, p) {
  const register = because('malformed', 'register', () => {
    const value = parse(files.get('register.json'));
    registerShape(value);
    return value;
  });
  const poolOf = new Map();
  const seen = new Set();
  for (const { pool, asset, position } of register.positions) {
    const isPublic = findCell(p, pool, asset)?.reserves.register === 'public';
    demand(isPublic && isListed(p, pool, asset, position), 'failed', 'cell-unknown');
  }
  for (const { pool, position } of register.positions) {
    const { account, form } = position;
    const key = `${account} ${form}`;
    demand(!seen.has(key) && (poolOf.get(account) ?? pool) === pool, 'failed', 'position-twice');
    seen.add(key);
    poolOf.set(account, pool);
  }
  return register.positions;
}

/** The class that a control file gives. Only letters are known here: what a wallet signed is not. */
function controlClass(position, control) {
  if (control === null) return 'DECLARED_ONLY';
  const { date, issuer, sha256: letterDigest } = control.letter;
  const isLetter = control.scheme === 'letter' && position.account.startsWith('ref:');
  if (!isLetter || !date || !issuer || !letterDigest) fail('failed', 'control');
  return 'CUSTODIAN_CONFIRMATION';
}

function checkObservation(p, asset, position, observation) {
  const must = (condition) => demand(condition, 'failed', 'observation');
  if (observation === null) {
    for (const member of ['observed', 'encumbered', 'counted', 'excluded']) must(position[member] === '0');
    return;
  }
  const registered = findAsset(p, asset);
  const form = registered.forms.find((item) => item.form === position.form);
  const found = convertDown(BigInt(observation.quantity), form.decimals, registered.decimals);
  must(found === BigInt(position.observed));
  const chain = name.chainOf(position.account);
  if (chain === '') must(observation.hash === '' && observation.height === 0);
  const anchor = p.anchors.find((item) => item.chain === chain);
  if (anchor) must(['hash', 'height', 'time'].every((member) => observation[member] === anchor[member]));
}

export function checkEvidence(files, positions, p) {
  const read = (digest, shape) => {
    if (digest === '') return null;
    const bytes = files.get(`evidence/${digest}.json`);
    demand(bytes && digestOf(bytes) === digest, 'malformed', 'evidence');
    const value = parse(bytes);
    shape(value);
    return value;
  };
  const evidence = because('malformed', 'evidence', () =>
    positions.map(({ position }) => ({
      control: read(position.control, controlShape),
      observation: read(position.observation, observationShape),
    })),
  );
  const wanted = new Set(positions.flatMap(({ position }) => [position.control, position.observation]));
  for (const file of files.keys()) {
    if (!file.startsWith('evidence/')) continue;
    demand(wanted.has(file.slice('evidence/'.length, -'.json'.length)), 'malformed', 'evidence');
  }
  positions.forEach(({ asset, position }, at) => {
    const { control, observation } = evidence[at];
    if (control) demand(control.account === position.account, 'failed', 'evidence-differs');
    if (observation) {
      const names = observation.account === position.account && observation.form === position.form;
      demand(names, 'failed', 'evidence-differs');
    }
    demand(controlClass(position, control) === position.class, 'failed', 'control');
    if (position.class === 'DECLARED_ONLY') demand(position.counted === '0', 'failed', 'control');
    checkObservation(p, asset, position, observation);
    demand(sumHolds(position), 'failed', 'position-sum');
  });
}

const sumOf = (positions, member) => total(positions.map((position) => position[member]));

export function checkTrees(allPositions, p) {
  for (const { pool, asset, reserves } of cellsOf(p)) {
    if (reserves.register !== 'public') continue;
    const positions = allPositions
      .filter((item) => item.pool === pool.pool && item.asset === asset)
      .map((item) => item.position);
    const id = treeId(reserves.kind, 'R', p.custodian.id, p.snapshot_id, pool.pool, asset);
    const leaves = positions.map((position) => ({
      holder: positionHolder(position.account, position.form),
      details: positionDetails(position),
      sum: BigInt(position.counted),
    }));
    const tree = build(id, publicKey(id), reserves.depth, leaves);
    demand(tree.depth === reserves.depth && hex(tree.root) === reserves.root, 'failed', 'root-differs');
    demand(tree.total === BigInt(reserves.total), 'failed', 'total-differs');
    const byClass = new Map();
    for (const { class: cls, counted } of positions) {
      if (counted !== '0') byClass.set(cls, (byClass.get(cls) ?? 0n) + BigInt(counted));
    }
    const isSplit = reserves.by_class.every((entry) => byClass.get(entry.class) === BigInt(entry.amount));
    demand(isSplit && byClass.size === reserves.by_class.length, 'failed', 'by-class');
    demand(sumOf(positions, 'encumbered') === BigInt(reserves.encumbered), 'failed', 'encumbered');
    demand(sumOf(positions, 'excluded') === BigInt(reserves.excluded), 'failed', 'excluded');
  }
}
