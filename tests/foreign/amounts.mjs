// Conventions 5 to 8, and the comparison of step 7: amounts in base units, and amounts as people type them.

import { demand, malformed } from './verdict.mjs';

export const LIMIT = 1n << 127n;

export function amount(text) {
  if (typeof text !== 'string' || !/^(0|[1-9][0-9]{0,38})$/.test(text)) malformed();
  const value = BigInt(text);
  if (value >= LIMIT) malformed();
  return value;
}

/** A sum of amounts, which may be too large to be one. */
export const total = (texts) => texts.reduce((sum, text) => sum + BigInt(text), 0n);

export function typedAmount(text, decimals) {
  const match = text.length <= 80 && /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text);
  demand(match, 'usage', 'typed-amount');
  const fraction = match[2] ?? '';
  demand(fraction.length <= decimals, 'usage', 'typed-amount');
  const value = BigInt(match[1] + fraction.padEnd(decimals, '0'));
  demand(value < LIMIT, 'usage', 'typed-amount');
  const significant = (match[1] + fraction).replace(/^0+/, '').length;
  return { value, places: fraction.length, significant };
}

/** Is what was typed the amount of the leaf, or a cut of it with digits enough? */
export function compareTyped(text, decimals, found, reason) {
  const typed = typedAmount(text, decimals);
  if (typed.value === found) return;
  const unit = 10n ** BigInt(decimals - typed.places);
  demand((found / unit) * unit === typed.value, 'failed', reason);
  demand(typed.places === decimals || typed.significant >= 6, 'usage', 'digits');
}

/** A quantity of a form in the base unit of its asset, cut down. */
export function convertDown(quantity, formDecimals, assetDecimals) {
  if (assetDecimals >= formDecimals) return quantity * 10n ** BigInt(assetDecimals - formDecimals);
  return quantity / 10n ** BigInt(formDecimals - assetDecimals);
}
