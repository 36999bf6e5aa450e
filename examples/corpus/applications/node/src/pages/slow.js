import { createElement as h, Suspense, use } from 'react';
import { Frame } from './frame.js';

const Weather = ({ promise }) => h('p', null, `The weather: ${use(promise)}`);

export default () => {
  const promise = new Promise((resolve) => setTimeout(resolve, 50, 'fog'));
  return h(Frame, { title: 'Slow' }, h(Suspense, { fallback: h('p', null, 'wait') }, h(Weather, { promise })));
};
