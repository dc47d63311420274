export type Unsubscribe = () => void;
export type WebSocketClass = new (url: string) => WebSocket;

// claude-socket

export interface ClaudeSocketOptions {
  session?: string;
  user?: string;
  reconnect?: boolean;
  /** Milliseconds before the first reconnection; each doubles the next. */
  reconnectDelay?: number;
  maxReconnectDelay?: number;
  /** For Node before version 22. */
  WebSocket?: WebSocketClass;
}

export interface ReplyMessage { type: 'reply'; session_id: string; message_id: string; content: string; ts: string }
export interface StatusMessage { type: 'status'; session_id: string; status: string; detail?: string }
export interface HistoryEntry { role: 'user' | 'assistant'; content: string; ts: string }
export interface HistoryMessage { type: 'history'; session_id: string; messages: HistoryEntry[] }
export interface PermissionRequestMessage {
  type: 'permission_request';
  session_id: string;
  request_id: string;
  tool_name: string;
  description: string;
  input_preview: string;
}
export interface ErrorMessage { type: 'error'; session_id: string; message: string }
export type ServerMessage =
  | ReplyMessage | StatusMessage | HistoryMessage | PermissionRequestMessage | ErrorMessage
  | { type: string; [key: string]: unknown };

export interface ClaudeSocketEvents {
  connected: () => void;
  disconnected: () => void;
  reply: (message: ReplyMessage) => void;
  status: (message: StatusMessage) => void;
  history: (message: HistoryMessage) => void;
  permission_request: (message: PermissionRequestMessage) => void;
  error: (message: ErrorMessage) => void;
  /** Every message of the server, after the event of its own type. */
  message: (message: ServerMessage) => void;
}

export class ClaudeSocket {
  constructor(url: string, options?: ClaudeSocketOptions);
  readonly connected: boolean;
  readonly connecting: boolean;
  connect(): void;
  send(content: string): void;
  fetchHistory(limit?: number): void;
  respondToPermission(requestID: string, allowed: boolean): void;
  disconnect(): void;
  on<Name extends keyof ClaudeSocketEvents>(event: Name, listener: ClaudeSocketEvents[Name]): Unsubscribe;
  off<Name extends keyof ClaudeSocketEvents>(event: Name, listener: ClaudeSocketEvents[Name]): void;
}
export default ClaudeSocket;

// The native API

export interface ConnectionOptions {
  /** `https://host`; in a page, the page's own server when left out. */
  server?: string;
  /** A bearer token, or a share link’s secret (`rs_…`); in a page that is logged in, left out. */
  token?: string;
  fetch?: typeof fetch;
  WebSocket?: WebSocketClass;
}

export interface RookerySessionOptions extends ConnectionOptions {
  /** Events above this number are told; left out: those from now on. */
  since?: number;
  /** Without `since`: so many of the newest events are told first (1 to 1000). */
  tail?: number;
  reconnectDelay?: number;
  maxReconnectDelay?: number;
  /** The part of each delay that is left to chance, 0 to 1. */
  jitter?: number;
  /** Milliseconds of silence after which a connection counts as dead. */
  silence?: number;
  /** Messages that may wait for the server. */
  queueLimit?: number;
}

export interface SessionEvent {
  seq: number;
  time: string;
  session_id: string;
  incarnation: number;
  type: string;
  data: Record<string, unknown>;
}

export interface PermissionAnswer {
  message?: string;
  updatedInput?: Record<string, unknown>;
  /** Of a question: `{question: answer}`. */
  answers?: Record<string, string>;
  remember?: 'session' | 'tenant';
  /** With a deny: the turn ends too. */
  interrupt?: boolean;
}

export interface PromptImage {
  media_type: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
  /** Base64. */
  data: string;
}

/** A command of `POST …/commands`, as the stream's page lists them. */
export interface SessionCommand { type: string; [key: string]: unknown }

export class RookeryError extends Error {
  /** The HTTP status; 0 when the server was not reached. */
  readonly status: number;
  readonly code: string;
  readonly problem: Record<string, unknown>;
  readonly retryAfter?: number;
  /** Whether the same request may succeed later. */
  readonly temporary: boolean;
}

export class RookerySession {
  static create(body?: Record<string, unknown>, options?: RookerySessionOptions & { key?: string }): Promise<RookerySession>;
  constructor(id: string, options?: RookerySessionOptions);
  readonly id: string;
  readonly since: number | null;
  readonly pending: number;
  /** Whether there are events before those that `tail` told. */
  readonly hasEarlier: boolean;
  readonly openPermissions: Map<string, Record<string, unknown>>;
  on(event: 'connected' | 'disconnected', listener: () => void): Unsubscribe;
  /** `delayed`: a message waits for a server that could not take it just now. */
  on(event: 'error' | 'delayed', listener: (error: RookeryError) => void): Unsubscribe;
  on(event: 'event' | string, listener: (event: SessionEvent) => void): Unsubscribe;
  off(event: string, listener: (...values: never[]) => void): void;
  open(): void;
  close(): void;
  hurry(): void;
  /** A page of events backwards from `before`, oldest first; the answer's `before` is null at the beginning. */
  history(options?: { before?: number; limit?: number }): Promise<{ items: SessionEvent[]; before: number | null }>;
  /** The events before those that were told, by pages, oldest first; empty when there are none. */
  earlier(limit?: number): Promise<SessionEvent[]>;
  send(text: string, options?: { submit?: boolean; clientID?: string }): Promise<{ seq: number }>;
  prompt(text: string, options?: { images?: PromptImage[]; clientID?: string }): Promise<{ seq: number; prompt_id: string; queued: boolean }>;
  withdraw(promptID: string): Promise<unknown>;
  command(command: SessionCommand): Promise<Record<string, unknown>>;
  setModel(model: string): Promise<unknown>;
  setPermissionMode(mode: string): Promise<{ mode: string }>;
  rename(title: string): Promise<unknown>;
  state(): Promise<Record<string, unknown>>;
  answer(permissionID: string, decision: 'allow' | 'deny', answer?: PermissionAnswer): Promise<unknown>;
  permissions(): Promise<unknown>;
  interrupt(): Promise<void>;
  resume(): Promise<unknown>;
  stop(): Promise<unknown>;
  park(): Promise<unknown>;
  switchKind(kind: 'terminal' | 'structured'): Promise<unknown>;
  info(): Promise<Record<string, unknown>>;
  terminal(options?: TerminalOptions & { wake?: boolean }): RookeryTerminal;
}

export interface TerminalOptions { cols?: number; rows?: number; mode?: 'view' | 'drive' }

export interface RookeryTerminalEvents {
  connected: () => void;
  disconnected: (close: { code: number; reason: string }) => void;
  /** Call `done` when the bytes are drawn. */
  output: (bytes: Uint8Array, done: () => void) => void;
  /** Reset the terminal, give it this size, draw the bytes, call `done`. */
  snapshot: (screen: { cols: number; rows: number; bytes: Uint8Array }, done: () => void) => void;
  state: (message: Record<string, unknown>) => void;
  driver: (message: Record<string, unknown>) => void;
  exit: (message: Record<string, unknown>) => void;
  reap_warning: (message: Record<string, unknown>) => void;
  error: (message: Record<string, unknown> | RookeryError) => void;
}

export class RookeryTerminal {
  readonly connected: boolean;
  on<Name extends keyof RookeryTerminalEvents>(event: Name, listener: RookeryTerminalEvents[Name]): Unsubscribe;
  off<Name extends keyof RookeryTerminalEvents>(event: Name, listener: RookeryTerminalEvents[Name]): void;
  connect(): void;
  close(): void;
  type(input: string | Uint8Array): boolean;
  resize(cols: number, rows: number): void;
  takeOver(): void;
}
