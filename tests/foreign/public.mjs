// `public`, steps 1 to 10. The rules of step 11 are not run here.

import { checkEvidence, checkFiles, checkTrees, readRegister } from './bundle.mjs';
import { parse } from './canonical.mjs';
import { hasQuorum } from './policy.mjs';
import { cellsOf, readEnvelope } from './statement.mjs';
import { checkAssurance, checkCovered, checkPublication, checkSequence, checkStatement } from './steps.mjs';
import { demand, step } from './verdict.mjs';

export function verifyPublic({ files, policy, clock, last, log }) {
  const envelope = step(1, () => {
    demand(files.has('statement.json'), 'malformed', 'file-missing');
    return readEnvelope(parse(files.get('statement.json')));
  });
  const p = envelope.predicate;
  step(2, () => demand(hasQuorum(policy, envelope, p.sequence), 'policy', 'quorum'));
  step(3, () => checkStatement(policy, p, clock));
  step(4, () => checkSequence(policy, p, envelope.payloadDigest, last));
  step(5, () => checkPublication(policy, p, envelope.payloadDigest, '', false, () => log));
  step(6, () => checkFiles(files, envelope.manifestDigest));
  const positions = step(7, () => readRegister(files, p));
  step(8, () => checkEvidence(files, positions, p));
  step(9, () => checkTrees(positions, p));
  step(10, () => {
    checkCovered(cellsOf(p));
    checkAssurance(policy, cellsOf(p));
  });
}
