export const work = ([language, currency, amount]) => {
  const sorted = ['Öre', 'Zloty', 'Euro'].sort(new Intl.Collator(language).compare).join(' ');
  return `${new Intl.NumberFormat(language, { style: 'currency', currency }).format(Number(amount))} ${sorted}`;
};
