'use strict';
const zlib = require('node:zlib');
const { entries } = require('../entries');

module.exports = () => {
  const packed = zlib.brotliCompressSync(JSON.stringify(entries));
  return `unpacked: ${JSON.parse(zlib.brotliDecompressSync(packed))[0].name}`;
};
