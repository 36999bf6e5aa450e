// The cells as a tree: by directory, or by layer or owner and below that by directory.

/** What has children: groups, and cells by their numbers. */
class Group {
  constructor(name, parent, categories) {
    this.name = name;
    this.parent = parent;
    this.title = '';      // the instruction of a layer
    this.directory = undefined;
    this.groups = [];
    this.cells = [];
    this.count = 0;
    this.total = [0, 0];
    this.byCategory = [new Float64Array(categories), new Float64Array(categories)];
    this.matched = [0, 0];
    this.sorted = [null, null];
    this.rests = [null, null];
  }

  /** Children, the largest first; those without bytes last, but for what takes none by its kind. */
  children(unit, cells) {
    if (!this.sorted[unit]) {
      const sizes = cells.sizes[unit];
      const size = child => child instanceof Group ? child.total[unit] : sizes[child];
      const shown = this.cells.filter(cell => sizes[cell] > 0 || cells.kind[cell] !== ENTRIES);
      this.sorted[unit] = [...this.groups, ...shown].sort((a, b) => size(b) - size(a));
    }
    return this.sorted[unit];
  }

  /** The bytes by category of the children from number `from` on. */
  restSums(unit, cells, from) {
    if (this.rests[unit]?.from !== from) {
      const sums = new Float64Array(cells.categories.length);
      for (const child of this.children(unit, cells).slice(from)) {
        if (child instanceof Group) child.byCategory[unit].forEach((size, category) => { sums[category] += size; });
        else sums[cells.category[child]] += cells.sizes[unit][child] * cells.fraction(child, cells.category[child]);
      }
      this.rests[unit] = { from, sums };
    }
    return this.rests[unit].sums;
  }

  /** Adds what `group` has to the sums. */
  include(group) {
    this.count += group.count;
    for (const unit of [UNPACKED, WIRE]) {
      this.total[unit] += group.total[unit];
      this.matched[unit] += group.matched[unit];
      group.byCategory[unit].forEach((size, category) => { this.byCategory[unit][category] += size; });
    }
  }
}

class Hierarchy {
  constructor(cells, view) {
    this.cells = cells;
    this.view = view;
    this.root = this.group('/', null);
    this.tops = new Map();
    this.groupOf = new Array(cells.count);
    this.gather();
    this.all = this.inOrder();
    this.sum();
    this.collapse();
  }

  group(name, parent) {
    const group = new Group(name, parent, this.cells.categories.length);
    parent?.groups.push(group);
    return group;
  }

  gather() {
    const { cells } = this;
    const directories = new Map();    // by top: directory -> group
    for (let cell = 0; cell < cells.count; cell++) {
      const top = this.topOf(cell);
      let groups = directories.get(top);
      if (!groups) directories.set(top, groups = new Map([[0, top]]));
      this.directoryGroup(groups, cells.directory[cell]).cells.push(cell);
    }
  }

  topOf(cell) {
    if (this.view === 'directory') return this.root;
    const key = this.cells[this.view][cell];
    let top = this.tops.get(key);
    if (!top) {
      const label = this.view === 'layer' ? `Layer ${key + 1}` : this.cells.owners[key];
      top = this.group(label, this.root);
      top.title = this.view === 'layer' ? this.cells.layers[key].label : '';
      this.tops.set(key, top);
    }
    return top;
  }

  directoryGroup(groups, directory) {
    const missing = [];
    while (!groups.has(directory)) {
      missing.push(directory);
      directory = this.cells.parent[directory];
    }
    let group = groups.get(directory);
    while (missing.length) {
      directory = missing.pop();
      group = this.group(this.cells.directoryName[directory], group);
      group.directory = directory;
      groups.set(directory, group);
    }
    return group;
  }

  /** All groups, parents first. */
  inOrder() {
    const all = [this.root];
    for (let i = 0; i < all.length; i++) for (const group of all[i].groups) all.push(group);
    return all;
  }

  sum() {
    for (let i = this.all.length - 1; i >= 0; i--) {
      const group = this.all[i];
      for (const cell of group.cells) this.add(group, cell);
      group.parent?.include(group);
    }
  }

  add(group, cell) {
    const { cells } = this;
    const category = cells.category[cell];
    const fraction = cells.fraction(cell, category);
    if (cells.kind[cell] !== ENTRIES) group.count++;
    for (const unit of [UNPACKED, WIRE]) {
      const size = cells.sizes[unit][cell];
      group.total[unit] += size;
      group.byCategory[unit][category] += size * fraction;
      if (fraction < 1) group.byCategory[unit][0] += size * (1 - fraction);
    }
  }

  /** Directories that hold nothing but one directory become one group with it. */
  collapse() {
    for (let i = this.all.length - 1; i >= 0; i--) {
      const group = this.all[i];
      const [only] = group.groups;
      if (group.directory !== undefined && group.groups.length === 1 && !group.cells.length) {
        group.name += '/' + only.name;
        group.directory = only.directory;
        group.groups = only.groups;
        group.cells = only.cells;
        for (const child of group.groups) child.parent = group;
      }
    }
    this.all = this.inOrder();
    for (const group of this.all) for (const cell of group.cells) this.groupOf[cell] = group;
  }

  /** A group of the children of `group` from number `from` on. */
  rest(group, unit, from, matches) {
    const children = group.children(unit, this.cells).slice(from);
    const rest = new Group(`${numberText(children.length)} more`, group, this.cells.categories.length);
    rest.directory = group.directory;
    for (const child of children) {
      if (child instanceof Group) {
        rest.groups.push(child);
        rest.include(child);
      } else {
        rest.cells.push(child);
        this.add(rest, child);
        if (matches) for (const one of [UNPACKED, WIRE]) rest.matched[one] += this.cells.sizes[one][child] * matches[child];
      }
    }
    return rest;
  }

  /** Adds up what `matches` (by cell: the part that matches) leaves of each group. */
  match(matches) {
    for (const group of this.all) group.matched = [0, 0];
    if (!matches) return;
    for (let cell = 0; cell < matches.length; cell++) {
      if (!matches[cell]) continue;
      for (let group = this.groupOf[cell]; group; group = group.parent) {
        group.matched[UNPACKED] += this.cells.sizes[UNPACKED][cell] * matches[cell];
        group.matched[WIRE] += this.cells.sizes[WIRE][cell] * matches[cell];
      }
    }
  }
}

/** The groups from the root down to `group`. */
function lineage(group) {
  const line = [];
  for (; group; group = group.parent) line.push(group);
  return line.reverse();
}
