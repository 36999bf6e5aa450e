// Whom does a client trust: all the authorities of the system, and not a server that vouches for itself.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import tls from 'node:tls';

export async function work() {
  const ca = (await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8')).match(/-----BEGIN[^]+?-----END.+/g);
  const pem = await readFile(new URL('../../loopback.pem', import.meta.url));
  const server = tls.createServer({ key: pem, cert: pem }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({ port: server.address().port, host: '127.0.0.1', servername: 'localhost', ca });
  const refused = await new Promise((resolve) => {
    client.once('error', (error) => resolve(error.code)).once('secureConnect', () => resolve('nothing'));
  });
  client.destroy();
  server.close();
  return `${ca.length} authorities, refused: ${refused}`;
}
