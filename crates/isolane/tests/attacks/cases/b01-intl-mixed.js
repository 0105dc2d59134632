// And those of many kinds.
// modes: worker context pool process
// limits: cpu=800 wall=20000
// memory: 800
// expect: limit heap | cpu | error *
const kept = [];
const locales = ['de', 'en', 'ja', 'ar', 'hi', 'zh', 'ru', 'th'];
for (let i = 0; ; i++) {
  const locale = locales[i % 8];
  kept.push(new Intl.NumberFormat(locale), new Intl.Collator(locale), new Intl.PluralRules(locale), new Intl.ListFormat(locale), new Intl.RelativeTimeFormat(locale), new Intl.Segmenter(locale), new Intl.DisplayNames(locale, { type: 'region' }));
}
