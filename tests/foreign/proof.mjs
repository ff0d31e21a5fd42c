// Proof file: its shape.

import { base64 } from './bytes.mjs';
import { parse } from './canonical.mjs';
import * as name from './names.mjs';
import { positionKey, positionShape } from './register.mjs';
import { amount, array, ascending, bytes64, exactly, integer, object, text } from './shape.mjs';
import { malformed } from './verdict.mjs';

const FILE_BYTES = 16 << 20;
const SIZE = 48;

const pair = (value) => {
  if (!Array.isArray(value) || value.length !== 2) malformed();
  name.digest(value[0]);
  amount(value[1]);
};

const place = {
  asset: name.assetId,
  blind: name.digest,
  index: integer(0, 2 ** SIZE - 1),
  path: array(pair, 0, SIZE),
  pool: name.pool,
};

const bucket = object({ bucket: integer(1, 10), credit: amount, debit: amount });

const shape = object(
  {
    format: exactly(1),
    statement_sha256: name.digest,
    lines: ascending(
      object({ ...place, buckets: ascending(bucket, (item) => [item.bucket], 1, 10) }),
      (item) => [item.pool, item.asset],
      0,
      4096,
    ),
    positions: ascending(
      object({ ...place, position: positionShape, tie_blind: name.digest }), positionKey, 0, 4096,
    ),
    log: text(0, 65536),
    timestamps: array(bytes64(65536), 0, 16),
  },
  { envelope: () => {} },
);

export function readProof(bytes) {
  if (bytes.length > FILE_BYTES) malformed();
  const proof = parse(bytes);
  shape(proof);
  const stamps = proof.timestamps.map(base64);
  for (let at = 1; at < stamps.length; at++) if (Buffer.compare(stamps[at - 1], stamps[at]) >= 0) malformed();
  return proof;
}
