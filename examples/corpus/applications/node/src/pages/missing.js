import { createElement as h } from 'react';
import { Frame } from './frame.js';

export default () => h(Frame, { title: 'Missing' }, h('p', null, 'Nobody travels there'));
