// What may be shown on a terminal: host/text.py has the same rule.

/** Return a text as one line that a terminal shows as it is: what it would obey, or not show, is escaped. */
export function printable(text) {
  return String(text).replace(/(?! )[\p{C}\p{Z}]/gu, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  });
}
