// The part of Markdown that answers use, as a tree of plain values: whoever draws it makes nodes and texts of it, and
// no text of a session is ever HTML. Linear in the text's length, and bounded in depth.

const DEEPEST = 6;

/**
 * Blocks: `{type: 'paragraph'|'heading', level?, inline}`, `{type: 'code', language, text}`,
 * `{type: 'list', ordered, start, items: [blocks]}`, `{type: 'quote', blocks}`, `{type: 'table', rows: [[inline]]}`,
 * `{type: 'rule'}`.
 */
export function parseMarkdown(text, depth = 0) {
  const lines = Array.isArray(text) ? text : String(text).split('\n');
  const blocks = [];
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) blocks.push({ type: 'paragraph', inline: parseInline(paragraph.join('\n')) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const fence = line.match(/^ {0,3}(`{3,}|~{3,}) *([^`\s]*)/);
    if (fence) {
      flush();
      const [, mark, language] = fence;
      const body = [];
      const closes = (candidate) => candidate.trimEnd().length >= mark.length && candidate.trim().startsWith(mark)
        && [...candidate.trim()].every((character) => character === mark[0]);
      for (at += 1; at < lines.length && !closes(lines[at]); at += 1) body.push(lines[at]);
      blocks.push({ type: 'code', language, text: body.join('\n') });
      continue;
    }
    if (!line.trim()) {
      flush();
      continue;
    }
    const heading = line.match(/^ {0,3}(#{1,6}) +(.*?)[ #]*$/);
    if (heading) {
      flush();
      blocks.push({ type: 'heading', level: heading[1].length, inline: parseInline(heading[2]) });
      continue;
    }
    if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) {
      flush();
      blocks.push({ type: 'rule' });
      continue;
    }
    if (depth < DEEPEST && /^ {0,3}>/.test(line)) {
      flush();
      const inner = [];
      for (; at < lines.length && /^ {0,3}>/.test(lines[at]); at += 1) inner.push(lines[at].replace(/^ {0,3}> ?/, ''));
      at -= 1;
      blocks.push({ type: 'quote', blocks: parseMarkdown(inner, depth + 1) });
      continue;
    }
    const item = depth < DEEPEST && listItem(line);
    if (item) {
      flush();
      at = takeList(lines, at, item, blocks, depth);
      continue;
    }
    if (line.includes('|') && /^ *\|?( *:?-+:? *\|)+ *:?-*:? *$/.test(lines[at + 1] ?? '')) {
      flush();
      const rows = [cells(line)];
      for (at += 2; at < lines.length && lines[at].includes('|'); at += 1) rows.push(cells(lines[at]));
      at -= 1;
      blocks.push({ type: 'table', rows });
      continue;
    }
    paragraph.push(line.trimStart());
  }
  flush();
  return blocks;
}

function listItem(line) {
  const match = line.match(/^( *)([-*+]|(\d{1,9})[.)])( +|$)/);
  if (!match) return null;
  return {
    indent: match[1].length, ordered: match[3] !== undefined, start: Number(match[3] ?? 1),
    width: match[0].length || 2,
  };
}

function takeList(lines, from, first, blocks, depth) {
  const items = [];
  let at = from;
  while (at < lines.length) {
    const item = listItem(lines[at]);
    if (!item || item.ordered !== first.ordered || item.indent > first.indent + 1) break;
    const body = [lines[at].slice(item.width)];
    for (at += 1; at < lines.length; at += 1) {
      const next = lines[at];
      const indent = next.length - next.trimStart().length;
      if (!next.trim()) {
        // A blank line is the item's when what follows is.
        const after = lines[at + 1] ?? '';
        if (!after.trim() || after.length - after.trimStart().length <= item.indent) break;
        body.push('');
      } else if (indent > item.indent) {
        body.push(next.slice(Math.min(indent, item.width)));
      } else {
        break;
      }
    }
    items.push(parseMarkdown(body, depth + 1));
    while (at < lines.length && !lines[at].trim() && listItem(lines[at + 1] ?? '')) at += 1;
  }
  blocks.push({ type: 'list', ordered: first.ordered, start: first.start, items });
  return at - 1;
}

function cells(line) {
  return line.trim().replace(/^\|/, '').replace(/\|$/, '').split('|').map((cell) => parseInline(cell.trim()));
}

const INLINE = [
  ['code', /^(`+)(?!`)([^]*?[^`])\1(?!`)/],
  ['strong', /^(\*\*|__)(?=\S)([^]*?\S)\1/],
  ['emphasis', /^([*_])(?=[^\s*_])([^*_]*?[^\s*_])\1(?![A-Za-z0-9])/],
  ['link', /^\[([^\]\n]{1,300})\]\((https?:\/\/[^\s()<>]{1,2000})\)/],
  ['address', /^https?:\/\/[^\s<>"'`)\]]{1,2000}[^\s<>"'`)\].,;:!?]/],
];
/** How far an inline mark is looked for its end. */
const LONGEST_MARK = 2000;

/** Inline: `{type: 'text'|'code', text}`, `{type: 'strong'|'emphasis', inline}`, `{type: 'link', inline, address}`. */
export function parseInline(text, depth = 0) {
  const parts = [];
  let plain = '';
  const flush = () => {
    if (plain) parts.push({ type: 'text', text: plain });
    plain = '';
  };
  for (let at = 0; at < text.length;) {
    const next = text.slice(at).search(/[`*_[\\]|https?:\/\//);
    if (next < 0 || depth > 3) {
      plain += text.slice(at);
      break;
    }
    plain += text.slice(at, at + next);
    at += next;
    if (text[at] === '\\' && /[\\`*_[\](){}#+.!|<>~-]/.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    const found = match(text, at);
    if (!found) {
      plain += text[at];
      at += 1;
      continue;
    }
    flush();
    const [type, groups] = found;
    if (type === 'code') parts.push({ type, text: groups[2].replace(/^ (.*[^ ].*) $/, '$1') });
    else if (type === 'link') parts.push({ type, inline: parseInline(groups[1], depth + 1), address: groups[2] });
    else if (type === 'address') parts.push({ type: 'link', inline: [{ type: 'text', text: groups[0] }], address: groups[0] });
    else parts.push({ type, inline: parseInline(groups[2], depth + 1) });
    at += groups[0].length;
  }
  flush();
  return parts;
}

function match(text, at) {
  const rest = text.slice(at, at + LONGEST_MARK);
  for (const [type, pattern] of INLINE) {
    // file_names_like_this have no emphasis.
    if ((type === 'emphasis' || type === 'strong') && text[at] === '_' && /[A-Za-z0-9]/.test(text[at - 1] ?? '')) continue;
    const groups = rest.match(pattern);
    if (groups) return [type, groups];
  }
  return null;
}
