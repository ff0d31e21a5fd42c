// Shapes: small checks that are put together to the shape of a format. What does not fit is malformed.

import { amount as readAmount } from './amounts.mjs';
import { base64, compareText } from './bytes.mjs';
import { malformed } from './verdict.mjs';

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Exactly these members; those in `optional` may be absent. */
export const object = (members, optional = {}) => (value) => {
  if (!isObject(value)) malformed();
  for (const key of Object.keys(value)) if (!Object.hasOwn(members, key) && !Object.hasOwn(optional, key)) malformed();
  for (const [key, check] of Object.entries(members)) {
    if (!(key in value)) malformed();
    check(value[key]);
  }
  for (const [key, check] of Object.entries(optional)) if (key in value) check(value[key]);
};

export const table = (keyCheck, check, least, most) => (value) => {
  if (!isObject(value)) malformed();
  const keys = Object.keys(value);
  if (keys.length < least || keys.length > most) malformed();
  for (const key of keys) {
    keyCheck(key);
    check(value[key]);
  }
};

export const array = (check, least = 0, most = Infinity) => (value) => {
  if (!Array.isArray(value) || value.length < least || value.length > most) malformed();
  value.forEach(check);
};

const compareParts = (a, b) => (typeof a === 'number' ? a - b : compareText(a, b));
function compareKeys(a, b) {
  for (let at = 0; at < a.length; at++) {
    const order = compareParts(a[at], b[at]);
    if (order !== 0) return order;
  }
  return 0;
}

/** An array that ascends strictly by `key`, a function from an item to a tuple. */
export const ascending = (check, key, least = 0, most = Infinity) => (value) => {
  array(check, least, most)(value);
  for (let at = 1; at < value.length; at++) if (compareKeys(key(value[at - 1]), key(value[at])) >= 0) malformed();
};

/** Text of so many code points; canonical JSON has excluded control characters already. */
export const text = (least, most) => (value) => {
  if (typeof value !== 'string') malformed();
  const length = [...value].length;
  if (length < least || length > most) malformed();
};

export const pattern = (expression) => (value) => {
  if (typeof value !== 'string' || !expression.test(value)) malformed();
};

export const word = (...words) => (value) => {
  if (!words.includes(value)) malformed();
};

export const integer = (least, most = Number.MAX_SAFE_INTEGER) => (value) => {
  if (!Number.isSafeInteger(value) || value < least || value > most) malformed();
};

export const exactly = (wanted) => (value) => {
  if (value !== wanted) malformed();
};

export const empty = exactly('');

export const either = (...checks) => (value) => {
  for (const check of checks.slice(0, -1)) {
    try {
      return check(value);
    } catch {
      // the next one
    }
  }
  return checks.at(-1)(value);
};

export const bytes64 = (most) => (value) => {
  if (typeof value !== 'string' || base64(value).length > most) malformed();
};

export const amount = (value) => {
  readAmount(value);
};

export const accepts = (check, value) => {
  try {
    check(value);
    return true;
  } catch {
    return false;
  }
};
