// The log is written by a thread of its own, which pino finds by its target's name.
import pino from 'pino';

export const log = pino({ name: 'agency' }, pino.transport({ target: 'pino/file', options: { destination: 1 } }));
