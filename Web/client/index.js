// Rookery's client library: no dependencies, for browsers and Node (18 or later; before 22 hand in a WebSocket class).
export { ClaudeSocket, default } from './claude-socket.js';
export { RookerySession } from './rookery-session.js';
export { RookeryTerminal } from './terminal.js';
export { RookeryError } from './transport.js';
