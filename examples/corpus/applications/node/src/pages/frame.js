import { createElement as h } from 'react';

export const Frame = ({ title, children }) => h('html', null,
  h('head', null, h('title', null, title), h('link', { rel: 'stylesheet', href: '/public/agency.css' })),
  h('body', null, children));
