// A mail from a template, with a part that other mails share.
import { readFile } from 'node:fs/promises';
import handlebars from 'handlebars';
import { trips } from '../trips.js';

const template = (name) => readFile(new URL(`../../mail/${name}.hbs`, import.meta.url), 'utf8');

export async function work([name]) {
  handlebars.registerPartial('greeting', await template('greeting'));
  return handlebars.compile(await template('offer'), { noEscape: true })({ name, trips });
}
