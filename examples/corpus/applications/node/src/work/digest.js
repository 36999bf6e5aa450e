// Counted in a thread of its own.
import { Worker } from 'node:worker_threads';

export const work = ([word]) => new Promise((resolve, reject) => {
  const worker = new Worker(new URL('./digest-worker.js', import.meta.url), { workerData: word });
  worker.once('message', resolve).once('error', reject);
});
