//! The end of a pool with a child, and requests that it refuses.

use super::*;

#[test]
fn ends_what_goes_on_after_the_grace_time_and_the_child() {
    let pool = process_pool_with(|options| options.grace = Duration::from_millis(100));
    assert_serves(&pool);
    let waiting = start(&pool, "a", SLEEP);
    block_on(pool.close()).expect("closed");
    assert_eq!(code(block_on(waiting)), "ERR_POOL_CLOSED");
    assert_eq!(code(block_on(start(&pool, "a", SLEEP))), "ERR_POOL_CLOSED");
    block_on(pool.close()).expect("closed again");
}

#[test]
fn waits_for_what_ends_in_time() {
    let pool = process_pool();
    let quick = "await new Promise((r) => setTimeout(r, 300)); return new Response('x')";
    assert_serves(&pool);
    let waiting = start(&pool, "a", quick);
    block_on(pool.close()).expect("closed");
    assert_eq!(code(block_on(waiting)), "none");
}

#[test]
fn a_dropped_pool_still_answers() {
    let pool = process_pool();
    let waiting = start(&pool, "a", "return new Response('x')");
    drop(pool);
    assert_eq!(code(block_on(waiting)), "none");
}

#[test]
fn a_full_queue_refuses() {
    let pool = process_pool_with(|options| {
        options.max_queue = 2;
        options.threads = 1;
        options.max_isolates_per_worker = 1;
    });
    let busy =
        "const until = Date.now() + 200; while (Date.now() < until) {} return new Response('x')";
    let codes: Vec<_> = (0..20).map(|_| start(&pool, "a", busy)).collect();
    let codes: Vec<_> = codes
        .into_iter()
        .map(|future| code(block_on(future)))
        .collect();
    assert!(codes.contains(&"ERR_POOL_FULL"), "{codes:?}");
    assert!(codes.contains(&"none"), "{codes:?}");
}
