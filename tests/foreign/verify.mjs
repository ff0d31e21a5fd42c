// A second verifier, written from docs/spec/ and vectors/ alone, with nothing but Node itself.
// Runs every vector of a folder: node verify.mjs FOLDER
// One line a failure, a closing line, and exit status 1 if any failed or none ran.

import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { JUDGES } from './kinds.mjs';
import { Verdict } from './verdict.mjs';

function judge(vector) {
  try {
    return { class: 'passed', reason: '', ...JUDGES[vector.kind](vector) };
  } catch (error) {
    if (error instanceof Verdict) return { class: error.cls, reason: error.reason, step: error.step };
    return { class: 'fault', reason: String(error.stack) };
  }
}

const show = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

/** What differs from the expectation, '' if nothing. */
function compare(vector) {
  if (!Object.hasOwn(JUDGES, vector.kind)) return `unknown kind ${vector.kind}`;
  const got = judge(vector);
  const different = Object.entries(vector.expect).filter(([member, wanted]) => {
    if (member === 'reason' && wanted === '' && vector.expect.class !== 'passed') return false;
    return !isDeepStrictEqual(got[member], wanted);
  });
  return different.map(([member, wanted]) => `${member} ${show(wanted)}, found ${show(got[member])}`).join('; ');
}

function run(file) {
  try {
    const vector = JSON.parse(readFileSync(file, 'utf8'));
    if (vector.name !== basename(file, '.json') || !vector.expect?.class) return 'not a vector';
    return compare(vector);
  } catch (error) {
    return `not a vector: ${error.message}`;
  }
}

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node verify.mjs FOLDER');
  process.exit(2);
}
const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.json')).sort();
let failed = 0;
for (const file of files) {
  const problem = run(join(folder, file));
  if (problem === '') continue;
  failed++;
  console.log(`${file}: ${problem}`);
}
console.log(`${files.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 || files.length === 0 ? 1 : 0;
