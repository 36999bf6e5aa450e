// A page as HTML: React streams it, and what it waits for comes later in the same answer.
import { createElement } from 'react';
import { renderToPipeableStream } from 'react-dom/server';
import { log } from './log.js';

export async function render(response, name, status) {
  const { default: Page } = await import(`./pages/${name}.js`);
  await new Promise((resolve, reject) => {
    const stream = renderToPipeableStream(createElement(Page), {
      onShellReady() {
        response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' });
        stream.pipe(response).on('finish', resolve);
      },
      onShellError: reject,
      onError: (error) => log.error(error),
    });
  });
}
