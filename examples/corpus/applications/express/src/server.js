'use strict';
// Serves the guest book; ends cleanly when it is asked to.
const { createApp } = require('./app');

const server = createApp().listen(Number(process.env.PORT), () => console.log('the book is open'));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    console.log('the book is closed');
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
