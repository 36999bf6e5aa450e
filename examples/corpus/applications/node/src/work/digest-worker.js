import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

parentPort.postMessage(createHash('blake2b512').update(workerData).digest('hex'));
