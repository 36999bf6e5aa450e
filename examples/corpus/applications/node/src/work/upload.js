import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, createGunzip } from 'node:zlib';
import { text } from 'node:stream/consumers';

export async function work(_rest, body) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'ticket-'));
  const kept = path.join(folder, 'body');
  await writeFile(kept, body);
  let length;
  await pipeline(createReadStream(kept), createGzip(), createGunzip(), async (back) => {
    length = (await text(back)).length;
  });
  await rm(folder, { recursive: true });
  return `${kept} ${length}`;
}
