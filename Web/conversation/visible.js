// Text as a person must see it: whole, and with nothing in it that is not seen or that moves other characters.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\p{Co}\p{Cn}\p{Cs}\p{DI}]/gu;
const NAMED = { '\t': '\\t', '\r': '\\r' };
// CSI and OSC sequences, and other escapes of two characters (ECMA-48).
const ESCAPES = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]/g;

/** The text with control, direction and other invisible characters as `\u{…}`; line ends and spaces stay. */
export function visible(text) {
  return String(text).replace(HIDDEN, (character) => {
    if (character === '\n' || character === ' ') return character;
    return NAMED[character] ?? `\\u{${character.codePointAt(0).toString(16)}}`;
  });
}

/** What a program wrote: without colours, with tabs, and else as `visible`. */
export function output(text) {
  return String(text).replace(ESCAPES, '').replace(/\r\n/g, '\n').split('\t').map(visible).join('\t');
}

const FIRST = ['command', 'file_path', 'path', 'url', 'query', 'questions', 'plan'];

/** A tool's input as lines of `name: value`, what matters most first; everything of it is there. */
export function inputText(input) {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return line(input);
  const rank = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return Object.entries(input)
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([name, value]) => {
      const text = line(value);
      // A text of several lines begins below its name, so that no line of it can pass for another member.
      return `${visible(name)}:${text.includes('\n') ? `\n${text.replace(/^/gm, '    ')}` : ` ${text}`}`;
    })
    .join('\n');
}

function line(value) {
  if (typeof value === 'string') return visible(value);
  const text = JSON.stringify(value) ?? '';
  return visible(text.length > 60 ? JSON.stringify(value, null, 2) : text);
}

/** One line that says what a tool is used for. */
export function summary(input) {
  if (input === null || typeof input !== 'object') return '';
  for (const name of ['command', 'file_path', 'path', 'url', 'query', 'pattern', 'description', 'prompt']) {
    if (typeof input[name] === 'string' && input[name]) return visible(input[name].slice(0, 400)).replace(/\n/g, ' ⏎ ');
  }
  return '';
}
