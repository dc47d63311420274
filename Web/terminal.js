// The terminal on the screen: xterm.js, its size, its keys and its colours. Knows nothing of sessions.
import { FitAddon } from './vendor/addon-fit.js';
import { Terminal } from './vendor/xterm.js';

const dark = {
  background: '#12161d', foreground: '#e3e7ee', cursor: '#e0b060', selectionBackground: '#3b4a63',
  black: '#1b212b', red: '#f0776b', green: '#5fbf85', yellow: '#e0b060', blue: '#6aa9f0', magenta: '#c792e0',
  cyan: '#5cc5cf', white: '#ccd3dd', brightBlack: '#76828f', brightRed: '#ff9a90', brightGreen: '#86d9a6',
  brightYellow: '#f3cd88', brightBlue: '#93c4ff', brightMagenta: '#dfb3f3', brightCyan: '#8fe0e7',
  brightWhite: '#ffffff',
};
const light = {
  background: '#fbfbf9', foreground: '#20242b', cursor: '#8a5a0b', selectionBackground: '#cfdcf0',
  black: '#20242b', red: '#b3261e', green: '#1e7a45', yellow: '#8a5a0b', blue: '#1c62b0', magenta: '#7b3fa0',
  cyan: '#0f6f7a', white: '#6b7280', brightBlack: '#5b6470', brightRed: '#c9392f', brightGreen: '#258a50',
  brightYellow: '#9a6a12', brightBlue: '#2a74c7', brightMagenta: '#8e50b5', brightCyan: '#178492',
  brightWhite: '#20242b',
};

export const KEYS = {
  escape: '\x1b', interrupt: '\x03', tab: '\t', backtab: '\x1b[Z', enter: '\r',
  up: '\x1b[A', down: '\x1b[B', right: '\x1b[C', left: '\x1b[D',
};
const APPLICATION_KEYS = { up: '\x1bOA', down: '\x1bOB', right: '\x1bOC', left: '\x1bOD' };

export class TerminalView {
  /** Bytes the person typed: a Uint8Array. */
  onInput = () => {};
  /** A person pressed a key or pasted, whether it becomes input or not. */
  onTouch = () => {};
  /** The grid that fits changed: (cols, rows). */
  onFit = () => {};
  /** F6: the person leaves the terminal by keyboard. */
  onLeave = () => {};

  /** Settled once the final renderer draws, which may change the cells' size. */
  ready;

  #terminal;
  #fit = new FitAddon();
  #encoder = new TextEncoder();
  #node;
  #fixed = false;
  #reported = '';

  constructor(node) {
    this.#node = node;
    const lightScheme = matchMedia('(prefers-color-scheme: light)');
    const theme = () => (lightScheme.matches ? light : dark);
    this.#terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: true,
      fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      fontSize: matchMedia('(max-width: 620px)').matches ? 12 : 14,
      macOptionIsMeta: true,
      minimumContrastRatio: 4.5, // Claude Code's colours are chosen for dark grounds
      rescaleOverlappingGlyphs: true,
      scrollback: 5000,
      theme: theme(),
    });
    lightScheme.addEventListener('change', () => { this.#terminal.options.theme = theme(); });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.onData((text) => this.onInput(this.#encoder.encode(text)));
    this.#terminal.onBinary((text) => this.onInput(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    this.#terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    this.#terminal.open(node);
    for (const event of ['keydown', 'paste']) node.addEventListener(event, () => this.onTouch(), true);
    this.fit();
    new ResizeObserver(() => this.fit()).observe(node);
    document.fonts?.ready.then(() => this.fit());
    this.ready = this.#loadExtras();
  }

  async #loadExtras() {
    try {
      const [{ WebLinksAddon }, { WebglAddon }] = await Promise.all(
        [import('./vendor/addon-web-links.js'), import('./vendor/addon-webgl.js')]);
      this.#terminal.loadAddon(new WebLinksAddon((event, uri) => window.open(uri, '_blank', 'noopener,noreferrer')));
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose()); // xterm.js goes on with its DOM renderer
      this.#terminal.loadAddon(webgl);
      this.fit();
    } catch (error) {
      console.info('the terminal draws without WebGL:', error.message);
    }
  }

  #key(event) {
    if (event.type !== 'keydown') return true;
    if (event.key === 'F6') {
      event.preventDefault();
      this.onLeave();
      return false;
    }
    if (event.key === 'Enter' && event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      this.onInput(this.#encoder.encode('\x1b\r')); // a new line in Claude Code's prompt
      return false;
    }
    if (event.ctrlKey && event.shiftKey && event.code === 'KeyC' && this.#terminal.hasSelection()) {
      event.preventDefault();
      navigator.clipboard?.writeText(this.#terminal.getSelection());
      return false;
    }
    return true;
  }

  /** Types one of KEYS, as the program on the other side wants its arrow keys. */
  press(name) {
    const keys = this.#terminal.modes.applicationCursorKeysMode ? { ...KEYS, ...APPLICATION_KEYS } : KEYS;
    this.onInput(this.#encoder.encode(keys[name]));
  }

  get size() {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** The grid that fits the page, whatever is shown now. */
  get fitting() {
    return this.#fit.proposeDimensions() ?? this.size;
  }

  /** Takes the size that fits the page, unless another client's size is shown. */
  fit() {
    if (this.#fixed || this.#node.clientWidth === 0) return;
    this.#fit.fit();
    const { cols, rows } = this.size;
    if (this.#reported === `${cols}x${rows}`) return;
    this.#reported = `${cols}x${rows}`;
    this.onFit(cols, rows);
  }

  /** Keeps the grid as it is told, scrolled when it is larger than the page: another client owns the size. */
  follow() {
    this.#fixed = true;
    this.#node.classList.add('viewing');
  }

  /** Takes the size of the page and reports it, whatever was shown before. */
  lead() {
    this.#fixed = false;
    this.#reported = '';
    this.#node.classList.remove('viewing');
    this.fit();
  }

  resize(cols, rows) {
    if (cols !== this.#terminal.cols || rows !== this.#terminal.rows) this.#terminal.resize(cols, rows);
  }

  /** Draws bytes or text; `done` is called when they have been parsed. */
  write(data, done) {
    this.#terminal.write(data, done);
  }

  /** Replaces everything by a repaint of the whole screen. */
  repaint(data, done) {
    this.#terminal.reset();
    this.#terminal.write(data, () => {
      if (this.#fixed) this.#node.scrollTop = this.#node.scrollHeight; // the prompt is at the bottom
      done?.();
    });
  }

  focus() {
    this.#terminal.focus();
  }

  /** The visible lines, for tests and for people who debug. */
  get text() {
    const buffer = this.#terminal.buffer.active;
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? '').join('\n');
  }
}
