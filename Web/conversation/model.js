// A conversation as its events tell it: what is on the page follows from here and from nothing else. Pure: no page, no
// clock, no network, so that it is tested by tables of events.
//
// Items have an `id`, a `type`, a `version` that rises with each change, and `parent`, the tool of the subagent that they
// belong to. Types: prompt, text, thinking, tool, permission, turn, notice.

import { EventRecord } from './record.js';

const LIFECYCLE = new Set([
  'session.queued', 'session.starting', 'session.running', 'session.parking', 'session.parked', 'session.stopping',
  'session.stopped', 'session.failed', 'session.deleted', 'session.switched',
]);

/** What an address may be made of. */
const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class Conversation {
  /** In their order. */
  items = [];
  /** Prompts that the session has and has not begun, the oldest first. */
  waiting = [];
  /** Prompts of this page that the session has not told of yet. */
  outbox = [];
  activity = null;
  /** What the program says of itself: model, permission_mode, title, … */
  settings = {};
  usage = null;
  /** The turn that runs: `{since}`. */
  turn = null;
  /** The newest warning of the session's parking: its time. */
  parksAt = null;
  seq = 0;

  #changed = new Set();
  #tools;
  #permissions;
  #prompts;
  #retry;
  #rests;
  #switches;
  /** What it is made of, so that what came before can be put before it. */
  #record = new EventRecord();
  /** Where the session stood when it was last asked. */
  #standing = null;
  /** The items of before it was told anew, by id: they stay the same objects, and the same nodes of a page. */
  #kept = new Map();
  #count;

  constructor() {
    this.#clear();
  }

  #clear() {
    this.items = [];
    this.waiting = [];
    this.activity = null;
    this.settings = {};
    this.usage = null;
    this.turn = null;
    this.parksAt = null;
    this.seq = 0;
    this.#tools = new Map();
    this.#permissions = new Map();
    this.#prompts = new Map();
    this.#retry = null;
    this.#rests = false;
    this.#switches = false;
    this.#count = { seq: 0, items: 0 };
  }

  /** The ids of what changed since the last call. */
  takeChanges() {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** The permissions that wait for an answer, the oldest first. */
  get openPermissions() {
    return [...this.#permissions.values()].filter(({ open }) => open);
  }

  /** The item of a tool's call. */
  tool(id) {
    return this.#tools.get(id);
  }

  /** What the page is about to send. */
  sending(clientID, text, images = []) {
    this.outbox.push({
      id: `out:${clientID}`, type: 'prompt', version: 0, clientID, text, images: images.length, pictures: images,
      state: 'sending',
    });
  }

  /** The session has it, under this name. */
  delivered(clientID, promptID) {
    if (this.#prompts.has(promptID)) this.discard(clientID);
  }

  /** It was refused: it stays until somebody decides. */
  refused(clientID, reason) {
    const entry = this.outbox.find((candidate) => candidate.clientID === clientID);
    if (entry) this.#change(Object.assign(entry, { state: 'refused', reason }));
  }

  /** Why it is not with the session yet. */
  delayed(reason) {
    for (const entry of this.outbox) {
      if (entry.state === 'sending') this.#change(Object.assign(entry, { reason }));
    }
  }

  discard(clientID) {
    this.outbox = this.outbox.filter((entry) => entry.clientID !== clientID);
  }

  /** Takes one event; they come once each and in order. */
  apply(event) {
    this.#record.push(event);
    this.#tell(event);
  }

  /**
   * Puts events before all that it has, and tells everything anew: what begins in the one and ends in the other belongs
   * together.
   */
  prepend(events) {
    this.#record.prepend(events);
    const [standing, seq] = [this.#standing, this.seq];
    for (const item of [...this.items, ...this.waiting]) this.#kept.set(item.id, item);
    this.#clear();
    let isPut = !standing;
    for (const event of this.#record.events) {
      if (!isPut && event.seq > standing.seq) {
        this.#reconcile(standing);
        isPut = true;
      }
      this.#tell(event);
    }
    if (!isPut) this.#reconcile(standing);
    this.seq = seq;
    this.#kept.clear();
  }

  #tell(event) {
    const { type, data = {}, seq } = event;
    this.seq = Math.max(this.seq, seq);
    switch (type) {
      case 'input.accepted': this.#accepted(event, data); break;
      case 'input.delivered': this.#begin(data.prompt_id); break;
      case 'prompt.queued': {
        const prompt = this.#prompts.get(data.prompt_id);
        if (prompt?.state === 'sent') this.#change(Object.assign(prompt, { state: 'queued' }));
        break;
      }
      case 'prompt.withdrawn': this.#withdrawn(event, data); break;
      case 'turn.started':
        this.turn = { since: event.time };
        for (const id of data.prompt_ids ?? []) this.#begin(id);
        break;
      case 'turn.retrying': this.#retrying(event, data); break;
      case 'turn.completed': this.#ended(event, data); break;
      case 'message.user': this.#userMessage(event, data); break;
      case 'message.delta': this.#delta(event, data); break;
      case 'message.assistant': this.#message(event, data, 'text'); break;
      case 'message.thinking': this.#message(event, data, 'thinking'); break;
      case 'tool.started': this.#toolStarted(event, data); break;
      case 'tool.progress': {
        const tool = this.#tools.get(data.tool_use_id);
        if (tool?.state === 'running') this.#change(Object.assign(tool, { elapsed: data.elapsed_seconds }));
        break;
      }
      case 'tool.completed': this.#toolCompleted(event, data); break;
      case 'task.started': this.#notice(event, 'task', `In the background: ${data.description ?? data.task_id}`); break;
      case 'task.completed':
        this.#notice(event, 'task', `In the background, ${data.status ?? 'done'}: ${data.description ?? data.task_id}`);
        break;
      case 'permission.requested': this.#ask(data, seq, event.time); break;
      case 'permission.resolved': this.#resolve(data.id, data, seq); break;
      case 'session.activity': this.activity = data.activity; break;
      case 'session.settings': Object.assign(this.settings, data); break;
      case 'session.reap_warning': this.parksAt = data.at ?? null; break;
      case 'usage.updated': this.usage = data; break;
      case 'session.oom': this.#notice(event, 'bad', 'Something in the session was ended for want of memory.'); break;
      case 'cli.dropped':
        this.#notice(event, 'bad', `${data.bytes} bytes that Claude Code wrote are left out: ${data.reason}.`);
        break;
      case 'channel.reply': this.#notice(event, 'channel', `Claude, to ${data.chat_id ?? 'a chat'}: ${data.text ?? ''}`); break;
      case 'channel.status':
        this.#notice(event, 'channel', `Claude, to ${data.chat_id ?? 'a chat'}: ${[data.status, data.detail].filter(Boolean).join(', ')}`);
        break;
      case 'session.forked': this.#forked(event, data); break;
      case 'gap': this.#gap(event); break;
      default: if (LIFECYCLE.has(type)) this.#lifecycle(event, type, data);
    }
  }

  /**
   * Compares what is open with where the session stands (`state`'s answer) as of `standing.seq`: what it does not have
   * any more is closed, and what came before the first event of this page is added.
   */
  reconcile(standing) {
    this.#standing = standing;
    this.#reconcile(standing);
  }

  #reconcile(standing) {
    const { seq } = standing;
    const open = new Set((standing.permissions ?? []).map(({ id }) => id));
    for (const item of this.#permissions.values()) {
      if (item.open && item.seq <= seq && !open.has(item.data.id)) this.#resolve(item.data.id, { resolution: 'withdrawn' }, seq);
    }
    for (const data of standing.permissions ?? []) this.#ask(data, seq, data.since);
    const queued = new Set((standing.queued ?? []).map(({ prompt_id: id }) => id));
    for (const prompt of [...this.waiting]) {
      if (prompt.seq <= seq && !queued.has(prompt.promptID)) this.#begin(prompt.promptID);
    }
    for (const { prompt_id: id, text, by } of standing.queued ?? []) {
      if (!this.#prompts.has(id)) this.#wait({ id: `p:${id}`, promptID: id, seq, text, by, images: 0 }, 'queued');
    }
    if (seq >= this.seq) {
      this.activity = standing.activity ?? this.activity;
      Object.assign(this.settings, standing.settings);
      this.usage = standing.usage ?? this.usage;
      this.turn = standing.turn ? { since: standing.turn.since } : null;
    }
  }

  // Prompts

  #accepted(event, data) {
    const own = data.client_id && this.outbox.find(({ clientID }) => clientID === data.client_id);
    if (own) this.discard(data.client_id);
    const id = data.prompt_id;
    // What was typed into a terminal comes back as the message that it became.
    if (!id || this.#prompts.has(id)) return;
    this.#wait({
      id: `p:${id}`, promptID: id, seq: event.seq, time: event.time, text: data.text ?? '', by: data.by,
      images: data.images ?? 0, pictures: own?.pictures,
    }, this.turn || this.activity === 'working' || this.activity === 'pending' ? 'queued' : 'sent');
  }

  #wait(prompt, state) {
    const known = this.#kept.get(prompt.id);
    const pictures = prompt.pictures ?? known?.pictures;
    const item = this.#keep({ type: 'prompt', version: 0, state, ...prompt, pictures });
    this.#prompts.set(item.promptID, item);
    this.waiting.push(item);
    this.#changed.add(item.id);
  }

  #begin(id) {
    const at = this.waiting.findIndex(({ promptID }) => promptID === id);
    if (at < 0) return;
    const [prompt] = this.waiting.splice(at, 1);
    this.items.push(this.#change(Object.assign(prompt, { state: 'begun' })));
  }

  #withdrawn(event, data) {
    const prompt = this.#prompts.get(data.prompt_id);
    this.waiting = this.waiting.filter(({ promptID }) => promptID !== data.prompt_id);
    const words = prompt ? `: ${shorten(prompt.text)}` : '';
    this.#notice(event, 'plain', `${data.by ?? 'Somebody'} took back a prompt that waited${words}`);
  }

  #userMessage(event, data) {
    const known = data.prompt_id && this.#prompts.get(data.prompt_id);
    if (known) {
      this.#begin(data.prompt_id);
      // The journal's words of it may be cut, and so may these.
      return;
    }
    this.#add(event, 'prompt', { text: data.text ?? '', images: 0, state: 'begun', cut: cutOf(data), parent: data.parent_tool_use_id });
  }

  // Turns

  #ended(event, data) {
    this.turn = null;
    this.#retry = null;
    this.#settle();
    this.#add(event, 'turn', {
      outcome: data.outcome, reason: data.reason, message: data.outcome === 'failed' ? data.message : undefined,
      duration: data.duration_ms, cost: data.cost_usd, usage: data.usage, steps: data.num_turns, denials: data.denials,
    });
  }

  /** Nothing is being written any more. */
  #settle() {
    for (let at = this.items.length - 1; at >= 0 && this.items[at].type !== 'turn'; at -= 1) {
      const item = this.items[at];
      if (item.streaming) this.#change(Object.assign(item, { streaming: false, isPart: true }));
    }
  }

  #retrying(event, data) {
    const why = [data.status, data.error].filter(Boolean).join(' ');
    const text = `The model did not answer${why ? ` (${why})` : ''}: attempt ${data.attempt} of ${data.max_retries}, `
      + `again in ${Math.round((data.delay_ms ?? 0) / 1000)} s.`;
    if (this.#retry) this.#change(Object.assign(this.#retry, { text }));
    else this.#retry = this.#notice(event, 'bad', text);
  }

  // Messages

  #delta(event, data) {
    const type = data.kind === 'thinking' ? 'thinking' : 'text';
    const open = this.#written(data.message_id, type, (item) => item.index === data.index);
    if (open) {
      open.text += data.text;
      this.#change(open);
    } else {
      this.#add(event, type, {
        text: data.text, messageID: data.message_id, index: data.index, streaming: true, parent: data.parent_tool_use_id,
      });
    }
  }

  #message(event, data, type) {
    const open = data.message_id && this.#written(data.message_id, type);
    if (!open) {
      this.#add(event, type, {
        text: data.text ?? '', messageID: data.message_id, streaming: false, cut: cutOf(data), parent: data.parent_tool_use_id,
      });
      return;
    }
    // Of a text that is cut the pieces may have more.
    if (!data.truncated) open.text = data.text ?? '';
    else if (open.text.length < (data.text ?? '').length) Object.assign(open, { text: data.text, cut: cutOf(data) });
    this.#change(Object.assign(open, { streaming: false, isPart: false }));
  }

  /** The first message of this name that is being written, or of which only a part was told when the program ended. */
  #written(messageID, type, matches = () => true) {
    for (let at = Math.max(0, this.items.length - 200); at < this.items.length; at += 1) {
      const item = this.items[at];
      if ((item.streaming || item.isPart) && item.type === type && item.messageID === messageID && matches(item)) return item;
    }
    return null;
  }

  // Tools

  #toolStarted(event, data) {
    this.#tools.set(data.tool_use_id, this.#add(event, 'tool', {
      toolID: data.tool_use_id, name: data.tool_name ?? '', input: data.tool_input ?? null, state: 'running',
      parent: data.parent_tool_use_id,
    }));
  }

  #toolCompleted(event, data) {
    const state = data.interrupted ? 'interrupted' : data.is_error ? 'failed' : 'done';
    const result = data.output ?? data.error ?? null;
    const tool = this.#tools.get(data.tool_use_id);
    if (tool) this.#change(Object.assign(tool, { state, output: result }));
    else {
      this.#tools.set(data.tool_use_id, this.#add(event, 'tool', {
        toolID: data.tool_use_id, name: data.tool_name ?? '', input: null, state, output: result,
      }));
    }
  }

  // Permissions

  #ask(data, seq, time) {
    if (this.#permissions.has(data.id)) return;
    this.#permissions.set(data.id, this.#add({ seq, time }, 'permission', { id: `q:${data.id}`, data, open: true }));
  }

  #resolve(id, resolution, seq) {
    const item = this.#permissions.get(id);
    if (!item) {
      // It was asked before this page's first event: nothing to show, and nothing to ask again.
      this.#permissions.set(id, { data: { id }, open: false, seq });
      return;
    }
    if (item.open) this.#change(Object.assign(item, { open: false, resolution }));
  }

  // The session

  #lifecycle(event, type, data) {
    const name = type.slice('session.'.length);
    if (['parked', 'stopped', 'failed'].includes(name)) {
      this.#settle();
      this.turn = null;
      this.activity = null;
      for (const item of this.openPermissions) this.#resolve(item.data.id, { resolution: 'withdrawn', via: 'session' }, event.seq);
      // Between two kinds it is parked for a moment.
      if (this.#switches && name === 'parked') return;
      this.#rests = true;
      const reason = data.reason && data.reason !== 'requested' ? ` (${String(data.reason).replace(/_/g, ' ')})` : '';
      this.#notice(event, name === 'failed' ? 'bad' : 'plain', `The session was ${name === 'failed' ? 'ended: it failed' : name}${reason}.`);
    } else if (name === 'running') {
      this.parksAt = null;
      if (this.#rests) this.#notice(event, 'plain', 'The session runs again.');
      this.#rests = false;
      this.#switches = false;
    } else if (name === 'switched') {
      this.#switches = true;
      this.#notice(event, 'plain', `${data.by ?? 'Somebody'} went on with it as a ${data.kind === 'terminal' ? 'terminal' : 'chat'}.`);
    }
  }

  #forked(event, data) {
    const left = Array.isArray(data.left) ? data.left.length : data.left;
    const without = left ? ` ${left} ${left === 1 ? 'file was' : 'files were'} not copied.` : '';
    const notice = this.#notice(event, 'plain', `${data.by ?? 'Somebody'} began this session as a copy of another.${without}`);
    if (SESSION.test(data.from)) notice.session = data.from;
  }

  #gap(event) {
    this.#settle();
    this.#notice(event, 'gap', 'Part of what happened before this is not kept any more.');
  }

  #notice(event, tone, text) {
    return this.#add(event, 'notice', { tone, text });
  }

  #add({ seq, time }, type, members) {
    // An event can give rise to several items; an item's id outlives its changes.
    this.#count = { seq, items: this.#count.seq === seq ? this.#count.items + 1 : 0 };
    const item = this.#keep({ id: `${seq}:${type}:${this.#count.items}`, type, version: 0, seq, time, ...members });
    this.items.push(item);
    this.#changed.add(item.id);
    return item;
  }

  /** The object that stood for the item before, if there was one. */
  #keep(item) {
    const known = this.#kept.get(item.id);
    if (!known) return item;
    const { version } = known;
    for (const name of Object.keys(known)) delete known[name];
    return Object.assign(known, item, { version: version + 1 });
  }

  #change(item) {
    item.version += 1;
    this.#changed.add(item.id);
    return item;
  }
}

function cutOf(data) {
  return data.truncated ? data.bytes ?? true : undefined;
}

function shorten(text) {
  const line = text.trim().split('\n', 1)[0];
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
