// Noon of a day, somewhere, in somebody's language: clock/LANGUAGE/AREA/PLACE.
export const work = ([language, ...zone]) => new Intl.DateTimeFormat(language, {
  dateStyle: 'full', timeStyle: 'short', timeZone: zone.join('/'),
}).format(new Date('2026-01-01T12:00:00Z'));
