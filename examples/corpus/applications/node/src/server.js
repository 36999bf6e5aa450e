// Serves the agency; ends cleanly when it is asked to.
import http from 'node:http';
import { answer } from './routes.js';
import { log } from './log.js';

const server = http.createServer(answer).listen(Number(process.env.PORT), () => log.info('the agency is open'));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    console.log('the agency is closed');
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
