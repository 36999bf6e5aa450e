// What a query matches.

const WILD = { '?': '[^/]', '*': '[^/]*', '**': '.*', '**/': '(?:.*/)?' };

/**
 * Whether a path (in lower case, with a leading slash) matches. A query with * or ? is a pattern, over the whole path
 * if it has a slash, else over the last name; ** crosses slashes. Any other query is a part of the path.
 */
function predicate(query) {
  const wanted = query.trim().toLowerCase().replace(/\*{2,}/g, '**');
  if (!/[*?]/.test(wanted)) return path => path.includes(wanted);
  const pattern = wanted.replace(/\*\*\/|\*\*|[*?]|[\\^$.|+()[\]{}]/g, mark => WILD[mark] ?? '\\' + mark);
  if (!wanted.includes('/')) {
    const name = new RegExp(`^${pattern}$`, 'u');
    return path => name.test(path.slice(path.lastIndexOf('/') + 1));
  }
  const whole = new RegExp(`${wanted.startsWith('/') ? '^' : '(?:^|/)'}${pattern}$`, 'u');
  return path => whole.test(path);
}

/** By cell the part of it that matches, from 0 to 1. */
function searchPaths(cells, query) {
  const matches = new Float32Array(cells.count);
  const test = predicate(query);
  const paths = cells.folded;
  for (let cell = 0; cell < cells.count; cell++) if (paths[cell] && test(paths[cell])) matches[cell] = 1;
  return matches;
}

function searchCategory(cells, category) {
  const matches = new Float32Array(cells.count);
  for (let cell = 0; cell < cells.count; cell++) if (cells.has(cell, category)) matches[cell] = cells.fraction(cell, category);
  return matches;
}
