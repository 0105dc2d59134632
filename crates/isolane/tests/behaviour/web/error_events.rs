//! The global as an event target, and what becomes of errors that nobody caught.

use super::passes;

#[test]
fn the_global_is_an_event_target() {
    passes(
        "same(globalThis instanceof EventTarget, true);
         same(Object.hasOwn(globalThis, 'addEventListener'), false);
         const seen = [];
         const listener = function (event) { seen.push(this === globalThis, event.target === globalThis, event.isTrusted) };
         addEventListener('thing', listener);
         same(dispatchEvent(new Event('thing')), true);
         globalThis.dispatchEvent(new Event('thing'));
         removeEventListener('thing', listener);
         dispatchEvent(new Event('thing'));
         same(seen, [true, true, false, true, true, false]);
         EventTarget.prototype.addEventListener.call(null, 'thing', listener);
         throws('TypeError', () => EventTarget.prototype.addEventListener.call({}, 'thing', listener));
         throws('TypeError', () => new globalThis.constructor());",
    );
}

#[test]
fn report_error_asks_the_listeners_first() {
    let lines = passes(
        "const seen = [];
         addEventListener('error', (event) => { seen.push(event.error, event.message, event.filename, event.lineno > 0, event.colno > 0, event.cancelable, event.isTrusted); event.preventDefault() });
         const error = new RangeError('reported');
         reportError(error);
         same(seen[0] === error, true);
         same(seen.slice(1), ['Uncaught RangeError: reported', 'worker.js', true, true, true, true]);
         throws('TypeError', () => reportError());
         onerror = (...args) => { seen.push(args.length, args[0]); return true };
         same(typeof onerror, 'function');
         seen.length = 0;
         setTimeout(() => { throw new Error('in a timer') });
         await task(); await task();
         same(seen.at(-2), 5);
         same(seen.at(-1), 'Uncaught Error: in a timer');
         onerror = null;
         same(onerror, null);",
    );
    assert_eq!(lines, [] as [String; 0]);
}

#[test]
fn what_no_listener_cancels_is_logged() {
    let lines = passes(
        "reportError('plain');
         addEventListener('error', () => { throw new Error('of the listener') });
         reportError(new Error('original'));",
    );
    let starts: Vec<_> = lines
        .iter()
        .map(|line| line.lines().next().unwrap_or(""))
        .collect();
    assert_eq!(
        starts,
        [
            "Uncaught Error: plain",
            "Uncaught Error: of the listener",
            "Uncaught Error: original"
        ]
    );
}

#[test]
fn rejections_are_events() {
    let lines = passes(
        "const seen = [];
         addEventListener('unhandledrejection', (event) => { seen.push([event.type, event.reason, event.promise === promise, event.cancelable]); event.preventDefault() });
         onrejectionhandled = (event) => seen.push([event.type, event.reason, event.promise === promise]);
         const promise = Promise.reject('why');
         await task();
         promise.catch(() => {});
         await task();
         same(seen, [['unhandledrejection', 'why', true, true], ['rejectionhandled', 'why', true]]);
         const handled = Promise.reject(1); handled.catch(() => {});
         await task();
         same(seen.length, 2);",
    );
    assert_eq!(lines, [] as [String; 0]);
}

#[test]
fn a_rejection_that_a_listener_handles_is_not_reported() {
    let lines = passes(
        "let second;
         addEventListener('unhandledrejection', () => second.catch(() => {}));
         Promise.reject(new Error('first'));
         second = Promise.reject(new Error('second'));
         await task();",
    );
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("Uncaught (in promise) Error: first"),
        "{lines:?}"
    );
}
