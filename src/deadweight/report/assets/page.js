// The page: what is shown, and how that changes.

const VIEWS = [['directory', 'Directory'], ['owner', 'Package'], ['layer', 'Layer']];
const CRUMBS = 12;
const byId = id => document.getElementById(id);

class Page {
  constructor(cells) {
    this.cells = cells;
    this.describer = new Describer(cells);
    this.hierarchies = {};
    this.unit = UNPACKED;
    this.filter = null;      // {title, matches, category}: what is not dimmed
    this.cursor = null;      // the box that the arrow keys moved to
    this.pointed = null;     // the box under the pointer
    this.holder = byId('canvas');
    this.panel = new Panel(byId('panel'), this);
    this.tip = new Tip(byId('tip'));
    byId('map').hidden = false;
    this.painter = new Painter(this.holder, cells, this.describer);
    this.buildTools();
    this.buildLegend();
    this.arrange('directory');
    this.controls = new Controls(this);
  }

  // Where we are

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
    for (const button of byId('legend').querySelectorAll('button')) {
      button.querySelector('small').textContent = sizeText(this.sums[unit][button.value]);
    }
    this.go(this.level);
    if (this.filter) this.showMatches();
  }

  /** Shows `level`, with the cursor on `item` if there is one. */
  go(level, item = null) {
    this.level = level;
    this.draw();
    this.cursor = item === null ? null : this.boxOf(item);
    this.pointed = null;
    this.tip.hide();
    this.mark();
    this.drawCrumbs();
    if (this.filter) return;
    this.panel.showLevel(level, this.unit);
    this.say(`${this.describer.path(level)}, ${sizeText(level.total[this.unit])}`);
  }

  /** Goes into a group or the rest of one and returns true; tells about a cell. */
  enter(box) {
    if (box.rest) this.go(this.hierarchy.rest(box.item, this.unit, box.from, this.filter?.matches));
    else if (box.item instanceof Group) this.go(box.item);
    else {
      this.moveTo(box);
      return false;
    }
    return true;
  }

  leave() {
    if (this.level.parent) {
      this.go(this.level.parent, this.level);
      this.moveTo(this.cursor);
    } else if (this.filter) this.clear();
  }

  /** Goes to the level that holds `cell`, with the cursor on it. */
  reveal(cell) {
    this.go(this.hierarchy.groupOf[cell], cell);
    this.holder.focus({ preventScroll: true });
    this.moveTo(this.cursor);
  }

  showTop(view, key) {
    this.clear();
    this.arrange(view);
    this.go(this.hierarchy.tops.get(key) ?? this.hierarchy.root);
  }

  // Drawing

  draw() {
    const started = performance.now();
    this.boxes = layOut(this.level, this.unit, this.cells, this.painter.width, this.painter.height);
    this.siblings = this.boxes.filter(box => box.depth === 1);
    this.painter.draw(this.boxes, this.unit, this.filter);
    this.milliseconds = performance.now() - started;
  }

  /** The box of a child of the level, if need be that of the rest. */
  boxOf(item) {
    const own = this.siblings.find(box => box.item === item && !box.rest);
    if (own) return own;
    const place = this.level.children(this.unit, this.cells).indexOf(item);
    return this.siblings.find(box => box.rest && place >= box.from) ?? null;
  }

  mark() {
    this.painter.mark(this.pointed, this.cursor);
  }

  resize() {
    if (this.holder.clientWidth !== this.painter.width || this.holder.clientHeight !== this.painter.height) this.repaint();
  }

  repaint() {
    const item = this.cursor && !this.cursor.rest ? this.cursor.item : null;
    this.painter.resize();
    this.draw();
    this.cursor = item === null ? null : this.boxOf(item);
    this.mark();
  }

  drawCrumbs() {
    const [, label] = VIEWS.find(([view]) => view === this.view);
    const line = lineage(this.level);
    const crumbs = line.map((group, i) => {
      const name = group.parent ? group.name : this.view === 'directory' ? '/' : `All ${label.toLowerCase()}s`;
      if (i === line.length - 1) return make('span', { 'aria-current': 'true' }, name);
      return make('button', { type: 'button', onclick: () => { this.go(group, line[i + 1]); this.holder.focus(); } }, name);
    });
    if (crumbs.length > CRUMBS) crumbs.splice(1, crumbs.length - CRUMBS, make('span', {}, '…'));
    byId('crumbs').replaceChildren(...crumbs, make('small', {}, sizeText(this.level.total[this.unit])));
  }

  // Pointer and cursor

  point(box, x, y) {
    if (box !== this.pointed) {
      this.pointed = box;
      this.mark();
    }
    if (box) this.tip.show(box, this.factsOf(box), x, y);
    else this.tip.hide();
  }

  moveTo(box) {
    if (!box) return;
    this.cursor = box;
    this.mark();
    const { left, top } = this.holder.getBoundingClientRect();
    const [title, facts] = this.factsOf(box);
    this.tip.show(box, [title, facts], left + box.x + Math.min(box.w / 2, 60), top + box.y + Math.min(box.h, 24));
    this.say(`${title}. ${facts.map(([name, value]) => `${name}: ${value}`).join('. ')}`);
  }

  factsOf(box) {
    return this.describer.facts(box, this.unit, this.hierarchy.root.total[this.unit], this.level.total[this.unit]);
  }

  say(text) {
    byId('status').textContent = text.slice(0, 1000);
  }

  // Search

  search(query) {
    if (query.trim()) this.apply({ title: `“${query.trim()}”`, matches: searchPaths(this.cells, query), category: null });
    else this.clear();
  }

  show(category) {
    byId('search').value = '';
    this.apply({ title: this.cells.categories[category].label, matches: searchCategory(this.cells, category), category });
  }

  clear() {
    byId('search').value = '';
    if (this.filter) this.apply(null);
  }

  apply(filter) {
    this.filter = filter;
    this.hierarchy.match(filter?.matches);
    for (const button of byId('legend').querySelectorAll('button')) {
      button.setAttribute('aria-pressed', Number(button.value) === filter?.category);
    }
    this.go(this.level);
    if (filter) this.showMatches();
  }

  showMatches() {
    this.say(this.panel.showMatches(this.filter.title, this.filter.matches, this.unit));
  }

  // Tools

  buildTools() {
    byId('views').append(...VIEWS.map(([value, label]) =>
      make('button', { type: 'button', value, onclick: () => this.arrange(value) }, label)));
    byId('units').append(...UNITS.map((label, unit) =>
      make('button', { type: 'button', 'aria-pressed': unit === this.unit, onclick: () => this.measure(unit) }, label)));
    if (this.cells.wireKnown) return;
    const wire = byId('units').children[WIRE];
    wire.disabled = true;
    wire.title = 'The wire size of a layer is unknown: its source holds it uncompressed';
  }

  buildLegend() {
    const { cells } = this;
    this.sums = [UNPACKED, WIRE].map(unit => cells.sums(unit));
    cells.categories.forEach(({ id, label, kind }, category) => {
      if (!this.sums[UNPACKED][category]) return;
      const toggle = () => this.filter?.category === category ? this.clear() : this.show(category);
      byId('legend').append(make('li', {}, make('button', { type: 'button', value: category, 'aria-pressed': false, onclick: toggle },
        make('i', { class: 'swatch', 'data-category': id }), kind === 'live' ? cells.words.legend : label,
        make('small', {}, sizeText(this.sums[UNPACKED][category])))));
    });
    for (const { id, hue, pattern } of cells.categories) {
      for (const swatch of document.querySelectorAll(`.swatch[data-category="${CSS.escape(id)}"]`)) {
        swatch.dataset.pattern = pattern;
        swatch.style.setProperty('--hue', `var(--hue-${hue})`);
      }
    }
  }
}

let page = null;

root.classList.add('scripted');
watchTheme(() => page?.repaint());
inflate(byId('pack').textContent).then(bytes => {
  page = new Page(readPack(bytes));
  root.classList.add('ready');
}).catch(error => {
  byId('failure').textContent = `The treemap could not be shown: ${error.message}. It needs a browser of 2023 or later.`;
  byId('failure').hidden = false;
});
