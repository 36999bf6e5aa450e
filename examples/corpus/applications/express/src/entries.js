'use strict';
const entries = [{ name: 'Ada', words: 'Fine <engine>' }, { name: 'Grace', words: 'No bugs' }];

function add({ name, words }) {
  entries.push({ name, words });
  return { number: entries.length, name };
}

module.exports = { entries, add };
