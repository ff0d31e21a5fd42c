// TOML 1.0, as far as a trust policy needs it: comments, tables, arrays of tables, dotted and quoted keys, strings
// (also of many lines), integers, arrays and inline tables. Booleans, floats and times are read, as values that no
// policy takes. Tables have no prototype.

import { malformed } from './verdict.mjs';

const ESCAPES = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', '\\': '\\' };

const DATE =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})?([Tt ]?[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?$/;

/** A value that is legal TOML and of no use here. */
class Other {}

const newTable = () => Object.create(null);

export function parse(source) {
  let at = 0;
  const closed = new Set(); // inline tables and static arrays: nothing is added to them
  const defined = new Set(); // tables that a header has named
  const dotted = new Set(); // tables that dotted keys have made
  const root = newTable();
  let current = root;

  const peek = (text) => source.startsWith(text, at);
  const blanks = () => {
    while (source[at] === ' ' || source[at] === '\t') at++;
  };
  const match = (sticky) => {
    sticky.lastIndex = at;
    const found = sticky.exec(source);
    at = found ? sticky.lastIndex : at;
    return found ? found[0] : null;
  };
  const expect = (text) => {
    if (!peek(text)) malformed();
    at += text.length;
  };
  const newline = () => {
    if (peek('\r\n')) at += 2;
    else expect('\n');
  };
  const isControl = (c) => (c < ' ' && c !== '\t') || c === '\x7f';
  const comment = () => {
    if (source[at] !== '#') return;
    while (at < source.length && source[at] !== '\n' && !peek('\r\n')) if (isControl(source[at++])) malformed();
  };
  const endOfLine = () => {
    blanks();
    comment();
    if (at < source.length) newline();
  };
  const gaps = () => {
    for (;;) {
      blanks();
      comment();
      if (source[at] === '\n' || peek('\r\n')) newline();
      else return;
    }
  };

  function escape() {
    const c = source[at++];
    if (Object.hasOwn(ESCAPES, c ?? '')) return ESCAPES[c];
    const size = { u: 4, U: 8 }[c];
    const digits = source.slice(at, at + (size ?? 0));
    if (!size || digits.length !== size || !/^[0-9A-Fa-f]+$/.test(digits)) malformed();
    at += size;
    const point = parseInt(digits, 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) malformed();
    return String.fromCodePoint(point);
  }

  function string(quote, isLiteral) {
    expect(quote);
    let out = '';
    for (;;) {
      const c = source[at++];
      if (c === undefined || isControl(c)) malformed();
      if (c === quote) return out;
      out += c === '\\' && !isLiteral ? escape() : c;
    }
  }

  function longString(quote, isLiteral) {
    expect(quote.repeat(3));
    if (source[at] === '\n' || peek('\r\n')) newline();
    let out = '';
    for (;;) {
      if (peek(quote.repeat(3))) {
        at += 3;
        for (let extra = 0; extra < 2 && source[at] === quote; extra++, at++) out += quote;
        return out;
      }
      const c = source[at++];
      if (c === undefined) malformed();
      if (c === '\\' && !isLiteral) {
        if (match(/[ \t]*\r?\n([ \t]|\r?\n)*/y) === null) out += escape();
      } else {
        if (isControl(c) && c !== '\n' && !(c === '\r' && source[at] === '\n')) malformed();
        out += c;
      }
    }
  }

  function simpleKey() {
    if (source[at] === '"') return string('"', false);
    if (source[at] === "'") return string("'", true);
    return match(/[A-Za-z0-9_-]+/y) ?? malformed();
  }
  function key() {
    const parts = [simpleKey()];
    for (;;) {
      blanks();
      if (source[at] !== '.') return parts;
      at++;
      blanks();
      parts.push(simpleKey());
    }
  }

  function pair(table) {
    const parts = key();
    expect('=');
    blanks();
    let into = table;
    for (const part of parts.slice(0, -1)) {
      if (!(part in into)) {
        into[part] = newTable();
        dotted.add(into[part]);
      }
      into = into[part];
      if (typeof into !== 'object' || !dotted.has(into)) malformed();
    }
    const last = parts.at(-1);
    if (last in into) malformed();
    into[last] = value();
  }

  function array() {
    expect('[');
    const out = [];
    closed.add(out);
    for (;;) {
      gaps();
      if (peek(']')) break;
      out.push(value());
      gaps();
      if (peek(']')) break;
      expect(',');
    }
    expect(']');
    return out;
  }

  function close(table) {
    closed.add(table);
    dotted.delete(table);
    for (const member of Object.values(table)) if (dotted.has(member)) close(member);
  }

  function inlineTable() {
    expect('{');
    const out = newTable();
    blanks();
    if (!peek('}')) {
      for (;;) {
        blanks();
        pair(out);
        blanks();
        if (peek('}')) break;
        expect(',');
      }
    }
    expect('}');
    close(out);
    return out;
  }

  function scalar() {
    const word = match(/[A-Za-z0-9+_.:-]+( [0-9][0-9:.+Zz-]*)?/y) ?? malformed();
    const plain = word.replace(/_/g, '');
    const isInteger =
      /^[+-]?(0|[1-9](_?[0-9])*)$/.test(word) ||
      /^0x[0-9A-Fa-f](_?[0-9A-Fa-f])*$/.test(word) ||
      /^0o[0-7](_?[0-7])*$/.test(word) ||
      /^0b[01](_?[01])*$/.test(word);
    if (isInteger) {
      const negative = plain.startsWith('-');
      const size = BigInt(plain.replace(/^[+-]/, ''));
      if (size > 2n ** 53n - 1n) return new Other();
      return negative && size !== 0n ? -Number(size) : Number(size);
    }
    const isFloat = /^[+-]?(0|[1-9](_?[0-9])*)(\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?$/.test(word);
    const isDate = DATE.test(word);
    if (isFloat || /^[+-]?(inf|nan)$|^(true|false)$/.test(word) || isDate) return new Other();
    return malformed();
  }

  function value() {
    if (peek('"""')) return longString('"', false);
    if (peek("'''")) return longString("'", true);
    if (peek('"')) return string('"', false);
    if (peek("'")) return string("'", true);
    if (peek('[')) return array();
    if (peek('{')) return inlineTable();
    return scalar();
  }

  function enter(parts) {
    let into = root;
    for (const part of parts) {
      if (!(part in into)) into[part] = newTable();
      into = into[part];
      if (Array.isArray(into) && !closed.has(into)) into = into.at(-1);
      if (typeof into !== 'object' || into instanceof Other || Array.isArray(into)) malformed();
      if (closed.has(into)) malformed();
    }
    return into;
  }

  function header() {
    const isArray = peek('[[');
    expect(isArray ? '[[' : '[');
    blanks();
    const parts = key();
    expect(isArray ? ']]' : ']');
    const outer = enter(parts.slice(0, -1));
    const last = parts.at(-1);
    if (isArray) {
      if (!(last in outer)) outer[last] = [];
      if (!Array.isArray(outer[last]) || closed.has(outer[last])) malformed();
      current = newTable();
      outer[last].push(current);
      return;
    }
    if (!(last in outer)) outer[last] = newTable();
    current = outer[last];
    if (typeof current !== 'object' || current instanceof Other || Array.isArray(current)) malformed();
    if (closed.has(current) || defined.has(current) || dotted.has(current)) malformed();
    defined.add(current);
  }

  for (;;) {
    gaps();
    if (at >= source.length) return root;
    if (peek('[')) header();
    else pair(current);
    endOfLine();
  }
}
