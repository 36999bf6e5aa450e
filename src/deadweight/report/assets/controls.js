// What keys, pointer and the buttons of the page do to the treemap.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SEARCH_DELAY = 80;    // milliseconds

class Controls {
  constructor(page) {
    this.page = page;
    const { holder } = page;
    holder.addEventListener('keydown', event => this.key(event));
    holder.addEventListener('focus', () => { if (!page.cursor && holder.matches(':focus-visible')) page.moveTo(page.siblings[0]); });
    holder.addEventListener('blur', () => page.tip.hide());
    holder.addEventListener('pointermove', event => this.point(event));
    holder.addEventListener('pointerleave', () => page.point(null));
    holder.addEventListener('click', event => this.click(event));
    holder.addEventListener('dblclick', () => page.go(this.clicked.parent ?? this.clicked));
    this.listenToSearch(byId('search'));
    byId('help').addEventListener('click', () => byId('keyhelp').showModal());
    document.addEventListener('keydown', event => this.shortcut(event));
    document.addEventListener('click', event => this.follow(event.target.closest('.go')));
    new ResizeObserver(() => page.resize()).observe(holder);
  }

  listenToSearch(input) {
    let timer = 0;
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.page.search(input.value), SEARCH_DELAY);
    });
    input.addEventListener('keydown', event => {
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      clearTimeout(timer);
      if (event.key === 'Enter') this.page.search(input.value);
      else {
        this.page.clear();
        this.page.holder.focus();
      }
    });
  }

  shortcut(event) {
    const busy = event.target.closest('input') || byId('keyhelp').open;
    if (busy || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === '/') byId('search').select();
    else if (event.key === '?') byId('keyhelp').showModal();
    else return;
    event.preventDefault();
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { page } = this;
    const { siblings, cursor } = page;
    const step = STEPS[event.key];
    if (step) page.moveTo(cursor ? neighbour(siblings, cursor, ...step) : siblings[0]);
    else if (event.key === 'Home') page.moveTo(siblings[0]);
    else if (event.key === 'End') page.moveTo(siblings[siblings.length - 1]);
    else if (event.key === 'Enter' && cursor) {
      if (page.enter(cursor)) page.moveTo(page.siblings[0]);
    } else if (event.key === 'Backspace' || event.key === 'Escape') page.leave();
    else return;
    event.preventDefault();
  }

  place(event) {
    const { left, top } = this.page.holder.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  point(event) {
    if (event.pointerType === 'touch') return;
    this.page.point(boxAt(this.page.boxes, ...this.place(event)), event.clientX, event.clientY);
  }

  /** Goes into the cell of this level; a click on the title of a group below goes straight to that. */
  click(event) {
    const { page } = this;
    if (event.detail > 1) return;    // the second of a double click
    this.clicked = page.level;
    const [x, y] = this.place(event);
    const box = boxAt(page.boxes, x, y);
    if (!box) return;
    const onTitle = box.titled && y < box.y + TITLE;
    page.enter(onTitle ? box : boxAt(page.siblings, x, y));
  }

  /** Leads from a button elsewhere on the page into the treemap. */
  follow(button) {
    if (!button) return;
    const { page } = this;
    const { category, layer, owner } = button.dataset;
    if (category !== undefined) page.show(page.cells.categories.findIndex(({ id }) => id === category));
    else if (layer !== undefined) page.showTop('layer', Number(layer));
    else page.showTop('owner', page.cells.owners.indexOf(owner));
    byId('map').scrollIntoView({ block: 'start' });
    page.holder.focus({ preventScroll: true });
  }
}
