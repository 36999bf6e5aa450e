import { createElement as h } from 'react';
import { Frame } from './frame.js';
import { trips } from '../trips.js';

export default () => h(Frame, { title: 'Trips' }, h('ul', null, trips.map(({ to, days }) =>
  h('li', { key: to }, `${to}: ${days} days`))));
