// The text beside the treemap: a table of the level, or what a search found.

const ROWS = 50;

/** An element; strings become text, never markup. */
function make(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (key === 'class') element.className = value;
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child !== null));
  return element;
}

class Panel {
  constructor(holder, page) {
    this.holder = holder;
    this.page = page;
  }

  /** The children of `level`: name, bytes, dead and suspect bytes. */
  showLevel(level, unit) {
    const { cells } = this.page;
    const children = level.children(unit, cells);
    this.show(
      make('h3', {}, this.page.describer.path(level)),
      level.title ? make('p', { class: 'instruction' }, level.title) : null,
      make('p', { class: 'note' }, `${sizeText(level.total[unit])} in ${countText(level.count, 'file')}`),
      this.table(['Name', 'Size', cells.words.flagged], children, child => this.levelRow(child, level, unit)),
    );
  }

  levelRow(child, level, unit) {
    const { page } = this;
    const { describer } = page;
    const group = child instanceof Group;
    const flags = describer.flags(child, unit);
    const flagged = flags.reduce((sum, [, size]) => sum + size, 0);
    const size = describer.size(child, unit);
    const open = () => {
      if (group) page.go(child);
      else page.reveal(child);
    };
    return make('tr', {},
      make('th', { scope: 'row' },
        make('button', { type: 'button', class: `name${group ? ' group' : ''}`, onclick: open, title: describer.path(child) },
          describer.label(child)),
        this.bar([[0, size - flagged], ...flags], level.total[unit])),
      make('td', { class: 'number' }, sizeText(size)),
      make('td', { class: 'number' }, flagged ? sizeText(flagged) : '–'));
  }

  /** How much of the level something takes, coloured as in the treemap. */
  bar(parts, whole) {
    const bar = make('span', { class: 'share', 'aria-hidden': 'true' });
    for (const [category, size] of parts) {
      const part = make('span', {});
      part.style.width = `${100 * size / (whole || 1)}%`;
      part.style.background = `var(--hue-${this.page.cells.hue(category)})`;
      bar.append(part);
    }
    return bar;
  }

  /** What matches, the largest first, and its sum. */
  showMatches(title, matches, unit) {
    const { cells } = this.page;
    const sizes = cells.sizes[unit];
    const found = [];
    let sum = 0;
    for (let cell = 0; cell < matches.length; cell++) {
      if (!matches[cell]) continue;
      found.push(cell);
      sum += sizes[cell] * matches[cell];
    }
    found.sort((a, b) => sizes[b] * matches[b] - sizes[a] * matches[a]);
    const whole = this.page.hierarchy.root.total[unit];
    const text = `${countText(found.length, 'match')}, ${sizeText(sum)} (${percentText(sum, whole)})`;
    this.show(
      make('h3', {}, title),
      make('p', { class: 'note sum' }, text),
      make('button', { type: 'button', class: 'plain', onclick: () => this.page.clear() }, 'Show all'),
      found.length ? this.table(['Path', 'Size'], found, cell => this.matchRow(cell, matches, sizes)) : null,
    );
    return text;
  }

  matchRow(cell, matches, sizes) {
    const { page } = this;
    return make('tr', {},
      make('th', { scope: 'row' },
        make('button', { type: 'button', class: 'name path', onclick: () => page.reveal(cell) }, page.cells.path(cell)),
        make('small', {}, page.describer.line(cell))),
      make('td', { class: 'number' }, sizeText(sizes[cell] * matches[cell])));
  }

  table(heads, items, row) {
    const body = make('tbody', {});
    const more = make('button', { type: 'button', class: 'plain more' });
    let shown = 0;
    const extend = () => {
      body.append(...items.slice(shown, shown + ROWS).map(row));
      shown = Math.min(items.length, shown + ROWS);
      more.hidden = shown === items.length;
      more.textContent = `${numberText(items.length - shown)} more`;
    };
    more.addEventListener('click', extend);
    extend();
    const head = make('tr', {}, ...heads.map((text, i) => make('th', { scope: 'col', class: i ? 'number' : '' }, text)));
    return make('div', {}, make('table', {}, make('thead', {}, head), body), more);
  }

  show(...children) {
    const text = make('div', {}, ...children);
    this.holder.replaceChildren(text);    // what scrolls is new, so it is shown from its top
  }
}
