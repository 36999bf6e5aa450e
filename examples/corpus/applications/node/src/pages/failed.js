import { createElement as h } from 'react';
import { Frame } from './frame.js';

export default () => h(Frame, { title: 'Failed' }, h('p', null, 'The ship has sunk'));
