// Statement and envelope: their shape (statement 1 to 3 and 9 to 11), structure (13) and verdict (14).

import { total } from './amounts.mjs';
import { base64, sha256 } from './bytes.mjs';
import { parse } from './canonical.mjs';
import * as name from './names.mjs';
import { CLASSES } from './register.mjs';
import {
  amount, array, ascending, bytes64, either, empty, exactly, integer, object, table, text, word,
} from './shape.mjs';
import { demand } from './verdict.mjs';

const PAYLOAD_BYTES = 4 << 20;
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const label = text(0, 200);
const prose = text(0, 2000);
const scale = integer(0, 30);
const by = (...keys) => (item) => keys.map((key) => item[key]);

const side = { depth: integer(0, 255), kind: integer(1, 255), root: name.digest, total: amount };

const cell = object({
  asset: name.assetId,
  liabilities: object(side),
  reserves: object({
    ...side,
    by_class: ascending(object({ amount, class: word(...CLASSES) }), by('class')),
    encumbered: amount,
    excluded: amount,
    register: word('public', 'blinded'),
  }),
});

const pool = object({
  pool: name.pool,
  legal_form: word(
    'express_trust', 'statutory_trust', 'bailment', 'bankruptcy_remote_entity', 'agency_fbo', 'contract_only',
  ),
  law: label,
  trustee: label,
  model: word('omnibus', 'dedicated', 'mixed'),
  term: word('free', 'bound'),
  residue_bps: integer(0, 10000),
  profiles: ascending(name.slug, (item) => [item], 1, 16),
  assets: ascending(cell, by('asset'), 1, 1024),
});

const house = object({
  account: name.account,
  asset: name.assetId,
  class: word('house', 'affiliate', 'issuer_reserve', 'guarantee', 'shortfall_cover', 'unattributed'),
  form: name.form,
  observed: amount,
});

const predicateShape = object({
  version: exactly(1),
  custodian: object({
    id: name.custodianId, name: text(1, 200), lei: name.lei, jurisdiction: label, licence: label,
  }),
  client_id_hint: label,
  snapshot_id: name.snapshotId,
  sequence: integer(0),
  previous: name.digestOrEmpty,
  corrects: object({ payload_sha256: name.digestOrEmpty, reason: prose }),
  as_of: name.time,
  issued_at: name.time,
  valid_until: name.time,
  claim_expires: name.time,
  anchors: ascending(
    object({ chain: name.chain, hash: text(1, 88), height: integer(0), time: name.time }), by('chain'), 0, 64,
  ),
  logs: ascending(text(1, 200), (item) => [item], 0, 16),
  assets: ascending(
    object({
      asset: name.assetId,
      kind: word('native', 'stable', 'wrapped', 'liquid-staking', 'derivative', 'fiat', 'real-world'),
      name: label,
      decimals: scale,
      forms: ascending(object({ form: name.form, decimals: scale }), by('form'), 1, 64),
    }),
    by('asset'),
    1,
    1024,
  ),
  pools: ascending(pool, by('pool'), 1, 256),
  house: ascending(house, by('asset', 'account', 'form'), 0, 4096),
  house_note: prose,
  ledger: object({
    extract_mac: name.digest,
    control_totals: ascending(
      object({ asset: name.assetId, credit: amount, pool: name.pool }), by('pool', 'asset'),
    ),
  }),
  rules: ascending(
    object({
      id: name.ruleId,
      pool: either(name.pool, empty),
      profile: name.slug,
      result: word('PASS', 'FAIL', 'NOT_ASSESSED'),
      rows: integer(0),
    }),
    by('pool', 'profile', 'id'),
  ),
  rules_version: text(1, 64),
  verdict: word('clean', 'qualified', 'failing'),
  exclusions: ascending(
    object({ amount, asset: name.assetId, pool: name.pool, reason: name.slug, side: word('L', 'R') }),
    by('pool', 'asset', 'side', 'reason'),
    0,
    4096,
  ),
  disclosures: ascending(
    object({
      amount: either(amount, empty),
      asset: name.assetId,
      code: name.slug,
      holders: integer(0),
      pool: name.pool,
      text: prose,
    }),
    by('pool', 'asset', 'code'),
    0,
    4096,
  ),
  dispute: object({ contact: label, days: integer(0, 3660) }),
  tool: text(0, 64),
  notes: table(() => {}, prose, 0, 256),
});

const statementShape = object({
  _type: exactly('https://in-toto.io/Statement/v1'),
  predicateType: exactly('urn:reserveproof:attestation:v1'),
  predicate: predicateShape,
  subject: array(object({ digest: object({ sha256: name.digest }), name: exactly('manifest.json') }), 1, 1),
});

const envelopeShape = object({
  payload: bytes64(PAYLOAD_BYTES),
  payloadType: exactly(PAYLOAD_TYPE),
  signatures: array(object({ keyid: text(0, 200), sig: bytes64(8192) }), 0, 32),
});

/** Payload, signatures and statement of an envelope that has been parsed. */
export function readEnvelope(value) {
  envelopeShape(value);
  const payload = base64(value.payload);
  const statement = parse(payload);
  statementShape(statement);
  return {
    payload,
    payloadType: value.payloadType,
    payloadDigest: sha256(payload).toString('hex'),
    signatures: value.signatures.map((item) => base64(item.sig)),
    predicate: statement.predicate,
    manifestDigest: statement.subject[0].digest.sha256,
  };
}

/** The predicate alone, for the vectors of claims. */
export function readPredicate(bytes) {
  const predicate = parse(bytes);
  predicateShape(predicate);
  return predicate;
}

export const cellsOf = (predicate) =>
  predicate.pools.flatMap((item) => item.assets.map((entry) => ({ pool: item, ...entry })));

export const findCell = (predicate, poolName, asset) =>
  cellsOf(predicate).find((item) => item.pool.pool === poolName && item.asset === asset);

export const findAsset = (predicate, asset) => predicate.assets.find((item) => item.asset === asset);

const COIN_DECIMALS = { bip122: 8, eip155: 18 };

export function checkStructure(p) {
  const must = (condition) => demand(condition, 'malformed', 'structure');
  const cells = cellsOf(p);
  const registered = new Set(p.assets.map((item) => item.asset));
  const pools = new Set(p.pools.map((item) => item.pool));
  for (const item of cells) {
    must(registered.has(item.asset));
    for (const tree of [item.liabilities, item.reserves]) must(tree.kind === 1 && tree.depth <= 48);
    for (const entry of item.reserves.by_class) must(BigInt(entry.amount) > 0n && entry.class !== 'DECLARED_ONLY');
  }
  for (const item of p.house) must(registered.has(item.asset));
  for (const item of [...p.exclusions, ...p.disclosures, ...p.ledger.control_totals]) {
    must(registered.has(item.asset) && pools.has(item.pool));
  }
  const forms = p.assets.flatMap((item) => item.forms);
  must(new Set(forms.map((item) => item.form)).size === forms.length);
  const coins = forms.filter((item) => name.coinOf(item.form) !== '');
  for (const item of coins) must(item.decimals === COIN_DECIMALS[item.form.split(':')[0]]);
  must(new Set(coins.map((item) => name.coinOf(item.form))).size === coins.length);
  must(p.anchors.length > 0);
  const [asOf, issued, validUntil] = [p.as_of, p.issued_at, p.valid_until].map(name.seconds);
  must(asOf <= issued && issued <= validUntil);
  for (const anchor of p.anchors) {
    const age = asOf - name.seconds(anchor.time);
    must(age >= 0 && age <= name.DAY);
  }
  for (const rule of p.rules) must(rule.pool === '' || pools.has(rule.pool));
  must((p.previous === '') === (p.sequence === 0));
  must((p.corrects.payload_sha256 === '') === (p.corrects.reason === ''));
  for (const { reserves } of cells) {
    const sum = total(reserves.by_class.map((entry) => entry.amount));
    demand(sum === BigInt(reserves.total), 'failed', 'by-class');
  }
}

// Of the registry's rules, those of severity H. All others, and those that are not known, are X.
const HIGH = new Set(['COV-07', 'EVI-02', 'EVI-11', 'EVI-12', 'PRV-02', 'PRV-03', 'SEG-07']);
const severity = (id) => (HIGH.has(id) ? 'H' : 'X');

export const failsBlocking = (rule) => rule.result === 'FAIL' && severity(rule.id) === 'X';

export function checkVerdict(p) {
  demand((p.verdict === 'failing') === p.rules.some(failsBlocking), 'failed', 'verdict');
  if (p.verdict === 'clean') {
    demand(p.rules.length > 0 && p.rules.every((rule) => rule.result === 'PASS'), 'failed', 'verdict');
  }
}

