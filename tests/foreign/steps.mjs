// Steps 3 to 5 of verification, which client and public have in common, and the standard of step 10.

import { findAsset, checkStructure, checkVerdict, cellsOf } from './statement.mjs';
import { checkLog } from './log.mjs';
import { DAY, seconds } from './names.mjs';
import { isAtLeast } from './register.mjs';
import { demand } from './verdict.mjs';

const CLOCK_SKEW = 300;

function checkPins(policy, p) {
  for (const pinned of policy.assets) {
    const asset = findAsset(p, pinned.asset);
    if (!asset) continue;
    demand(asset.decimals === pinned.decimals, 'policy', 'pins');
    for (const { form, decimals } of asset.forms) {
      const hit = pinned.forms.find((item) => item.form === form);
      demand(hit && hit.decimals === decimals, 'policy', 'pins');
    }
  }
}

export function checkStatement(policy, p, clock) {
  demand(p.custodian.id === policy.custodian, 'policy', 'custodian');
  for (const cell of cellsOf(p)) {
    for (const tree of [cell.liabilities, cell.reserves]) {
      demand(policy.kinds.includes(tree.kind), 'policy', 'kind');
    }
  }
  checkStructure(p);
  checkVerdict(p);
  checkPins(policy, p);
  demand(seconds(p.issued_at) <= clock + CLOCK_SKEW, 'policy', 'not-yet');
  demand(seconds(p.as_of) >= clock - policy.max_age_days * DAY, 'policy', 'age');
  demand(seconds(p.valid_until) >= clock, 'policy', 'expired');
}

/** `last` is null for the first statement. */
export function checkSequence(policy, p, payloadDigest, last) {
  if (last === null) return;
  demand(p.sequence >= last.sequence, 'policy', 'rollback');
  if (p.sequence === last.sequence) {
    demand(payloadDigest === last.payload_sha256, 'failed', 'equivocation');
    return;
  }
  if (p.sequence === last.sequence + 1) {
    demand(p.previous === last.payload_sha256, 'failed', 'previous');
    demand(['', last.payload_sha256].includes(p.corrects.payload_sha256), 'failed', 'corrects');
  }
  const [asOf, lastAsOf] = [seconds(p.as_of), seconds(last.as_of)];
  if (p.corrects.payload_sha256 === '') {
    demand(asOf > lastAsOf, 'failed', 'as-of-order');
    demand(asOf >= lastAsOf + policy.min_interval_days * DAY, 'policy', 'interval');
  } else if (p.corrects.payload_sha256 === last.payload_sha256) {
    demand(asOf === lastAsOf, 'failed', 'as-of-order');
  }
}

/** `typed` is the digest that a client typed, '' if none; `given` what there is of a log. */
export function checkPublication(policy, p, payloadDigest, typed, isTypingExpected, given) {
  if (typed !== '') demand(typed === payloadDigest, 'failed', 'publication-digest');
  if (isTypingExpected && policy.publication === 'digest') demand(typed !== '', 'policy', 'publication');
  if (policy.publication === 'log') checkLog(policy.log, p, payloadDigest, given());
}

export function checkCovered(cells) {
  for (const { reserves, liabilities } of cells) {
    demand(BigInt(reserves.total) >= BigInt(liabilities.total), 'failed', 'not-covered');
  }
}

export function checkAssurance(policy, cells) {
  for (const { reserves } of cells) {
    for (const { class: cls } of reserves.by_class) {
      demand(isAtLeast(cls, policy.least_assurance), 'policy', 'assurance');
    }
  }
}
