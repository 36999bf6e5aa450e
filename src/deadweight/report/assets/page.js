// The page: its state, and what keys, pointer and buttons do to it.

const VIEWS = [['directory', 'Directory'], ['owner', 'Package'], ['layer', 'Layer']];
const UNITS = ['Unpacked', 'Wire'];
const THEME = 'deadweight-theme';
const byId = id => document.getElementById(id);

class Page {
  constructor(cells) {
    this.cells = cells;
    this.hierarchies = {};
    this.unit = UNPACKED;
    this.filter = null;
    this.cursor = null;      // the box that the arrow keys moved to
    this.pointed = null;
    this.holder = byId('canvas');
    this.panel = new Panel(byId('panel'), this);
    byId('map').hidden = false;
    this.painter = new Painter(this.holder, cells);
    this.buildTools();
    this.buildLegend();
    this.listen();
    this.arrange('directory');
  }

  // What is shown

  arrange(view) {
    this.view = view;
    this.hierarchy = this.hierarchies[view] ??= new Hierarchy(this.cells, view);
    this.hierarchy.match(this.filter?.matches);
    for (const button of byId('views').children) button.setAttribute('aria-pressed', button.value === view);
    this.go(this.hierarchy.root);
  }

  measure(unit) {
    this.unit = unit;
    [...byId('units').children].forEach((button, i) => button.setAttribute('aria-pressed', i === unit));
    this.go(this.level);
  }

  /** Makes `level` the one that is shown, with the cursor on `item`. */
  go(level, item = null, focus = false) {
    this.level = level;
    this.drawCrumbs();
    this.draw();
    this.cursor = item === null ? null : this.boxOf(item);
    this.pointed = null;
    this.hideTip();
    if (this.filter) this.showMatches();
    else this.panel.showLevel(level, this.unit);
    if (focus) this.holder.focus({ preventScroll: true });
    this.markBoxes();
    if (item === null) this.say(`${level.parent ? level.path || level.name : 'The whole image'}, ${sizeText(level.total[this.unit])}`);
  }

  out() {
    if (this.level.parent) this.go(this.level.parent, this.level, true);
    else if (this.filter) this.clear();
  }

  /** Goes to the level that holds `cell`, with the cursor on it. */
  reveal(cell, focus = false) {
    this.go(this.hierarchy.groupOf[cell], cell, focus);
    if (this.cursor) this.describe(this.cursor);
  }

  draw() {
    const started = performance.now();
    this.boxes = layOut(this.level, this.unit, this.cells, this.painter.width, this.painter.height);
    this.siblings = this.boxes.filter(box => box.depth === 1);
    const laidOut = performance.now();
    this.painter.draw(this.boxes, this.unit, this.filter);
    this.timing = { layout: laidOut - started, paint: performance.now() - laidOut };
  }

  boxOf(item) {
    return this.siblings.find(box => box.item === item && !box.rest)
      ?? this.siblings.find(box => box.rest && this.level.children(this.unit, this.cells).indexOf(item) >= box.from) ?? null;
  }

  markBoxes() {
    this.painter.mark(this.pointed, this.cursor);
  }

  // What a child (a cell or a group) is

  sizeOf(child) {
    return child instanceof Group ? child.total[this.unit] : this.cells.sizes[this.unit][child];
  }

  labelOf(child) {
    return child instanceof Group ? child.name : this.cells.label(child);
  }

  pathOf(child) {
    return child instanceof Group ? child.title || child.path : this.cells.path(child);
  }

  /** [category, bytes] of what is not simply live. */
  sharesOf(child) {
    const { categories } = this.cells;
    if (!(child instanceof Group)) {
      const category = this.cells.category[child];
      return categories[category].hue ? [[category, this.sizeOf(child) * this.cells.fraction(child, category)]] : [];
    }
    return [...child.byCategory[this.unit]].map((size, category) => [category, size])
      .filter(([category, size]) => size > 0 && categories[category].hue).sort((a, b) => b[1] - a[1]);
  }

  flaggedOf(child) {
    return this.sharesOf(child).reduce((sum, [, size]) => sum + size, 0);
  }

  classText(cell) {
    const { cells } = this;
    if (cells.kind[cell] === NAME) return 'one more name of a file that is counted elsewhere';
    const labels = new Set([cells.categories[cells.category[cell]].label]);
    for (const category of cells.sets[cells.set[cell]]) labels.add(cells.categories[category].label);
    return `${[...labels].join(', ')} · layer ${cells.layer[cell] + 1}`;
  }

  /** What the tip and the screen reader say of a box: its title and pairs of name and value. */
  facts(box) {
    const { cells, unit } = this;
    const whole = this.hierarchy.root.total[unit];
    const size = `${sizeText(box.size)} ${UNITS[unit].toLowerCase()}`;
    const share = `${percentText(box.size, whole)} of the image, ${percentText(box.size, this.level.total[unit])} of this level`;
    if (box.rest) return [this.painter.boxLabel(box), [['Size', size], ['Share', share], ['In', box.item.path || '/']]];
    if (box.item instanceof Group) {
      const flagged = this.sharesOf(box.item).slice(0, 5)
        .map(([category, bytes]) => [cells.categories[category].label, sizeText(bytes)]);
      const title = box.item.title ? [['Instruction', box.item.title]] : [];
      return [box.item.path || box.item.name, [...title, ['Size', size], ['Share', share], ['Files', numberText(box.item.count)], ...flagged]];
    }
    return [cells.path(box.item), this.cellFacts(box.item, size, share)];
  }

  cellFacts(cell, size, share) {
    const { cells, unit } = this;
    const layer = cells.layer[cell], other = 1 - unit;
    const known = other === UNPACKED || cells.layers[layer].wire;
    const category = cells.categories[cells.category[cell]];
    const facts = [['Size', known ? `${size}, ${sizeText(cells.sizes[other][cell])} ${UNITS[other].toLowerCase()}` : size], ['Share', share]];
    facts.push(['Layer', `${layer + 1} · ${cells.layers[layer].label || 'unknown instruction'}`]);
    if (cells.kind[cell] === ENTRIES) return facts;
    facts.push(['Owner', cells.owners[cells.owner[cell]]]);
    facts.push(['Class', category.kind === 'dead' ? `${category.label}: no container sees it` : 'Live']);
    const marks = cells.sets[cells.set[cell]].map(mark => {
      const part = cells.fraction(cell, mark);
      const { label } = cells.categories[mark];
      return part < 1 ? `${label} (${sizeText(part * cells.sizes[UNPACKED][cell])} of it)` : label;
    });
    if (marks.length) facts.push(['Findings', marks.join(', ')]);
    return facts;
  }

  // The tools

  buildTools() {
    byId('views').append(...VIEWS.map(([value, label]) =>
      make('button', { type: 'button', value, onclick: () => this.arrange(value) }, label)));
    byId('units').append(...UNITS.map((label, unit) =>
      make('button', { type: 'button', 'aria-pressed': unit === UNPACKED, onclick: () => this.measure(unit) }, label)));
    if (!this.cells.wireKnown) {
      const wire = byId('units').children[WIRE];
      wire.disabled = true;
      wire.title = 'The wire size of a layer is unknown: its source holds it uncompressed';
    }
  }

  buildLegend() {
    const { categories } = this.cells;
    const sums = new Float64Array(categories.length);
    for (let cell = 0; cell < this.cells.count; cell++) {
      const own = this.cells.category[cell];
      const marks = this.cells.sets[this.cells.set[cell]];
      for (const category of marks.includes(own) ? marks : [own, ...marks]) {
        sums[category] += this.cells.sizes[UNPACKED][cell] * this.cells.fraction(cell, category);
      }
    }
    categories.forEach(({ id, label, kind }, category) => {
      if (!sums[category]) return;
      const button = make('button', { type: 'button', 'aria-pressed': false, 'data-category': id, onclick: () => this.toggle(category) },
        make('i', { class: 'swatch', 'data-category': id }), kind === 'live' ? 'Live, not suspect' : label, ' ', make('small', {}, sizeText(sums[category])));
      byId('legend').append(make('li', {}, button));
    });
    this.paintSwatches();
  }

  /** Gives every swatch of the page the colour and pattern of its category. */
  paintSwatches() {
    for (const { id, hue, pattern } of this.cells.categories) {
      for (const swatch of document.querySelectorAll(`.swatch[data-category="${CSS.escape(id)}"]`)) {
        swatch.dataset.pattern = pattern;
        swatch.style.setProperty('--hue', `var(--hue-${hue})`);
      }
    }
  }

  drawCrumbs() {
    const line = lineage(this.level);
    const [, label] = VIEWS.find(([view]) => view === this.view);
    const crumbs = line.map((group, i) => {
      const name = group.parent ? group.name : this.view === 'directory' ? '/' : `All ${label.toLowerCase()}s`;
      return i === line.length - 1
        ? make('span', { 'aria-current': 'true' }, name)
        : make('button', { type: 'button', onclick: () => this.go(group, line[i + 1], true) }, name);
    });
    byId('crumbs').replaceChildren(...crumbs, make('small', {}, sizeText(this.level.total[this.unit])));
  }

  // Search

  search(query) {
    if (!query.trim()) this.clear();
    else this.apply({ title: `“${query.trim()}”`, matches: searchPaths(this.cells, query), category: null });
  }

  toggle(category) {
    if (this.filter?.category === category) this.clear();
    else this.show(category);
  }

  show(category) {
    byId('search').value = '';
    this.apply({ title: this.cells.categories[category].label, matches: searchCategory(this.cells, category), category });
  }

  apply(filter) {
    this.filter = filter;
    this.hierarchy.match(filter?.matches);
    const chosen = this.cells.categories[filter?.category]?.id;
    for (const button of byId('legend').querySelectorAll('button')) button.setAttribute('aria-pressed', button.dataset.category === chosen);
    this.go(this.level);
  }

  clear() {
    byId('search').value = '';
    this.apply(null);
  }

  showMatches() {
    this.say(this.panel.showMatches(this.filter.title, this.filter.matches, this.unit));
  }

  // Keys and pointer

  listen() {
    const { holder } = this;
    holder.addEventListener('keydown', event => this.key(event));
    holder.addEventListener('focus', () => { if (!this.cursor && holder.matches(':focus-visible')) this.moveTo(this.siblings[0]); });
    holder.addEventListener('blur', () => this.hideTip());
    holder.addEventListener('pointermove', event => this.point(event));
    holder.addEventListener('pointerleave', () => { this.pointed = null; this.hideTip(); this.markBoxes(); });
    holder.addEventListener('click', event => this.click(event));
    holder.addEventListener('dblclick', () => { this.go(this.clickedLevel.parent ?? this.clickedLevel); });
    let timer = 0;
    byId('search').addEventListener('input', event => {
      clearTimeout(timer);
      timer = setTimeout(() => this.search(event.target.value), 80);
    });
    byId('search').addEventListener('keydown', event => {
      if (event.key === 'Enter') { clearTimeout(timer); this.search(event.target.value); }
      if (event.key === 'Escape') { clearTimeout(timer); this.clear(); holder.focus(); }
    });
    byId('help').addEventListener('click', () => byId('keyhelp').showModal());
    document.addEventListener('keydown', event => this.shortcut(event));
    document.addEventListener('click', event => this.follow(event));
    new ResizeObserver(() => this.resize()).observe(holder);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.repaint());
    document.addEventListener('themechange', () => this.repaint());
  }

  shortcut(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || byId('keyhelp').open) return;
    if (event.key === '/') {
      event.preventDefault();
      byId('search').focus();
      byId('search').select();
    } else if (event.key === '?') {
      event.preventDefault();
      byId('keyhelp').showModal();
    }
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { siblings } = this;
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (directions[event.key]) this.moveTo(this.cursor ? neighbour(siblings, this.cursor, ...directions[event.key]) : siblings[0]);
    else if (event.key === 'Home') this.moveTo(siblings[0]);
    else if (event.key === 'End') this.moveTo(siblings[siblings.length - 1]);
    else if (event.key === 'Enter' && this.cursor) this.enter(this.cursor, true);
    else if (event.key === 'Backspace' || event.key === 'Escape') this.out();
    else return;
    event.preventDefault();
  }

  moveTo(box) {
    if (!box) return;
    this.cursor = box;
    this.markBoxes();
    this.describe(box);
  }

  enter(box, keyboard = false) {
    if (!box.rest && box.item instanceof Group) {
      this.go(box.item);
      if (keyboard) this.moveTo(this.siblings[0]);
    } else {
      this.moveTo(box);
    }
  }

  boxUnder(event) {
    const { left, top } = this.holder.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    return { x, y, box: boxAt(this.boxes, x, y) };
  }

  point(event) {
    if (event.pointerType === 'touch') return;
    const { box } = this.boxUnder(event);
    if (box !== this.pointed) {
      this.pointed = box;
      this.markBoxes();
    }
    if (box) this.showTip(box, event.clientX, event.clientY);
    else this.hideTip();
  }

  click(event) {
    if (event.detail > 1) return;
    this.clickedLevel = this.level;
    const { x, y, box } = this.boxUnder(event);
    if (!box) return;
    const inTitle = box.open && (!box.titled || y < box.y + TITLE);
    this.enter(inTitle ? box : boxAt(this.siblings, x, y) ?? box);
  }

  /** Buttons in the rest of the page that lead into the treemap. */
  follow(event) {
    const target = event.target.closest('.go');
    if (!target) return;
    const { category, layer, owner } = target.dataset;
    if (category !== undefined) {
      const number = this.cells.categories.findIndex(({ id }) => id === category);
      if (number >= 0) this.show(number);
    } else {
      this.clear();
      this.arrange(layer === undefined ? 'owner' : 'layer');
      const key = layer === undefined ? this.cells.owners.indexOf(owner) : Number(layer);
      this.go(this.hierarchy.tops.get(key) ?? this.hierarchy.root);
    }
    byId('map').scrollIntoView({ block: 'start' });
    this.holder.focus({ preventScroll: true });
  }

  // The tip and the screen reader

  describe(box) {
    const { left, top } = this.holder.getBoundingClientRect();
    this.showTip(box, left + box.x + Math.min(box.w / 2, 60), top + box.y + Math.min(box.h, 24));
    const [title, facts] = this.facts(box);
    this.say(`${title}. ${facts.map(([name, value]) => `${name}: ${value}`).join('. ')}`);
  }

  showTip(box, x, y) {
    const tip = byId('tip');
    if (this.tipped !== box) {
      const [title, facts] = this.facts(box);
      const list = make('dl', {});
      for (const [name, value] of facts) list.append(make('dt', {}, name), make('dd', {}, value));
      tip.replaceChildren(make('strong', {}, title), list);
      this.tipped = box;
    }
    tip.hidden = false;
    const { offsetWidth, offsetHeight } = tip;
    const right = x + 14 + offsetWidth > innerWidth - 8;
    const above = y + 18 + offsetHeight > innerHeight - 8;
    tip.style.left = `${Math.max(8, right ? x - 14 - offsetWidth : x + 14)}px`;
    tip.style.top = `${Math.max(8, above ? y - 12 - offsetHeight : y + 18)}px`;
  }

  hideTip() {
    byId('tip').hidden = true;
    this.tipped = null;
  }

  say(text) {
    byId('status').textContent = text.slice(0, 1000);
  }

  resize() {
    if (this.holder.clientWidth === this.painter.width && this.holder.clientHeight === this.painter.height) return;
    this.repaint();
  }

  repaint() {
    const item = this.cursor?.rest ? null : this.cursor?.item ?? null;
    this.painter.resize();
    this.draw();
    this.cursor = item === null ? null : this.boxOf(item);
    this.markBoxes();
  }
}

function stored(theme) {
  try {
    if (theme !== undefined) localStorage.setItem(THEME, theme);
    return localStorage.getItem(THEME);
  } catch (error) {
    if (error instanceof DOMException) return null;    // a browser that keeps nothing for such pages
    throw error;
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.dispatchEvent(new Event('themechange'));
}

function listenToTheme() {
  const kept = stored();
  if (kept === 'dark' || kept === 'light') setTheme(kept);
  byId('theme').addEventListener('click', () => {
    const now = document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
    setTheme(stored(now === 'dark' ? 'light' : 'dark') ?? (now === 'dark' ? 'light' : 'dark'));
  });
  let before;
  addEventListener('beforeprint', () => { before = document.documentElement.dataset.theme; setTheme('light'); });
  addEventListener('afterprint', () => {
    if (before) return setTheme(before);
    delete document.documentElement.dataset.theme;
    document.dispatchEvent(new Event('themechange'));
  });
}

let page = null;

listenToTheme();
inflate(byId('pack').textContent).then(bytes => {
  page = new Page(readPack(bytes));
  document.documentElement.classList.add('ready');
}).catch(error => {
  byId('failure').textContent = `The treemap could not be shown: ${error.message}. It needs a browser of 2023 or later.`;
  byId('failure').hidden = false;
});
