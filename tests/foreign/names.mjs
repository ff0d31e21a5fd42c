// Conventions 9: identifiers, times and digests.

import { either, empty, pattern } from './shape.mjs';
import { malformed } from './verdict.mjs';

export const custodianId = pattern(/^[a-z0-9][a-z0-9.-]{0,23}$/);
export const pool = custodianId;
export const snapshotId = pattern(/^[a-z0-9][a-z0-9.-]{0,31}$/);
export const assetId = pattern(/^[A-Z0-9][A-Z0-9.-]{0,15}$/);
export const slug = pattern(/^[a-z0-9][a-z0-9-]{0,63}$/);
export const ruleId = pattern(/^[A-Z]{3}-[0-9]{2}$/);
export const lei = either(pattern(/^[A-Z0-9]{18}[0-9]{2}$/), empty);
export const logOrigin = pattern(/^[a-z0-9][a-z0-9./-]{0,127}$/);
export const witnessName = pattern(/^[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}$/);
export const digest = pattern(/^[0-9a-f]{64}$/);
export const digestOrEmpty = either(digest, empty);
export const fileName = pattern(/^[a-z0-9][a-z0-9._-]{0,99}(\/[a-z0-9][a-z0-9._-]{0,99}){0,3}$/);
export const clientId = pattern(/^[!-~]([ -~]{0,126}[!-~])?$/);
export const clientCode = pattern(/^([!-~]([ -~]{0,62}[!-~])?)?$/);

const notOurs = /^(ref|iso4217):/;

export const chain = (value) => {
  pattern(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/)(value);
  if (notOurs.test(value)) malformed();
};

/** Where a chain's forms have one spelling only. */
const SPELLINGS = {
  __proto__: null,
  eip155: /^eip155:[1-9][0-9]{0,31}\/(slip44:(0|[1-9][0-9]{0,9})|erc20:0x[0-9a-f]{40})$/,
  bip122: /^bip122:[0-9a-f]{32}\/slip44:(0|[1-9][0-9]{0,9})$/,
};

export const form = (value) => {
  if (typeof value === 'string' && /^iso4217:[A-Z]{3}$/.test(value)) return;
  pattern(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}\/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$/)(value);
  if (notOurs.test(value)) malformed();
  const spelling = SPELLINGS[value.split(':')[0]];
  if (spelling && !spelling.test(value)) malformed();
};

/** The chain of a form that is that chain's own coin, '' for any other form. */
export const coinOf = (value) => (/^(eip155|bip122):[^/]*\/slip44:/.test(value) ? value.split('/')[0] : '');

export const account = (value) => {
  if (typeof value === 'string' && /^ref:[A-Za-z0-9.-]{1,64}$/.test(value)) return;
  pattern(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}$/)(value);
  if (value.length > 104 || notOurs.test(value)) malformed();
  if (value.startsWith('eip155:') && !/^eip155:[1-9][0-9]{0,31}:0x[0-9a-f]{40}$/.test(value)) malformed();
  if (value.startsWith('bip122:')) {
    if (!/^bip122:[0-9a-f]{32}:/.test(value)) malformed();
    const address = value.split(':')[2];
    if (/^(bc1|tb1|bcrt1)/i.test(address) && address !== address.toLowerCase()) malformed();
  }
};

/** An account as a person types it: capitals that mean nothing are put in lower case. */
export function typedAccount(value) {
  if (/^eip155:/i.test(value)) return value.toLowerCase();
  const match = /^(bip122:[^:]*:)((BC1|TB1|BCRT1)[0-9A-Z]*)$/.exec(value);
  return match ? match[1] + match[2].toLowerCase() : value;
}

/** The chain that an account stands on, or '' off chain. */
export const chainOf = (value) => (value.startsWith('ref:') ? '' : value.split(':').slice(0, 2).join(':'));

/** Seconds since 1970 of a time as written. */
export function seconds(value) {
  pattern(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/)(value);
  const [year, month, day, hour, minute, second] = value.match(/[0-9]+/g).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.toISOString() !== value.replace('Z', '.000Z')) malformed();
  return date.getTime() / 1000;
}
export const time = (value) => {
  seconds(value);
};

export const DAY = 86400;
