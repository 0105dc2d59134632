//! What the console's methods write.

use super::passes;

#[test]
fn groups_counts_timers_and_formats() {
    let lines = passes(
        "console.log('%s is %d, %i, %f, %o%c!', 'x', 4.5, 4.5, '1.5', [1], 'color: red', 'rest', { a: 1 });
         console.log('100%', '%s');
         console.group('outer'); console.info('in'); console.groupCollapsed(); console.warn('two\\nlines'); console.groupEnd(); console.groupEnd(); console.groupEnd();
         console.log('out');
         console.count(); console.count('x'); console.count(); console.countReset(); console.count(); console.countReset('none');
         console.assert(true, 'not said'); console.assert(false, 'said %s', 1); console.assert(false);
         console.dir({ deep: { deeper: { deepest: { end: 1 } } } }, { depth: 0 }); console.dirxml(1, 'two');
         console.clear(); console.log(); console.debug(Symbol('s'), 1n, -0, null);
         console.table([{ a: 1, b: 'x' }, { a: 2, c: true }], ['a']);",
    );
    assert_eq!(
        lines,
        [
            "x is 4, 4, 1.5, [ 1 ]! rest { a: 1 }",
            "100% %s",
            "outer",
            "  in",
            "    two\n    lines",
            "out",
            "default: 1",
            "x: 1",
            "default: 2",
            "default: 1",
            "Count for 'none' does not exist",
            "Assertion failed: said 1",
            "Assertion failed",
            "{ deep: [Object] }",
            "1 two",
            "Symbol(s) 1n -0 null",
            "┌─────────┬───┐\n│ (index) │ a │\n├─────────┼───┤\n│ 0       │ 1 │\n│ 1       │ 2 │\n└─────────┴───┘",
        ]
    );
}

#[test]
fn traces_and_timers_say_where_and_how_long() {
    let lines = passes(
        "function inner() { console.trace('at %s', 'here') } inner();
         console.time('t'); console.time('t'); console.timeLog('t', 'more', 1); console.timeEnd('t'); console.timeEnd('t');",
    );
    assert!(
        lines[0].starts_with("Trace: at here\n    at inner (worker.js:"),
        "{}",
        lines[0]
    );
    assert!(!lines[0].contains("isolane:"), "{}", lines[0]);
    assert_eq!(lines[1], "Timer 't' already exists");
    assert!(
        lines[2].starts_with("t: ") && lines[2].ends_with("ms more 1"),
        "{}",
        lines[2]
    );
    assert!(
        lines[3].starts_with("t: ") && lines[3].ends_with("ms"),
        "{}",
        lines[3]
    );
    assert_eq!(lines[4], "Timer 't' does not exist");
}
