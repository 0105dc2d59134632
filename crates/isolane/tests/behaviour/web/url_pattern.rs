//! URLPattern: cases of our own, and the standard's test data as the parser's crate carries it.

use std::path::PathBuf;

use isolane::{ModuleSource, WorkerDefinition};

use super::{passes, passes_in};

#[test]
fn patterns_match_and_name_their_groups() {
    passes(
        "const pattern = new URLPattern({ pathname: '/books/:id(\\\\d+)' });
         same(pattern.hasRegExpGroups, true); same(pattern.pathname, '/books/:id(\\\\d+)'); same(pattern.protocol, '*');
         same(pattern.test('https://x.test/books/12'), true); same(pattern.test('https://x.test/books/a'), false);
         same(pattern.test('/books/1'), false); same(pattern.test('/books/1', 'https://x.test'), true);
         const found = pattern.exec('https://x.test/books/12?q#h');
         same(found.pathname, { groups: { id: '12' }, input: '/books/12' });
         same(found.inputs, ['https://x.test/books/12?q#h']);
         same(Object.keys(found), ['hash','hostname','inputs','password','pathname','port','protocol','search','username']);
         same(pattern.exec({ pathname: '/none' }), null);
         same(new URLPattern('https://*.example.com/*').exec('https://a.example.com/b/c').hostname.groups, { 0: 'a' });
         same(new URLPattern({ pathname: '/b{/:a}?' }).exec('https://x/b').pathname.groups.a, undefined);
         same(new URLPattern('/x', 'https://a.test').hostname, 'a.test');",
    );
}

#[test]
fn the_case_is_ignored_where_it_was_asked_for() {
    passes(
        "const pattern = new URLPattern({ pathname: '/Foo/:x' }, { ignoreCase: true });
         same(pattern.test('https://x/fOO/1'), true);
         same(new URLPattern({ pathname: '/Foo' }).test('https://x/foo'), false);
         same(new URLPattern('/Foo', 'https://x', { ignoreCase: true }).test('https://x/foo'), true);",
    );
}

#[test]
fn regular_expressions_are_those_of_the_language() {
    passes(
        "const pattern = new URLPattern({ pathname: '/:name((?!admin)[a-z]+)' });
         same(pattern.test('https://x/guest'), true); same(pattern.test('https://x/admin'), false);
         throws('TypeError', () => new URLPattern({ pathname: '/([z-a])' }));
         throws('TypeError', () => new URLPattern('(unclosed'));
         throws('TypeError', () => new URLPattern('/relative'));
         throws('TypeError', () => new URLPattern({}, 'https://x'));
         throws('TypeError', () => new URLPattern({ pathname: '/' + 'a'.repeat(20000) }));
         throws('TypeError', () => new URLPattern({ pathname: ':a/:a' }));
         throws('TypeError', () => pattern.test({}, 'https://x'));
         throws('TypeError', () => URLPattern.prototype.test.call({}, 'https://x'));",
    );
}

/// Runs each case as the Web Platform Tests' own harness for this file does.
const HARNESS: &str = r#"
const components = ['protocol','username','password','hostname','port','pathname','search','hash'];
const failed = [];
function check(entry, index) {
  const fail = (what) => failed.push(`${index} ${JSON.stringify(entry.pattern)}: ${what}`);
  let pattern;
  try { pattern = new URLPattern(...entry.pattern); }
  catch (error) { if (entry.expected_obj !== 'error') fail(error); return; }
  if (entry.expected_obj === 'error') return fail('it is valid');
  const [first] = entry.pattern;
  const base = typeof first === 'object' ? first.baseURL : typeof entry.pattern[1] === 'string' ? entry.pattern[1] : undefined;
  const baseUrl = base === undefined ? undefined : new URL(base);
  const EARLIER = {
    protocol: [], hostname: ['protocol'], port: ['protocol', 'hostname'], username: [], password: [],
    pathname: ['protocol', 'hostname', 'port'], search: ['protocol', 'hostname', 'port', 'pathname'],
    hash: ['protocol', 'hostname', 'port', 'pathname', 'search'],
  };
  for (const name of components) {
    let expected = entry.expected_obj?.[name];
    if (expected === undefined) {
      if (entry.exactly_empty_components?.includes(name)) expected = '';
      else if (typeof first === 'object' && first[name]) expected = first[name];
      else if (typeof first === 'object' && EARLIER[name].some((earlier) => earlier in first)) expected = '*';
      else if (baseUrl && name !== 'username' && name !== 'password') {
        let value = baseUrl[name];
        if (name === 'protocol') value = value.slice(0, -1);
        else if (name === 'search' || name === 'hash') value = value.slice(1);
        expected = value;
      } else expected = '*';
    }
    if (pattern[name] !== expected) fail(`${name} is ${pattern[name]}, not ${expected}`);
  }
  if (entry.expected_match === 'error') {
    try { pattern.test(...entry.inputs); } catch { return; }
    return fail('test() does not throw');
  }
  const isMatch = pattern.test(...entry.inputs);
  if (isMatch !== !!entry.expected_match) return fail(`test() gives ${isMatch}`);
  const found = pattern.exec(...entry.inputs);
  if (!entry.expected_match) { if (found !== null) fail('exec() matches'); return; }
  const inputs = entry.expected_match.inputs ?? entry.inputs;
  if (JSON.stringify(sorted(found.inputs)) !== JSON.stringify(sorted(inputs))) fail('inputs differ');
  for (const name of components) {
    const expected = entry.expected_match[name] ?? {
      input: '', groups: entry.exactly_empty_components?.includes(name) ? {} : { 0: '' },
    };
    if (found[name].input !== expected.input) fail(`${name} has ${found[name].input}, not ${expected.input}`);
    const [a, b] = [Object.entries(found[name].groups), Object.entries(expected.groups)];
    const text = (list) => JSON.stringify(list.map(([key, value]) => [key, value ?? null]).sort());
    if (text(a) !== text(b)) fail(`${name} has groups ${text(a)}, not ${text(b)}`);
  }
}
const sorted = (list) => list.map((one) => typeof one === 'object' ? Object.entries(one).sort() : one);
"#;

#[test]
fn the_test_data_of_the_standard_passes() {
    let Some(data) = test_data() else {
        return;
    };
    let module = move |source: String| {
        let main = format!("import data from './data.json';{HARNESS}{source}");
        WorkerDefinition::modules([
            ("main.js".to_owned(), ModuleSource::Text(main)),
            ("data.json".to_owned(), ModuleSource::Text(data)),
        ])
    };
    let lines = passes_in(
        module,
        "data.forEach((entry, index) => { if (typeof entry === 'object') check(entry, index) });
         same(data.length > 300, true);
         for (const line of failed) console.log(line)",
    );
    assert!(lines.is_empty(), "{lines:#?}");
}

/// The data beside a crate's source in cargo's registry, the larger one where there are two.
fn test_data() -> Option<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let sources = std::fs::read_dir(home.join("registry/src")).ok()?;
    let crates = sources.flatten().flat_map(|source| {
        std::fs::read_dir(source.path())
            .into_iter()
            .flatten()
            .flatten()
    });
    let files = crates.flat_map(|one| {
        let path = one.path();
        ["tests/wpt", "src/testdata"].map(|at| path.join(at).join("urlpatterntestdata.json"))
    });
    files
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .max_by_key(String::len)
}
