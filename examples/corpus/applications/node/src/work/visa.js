// What a script in the shell says.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const work = async ([country]) => (await promisify(execFile)('bin/visa', [country])).stdout;
