// The events that a conversation is made of, as short as they tell the same. Pure.

export class EventRecord {
  /** In their order. */
  events = [];

  push(event) {
    const last = this.events.at(-1);
    // A text comes in hundreds of pieces.
    if (event.type === 'message.delta' && last?.type === 'message.delta' && isSamePart(last.data, event.data)) {
      this.events[this.events.length - 1] = { ...last, data: { ...last.data, text: last.data.text + event.data.text } };
    } else if (event.type === 'tool.progress' && last?.type === 'tool.progress' && last.data.tool_use_id === event.data.tool_use_id) {
      this.events[this.events.length - 1] = event;
    } else {
      this.events.push(event);
    }
  }

  /** Puts what came before in front. What is missing before the first of it, it says itself. */
  prepend(events) {
    if (events.length === 0) return;
    if (events[0].type === 'gap' && this.events[0]?.type === 'gap') this.events.shift();
    this.events = [...events, ...this.events];
  }
}

function isSamePart(one, other) {
  return one.message_id === other.message_id && one.index === other.index && one.kind === other.kind;
}
