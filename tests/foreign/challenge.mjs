// Ownership challenge: the claim of a statement, and the line that an account signs.

import { H } from './bytes.mjs';
import { encode } from './canonical.mjs';
import { cellsOf, findAsset } from './statement.mjs';

export function claimOf(p) {
  const liabilities = cellsOf(p).map((cell) => {
    const { decimals, forms } = findAsset(p, cell.asset);
    return { asset: cell.asset, decimals, forms, pool: cell.pool.pool, root: cell.liabilities.root };
  });
  const { id, lei } = p.custodian;
  const object = {
    anchors: p.anchors, custodian: { id, lei }, expires: p.claim_expires, liabilities, snapshot_id: p.snapshot_id,
  };
  return H('claim', encode(object)).toString('hex');
}

export function challengeOf({ account, custodian, pool, segregation, claim, expires }) {
  const text =
    `reserveproof/v1 I control ${account}, held by ${custodian} for its clients, pool ${pool}, ${segregation}. ` +
    `Claim ${claim}. Until ${expires}.`;
  return { text, compact: `reserveproof/v1 ${account} ${H('challenge', text).toString('base64url')}` };
}
