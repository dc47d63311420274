/** Named events with listeners; one that throws is logged and harms nobody. */
export class Emitter {
  #listeners = new Map();

  /** Answers a function that takes the listener away again. */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.off(event, listener);
  }

  off(event, listener) {
    this.#listeners.get(event)?.delete(listener);
  }

  emit(event, ...values) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(...values);
      } catch (error) {
        console.error(`a listener of '${event}' failed:`, error);
      }
    }
  }
}
