//! Globals of a few members: navigator and scheduler.

use super::passes;

#[test]
fn navigator_names_the_runtime() {
    passes(
        "same(navigator.userAgent, 'Isolane');
         same(Object.prototype.toString.call(navigator), '[object Navigator]');
         throws('TypeError', () => new Navigator());",
    );
}

#[test]
fn scheduler_waits_until_it_is_told_not_to() {
    passes(
        "const began = performance.now();
         same(await scheduler.wait(20), undefined);
         same(performance.now() - began >= 19, true);
         await rejects('AbortError', scheduler.wait(10, { signal: AbortSignal.abort() }));
         const controller = new AbortController();
         const waiting = scheduler.wait(60_000, { signal: controller.signal });
         controller.abort(new RangeError('enough'));
         await rejects('RangeError', waiting);
         await rejects('TypeError', scheduler.wait());
         await rejects('TypeError', scheduler.wait(1, { signal: {} }));
         await rejects('TypeError', scheduler.wait.call({}, 1));",
    );
}
