// Trust policy: its shape, its fingerprint, and which of its signers an envelope counts.

import { base32, compareText, H } from './bytes.mjs';
import { encode } from './canonical.mjs';
import * as name from './names.mjs';
import { CLASSES } from './register.mjs';
import { array, exactly, integer, object, table, text, word } from './shape.mjs';
import { readKey, signedBytes, verifies } from './signatures.mjs';
import { parse as parseToml } from './toml.mjs';
import { malformed } from './verdict.mjs';

const scale = integer(0, 30);

const logShape = object(
  { origin: name.logOrigin, key: readKey, witnesses_needed: integer(0, 32) },
  { witnesses: array(object({ name: name.witnessName, keys: array(readKey, 1, 2) }), 0, 64) },
);

const shape = object(
  {
    format: exactly(1),
    custodian: name.custodianId,
    kinds: array(exactly(1), 1, 1),
    least_assurance: word(...CLASSES.slice(0, -1)),
    reserves: word('register', 'auditor', 'signed'),
    publication: word('log', 'digest', 'none'),
    max_age_days: integer(1, 3660),
    min_interval_days: integer(0, 3660),
    thresholds: table(name.slug, integer(1, 32), 1, Infinity),
    signers: array(
      object(
        { name: text(1, 200), role: name.slug, keys: array(readKey, 1, 2) },
        { first_sequence: integer(0), last_sequence: integer(0) },
      ),
      1,
      64,
    ),
  },
  {
    assets: array(
      object({ asset: name.assetId, decimals: scale, forms: array(object({ form: name.form, decimals: scale }), 1) }),
    ),
    log: logShape,
  },
);

const kindOf = (key) => key.split(':')[0];

const unique = (values) => {
  if (new Set(values).size !== values.length) malformed();
};

export function readPolicy(bytes) {
  if (bytes.length > 1 << 20) malformed();
  let source;
  try {
    source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    malformed();
  }
  const file = parseToml(source);
  shape(file);
  const signers = file.signers.map((signer) => ({
    first_sequence: 0,
    last_sequence: Number.MAX_SAFE_INTEGER,
    ...signer,
  }));
  for (const signer of signers) {
    if (/[\u0000-\u001f\u007f-\u009f]/.test(signer.name)) malformed();
    if (signer.first_sequence > signer.last_sequence) malformed();
    const kinds = signer.keys.map(kindOf);
    if (kinds[0] === 'mldsa44' || (kinds.length === 2 && kinds[1] !== 'mldsa44')) malformed();
  }
  unique(signers.map((signer) => signer.name));
  if ('log' in file !== (file.publication === 'log')) malformed();
  const log = 'log' in file ? { log: readLog(file.log) } : {};
  const logKeys = Object.values(log).flatMap(({ key, witnesses }) => [key, ...witnesses.flatMap(({ keys }) => keys)]);
  unique([...signers.flatMap((signer) => signer.keys), ...logKeys]);
  for (const [role, least] of Object.entries(file.thresholds)) {
    if (signers.filter((signer) => signer.role === role).length < least) malformed();
  }
  if (file.reserves === 'auditor' && !('auditor' in file.thresholds)) malformed();
  const byKey = (key) => (a, b) => compareText(a[key], b[key]);
  const assets = (file.assets ?? [])
    .map((asset) => ({ ...asset, forms: [...asset.forms].sort(byKey('form')) }))
    .sort(byKey('asset'));
  unique(assets.map((asset) => asset.asset));
  for (const asset of assets) unique(asset.forms.map((form) => form.form));
  return { ...file, signers, assets, ...log };
}

function readLog(file) {
  const witnesses = file.witnesses ?? [];
  if (kindOf(file.key) !== 'ed25519') malformed();
  for (const { keys } of witnesses) {
    if (keys.some((key) => !['ed25519', 'mldsa44'].includes(kindOf(key)))) malformed();
    unique(keys.map(kindOf));
  }
  unique(witnesses.map((witness) => witness.name));
  if (file.witnesses_needed > witnesses.length) malformed();
  const least = (measure) =>
    witnesses
      .map(({ name: holder, keys }) => keys.reduce((sum, key) => sum + measure(holder, key), 0))
      .sort((a, b) => a - b)
      .slice(0, file.witnesses_needed)
      .reduce((sum, item) => sum + item, 0);
  const line = (holder, size) => holder.length + 4 * Math.ceil(size / 3) + 4;
  const lines = least((holder, key) => line(holder, 12 + (kindOf(key) === 'ed25519' ? 64 : 2420)));
  const checkpoint = file.origin.length + 49 + line(file.origin, 68);
  if (1 + least(() => 1) > 32 || checkpoint + lines > 65536) malformed();
  return { ...file, witnesses };
}

export const fingerprint = (policy) => base32(H('policy', encode(policy)), 20).match(/.{4}/g).join('-');

/** Does every role of the policy have its signers? */
export function hasQuorum(policy, { payload, payloadType, signatures }, sequence) {
  const message = signedBytes(payloadType, payload);
  const counts = (signer) =>
    signer.first_sequence <= sequence &&
    sequence <= signer.last_sequence &&
    signer.keys.map(readKey).every((key) => signatures.some((signature) => verifies(key, message, signature)));
  return Object.entries(policy.thresholds).every(
    ([role, least]) => policy.signers.filter((signer) => signer.role === role && counts(signer)).length >= least,
  );
}
