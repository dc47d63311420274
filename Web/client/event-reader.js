/** Takes a `text/event-stream` apart (HTML living standard 9.2), in pieces as they come. */
export class EventReader {
  #text = '';
  #event = null;
  /** Milliseconds that the server wants between two connections; null: it did not say. */
  retry = null;

  /** The complete events of what has come so far: `{id, event, data}`. */
  push(text) {
    const events = [];
    const lines = (this.#text + text).split(/\r\n|\n|\r/);
    this.#text = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (this.#event?.data !== undefined) events.push(this.#event);
        this.#event = null;
        continue;
      }
      if (line.startsWith(':')) continue;
      const at = line.indexOf(':');
      const name = at < 0 ? line : line.slice(0, at);
      const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
      this.#event ??= {};
      if (name === 'data') this.#event.data = this.#event.data === undefined ? value : `${this.#event.data}\n${value}`;
      else if (name === 'id' || name === 'event') this.#event[name] = value;
      else if (name === 'retry' && /^[0-9]+$/.test(value)) this.retry = Number(value);
    }
    return events;
  }
}
