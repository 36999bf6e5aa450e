import { lookup } from 'node:dns/promises';
import os from 'node:os';

export const work = async () => `${(await lookup('localhost', 4)).address} ${os.userInfo().username}`;
