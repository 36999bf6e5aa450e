'use strict';
// Each report is a module of its own, required only when somebody asks for it.
const router = require('express').Router();

router.get('/:kind', (request, response, next) => {
  if (!['packed', 'digest'].includes(request.params.kind)) return next();
  const report = require(`../reports/${request.params.kind}`);
  return response.type('text').send(report());
});

module.exports = router;
