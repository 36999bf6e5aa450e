import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { log } from './log.js';
import { render } from './render.js';

const PAGES = { '/trips': 'trips', '/slow': 'slow', '/broken': 'broken' };

// Each way to answer is a module of its own, imported only when somebody asks for it.
const WORKS = ['clock', 'digest', 'mail', 'money', 'names', 'picture', 'tls', 'upload', 'visa'];

export async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const [, first, ...rest] = url.pathname.split('/').map(decodeURIComponent);
  try {
    if (url.pathname === '/') return response.end('the agency is open');
    if (first === 'public' && rest[0] === 'agency.css') return await file(response);
    if (url.pathname in PAGES) return await render(response, PAGES[url.pathname], 200);
    if (!WORKS.includes(first)) return await render(response, 'missing', 404);
    const { work } = await import(`./work/${first}.js`);
    return response.end(await work(rest, request.method === 'POST' ? await text(request) : ''));
  } catch (error) {
    log.error(error);
    return await render(response, 'failed', 500);
  }
}

async function file(response) {
  response.setHeader('Content-Type', 'text/css');
  await pipeline(createReadStream(new URL('../public/agency.css', import.meta.url)), response);
}
