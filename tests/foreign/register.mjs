// Register and evidence: their shapes (register 1 to 8).

import * as name from './names.mjs';
import { amount, ascending, either, empty, exactly, integer, object, text, word } from './shape.mjs';
import { malformed } from './verdict.mjs';

/** Assurance of control, strongest first; the last never counts. */
export const CLASSES = [
  'KEY_SIGNATURE', 'SCRIPT_THRESHOLD', 'CONTRACT_SIGNATURE', 'DESCRIPTOR_DERIVED', 'ONCHAIN_MOVE',
  'CUSTODIAN_CONFIRMATION', 'DECLARED_ONLY',
];
export const isAtLeast = (cls, least) => CLASSES.indexOf(cls) <= CLASSES.indexOf(least);

// That exactly a dedicated position has a tie is no matter of shape: see steps 8 and 11.
export const positionShape = object({
  account: name.account,
  form: name.form,
  class: word(...CLASSES),
  segregation: word('omnibus', 'dedicated'),
  client_tie: name.digestOrEmpty,
  control: name.digestOrEmpty,
  observation: name.digestOrEmpty,
  observed: amount,
  encumbered: amount,
  counted: amount,
  excluded: amount,
});

export const positionKey = (item) => [item.pool, item.asset, item.position.account, item.position.form];

export const registerShape = object({
  format: exactly(1),
  positions: ascending(
    object({ asset: name.assetId, pool: name.pool, position: positionShape }), positionKey,
  ),
});

const day = (value) => name.time(`${value}T00:00:00Z`);

const controlMembers = object({
  account: name.account,
  letter: object({ date: either(day, empty), issuer: text(0, 2000), sha256: name.digestOrEmpty }),
  profile: word('text', 'compact'),
  scheme: name.slug,
  signature: text(0, 8192),
  type: exactly('control'),
});

export const controlShape = (value) => {
  controlMembers(value);
  const { date, issuer, sha256 } = value.letter;
  if (value.scheme !== 'letter' && (date || issuer || sha256)) malformed();
};

export const observationShape = object({
  account: name.account,
  form: name.form,
  hash: text(0, 88),
  height: integer(0),
  method: word('STATE_PROOF', 'UTXO_SCAN', 'BLOCK_REPLAY', 'INDEX_HISTORY', 'RPC_REPORTED', 'QUORUM', 'LETTER'),
  quantity: amount,
  source: text(0, 2000),
  time: name.time,
  type: exactly('observation'),
});

/** excluded = observed - counted - encumbered */
export const sumHolds = ({ observed, counted, encumbered, excluded }) =>
  BigInt(observed) === BigInt(counted) + BigInt(encumbered) + BigInt(excluded);
