'use strict';
const dns = require('node:dns/promises');
const { once } = require('node:events');
const fs = require('node:fs/promises');
const os = require('node:os');
const path = require('node:path');
const tls = require('node:tls');
const router = require('express').Router();

router.get('/time/:area/:place', (request, response) => {
  const { DateTime } = require('luxon');
  const zone = `${request.params.area}/${request.params.place}`;
  response.send(DateTime.fromISO('2026-01-01T12:00:00Z').setZone(zone).setLocale('de').toFormat('cccc HH:mm ZZ'));
});
router.get('/clock', (request, response) => {
  const { execFileSync } = require('node:child_process');
  const env = { ...process.env, TZ: 'Asia/Tokyo' };
  response.send(execFileSync('date', ['-d', '@1767268800', '+%H:%M %Z'], { env }));
});
router.get('/bytes/:codec', (request, response) => {
  const iconv = require('iconv-lite');
  response.send(iconv.encode('東京', request.params.codec).toString('hex'));
});
router.get('/host/:name', (request, response) => response.send(new URL(`http://${request.params.name}/`).hostname));
router.get('/names', async (request, response) => {
  response.json({ address: (await dns.lookup('localhost', 4)).address, user: os.userInfo().username });
});
router.get('/trust', async (request, response) => {
  const bundle = await fs.readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8');
  tls.createSecureContext({ ca: bundle });
  response.json({ certificates: bundle.split('BEGIN CERTIFICATE').length - 1, own: tls.rootCertificates.length });
});
router.get('/tls', async (request, response) => {
  // A server that vouches for itself: who trusts the system's authorities must refuse it.
  const ca = (await fs.readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8')).match(/-----BEGIN[^]+?-----END.+/g);
  const pem = await fs.readFile(path.join(__dirname, '..', '..', 'loopback.pem'));
  const server = tls.createServer({ key: pem, cert: pem }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({ port: server.address().port, host: '127.0.0.1', servername: 'localhost', ca });
  client.once('error', (error) => response.json({ trusted: ca.length, refused: error.code }));
  client.once('secureConnect', () => response.json({ trusted: ca.length, refused: null }));
  client.once('close', () => server.close());
});
router.post('/upload', async (request, response) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'upload-'));
  await fs.writeFile(path.join(folder, 'body'), JSON.stringify(request.body));
  response.json({ kept: folder });
  await fs.rm(folder, { recursive: true });
});

module.exports = router;
