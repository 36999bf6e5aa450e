'use strict';
const path = require('node:path');
const express = require('express');
const { entries, add } = require('./entries');

function createApp() {
  const app = express();
  app.set('views', path.join(__dirname, '..', 'views'));
  app.set('view engine', 'ejs');
  app.use(express.static(path.join(__dirname, '..', 'public')));
  app.use(express.json());
  app.use(express.urlencoded({ extended: true }));

  app.get('/', (request, response) => response.json({ entries: entries.length }));
  app.get('/book', (request, response) => response.render('book', { entries }));
  app.post('/book', (request, response) => response.status(201).json(add(request.body)));
  app.use('/reports', require('./routes/reports'));
  app.use('/world', require('./routes/world'));
  app.get('/broken', () => { throw new Error('ink'); });

  app.use((request, response) => response.status(404).render('error', { message: 'No such page in the book' }));
  app.use((error, request, response, next) => {
    response.status(error.status ?? 500).render('error', { message: 'The ink ran out' });
  });
  return app;
}

module.exports = { createApp };
