// Light or dark: as the system says, until the page's switch says otherwise; the browser keeps that.

const THEME_KEY = 'deadweight-theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;

/** Calls `changed` whenever the colours change. */
function watchTheme(changed) {
  const set = theme => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    changed();
  };
  const kept = browserStore(store => store.getItem(THEME_KEY));
  if (kept === 'dark' || kept === 'light') root.dataset.theme = kept;
  document.getElementById('theme').addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : systemDark.matches;
    const theme = dark ? 'light' : 'dark';
    browserStore(store => store.setItem(THEME_KEY, theme));
    set(theme);
  });
  systemDark.addEventListener('change', changed);
  let shown;
  addEventListener('beforeprint', () => { shown = root.dataset.theme; set('light'); });
  addEventListener('afterprint', () => set(shown));
}

/** What `use` returns of the browser's store; null where the browser keeps nothing for such pages. */
function browserStore(use) {
  try {
    return use(localStorage);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}
