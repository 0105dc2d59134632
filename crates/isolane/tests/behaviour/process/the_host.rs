//! What guests in a child get from the host: functions, fetches, a console.

use super::*;

#[test]
fn gives_functions_through_env() {
    let pool = process_pool();
    let add = HostFunction::json(|args| {
        Box::pin(async move { Ok((args[0].as_f64().unwrap() + args[1].as_f64().unwrap()).into()) })
    });
    let fail = HostFunction::json(|_| {
        Box::pin(async {
            Err(HostCallError::Rejected {
                name: "RangeError".to_owned(),
                message: "too far".to_owned(),
            })
        })
    });
    let panics = HostFunction::json(|_| panic!("in the host"));
    let mut worker = WorkerDefinition::script(handler(
        "const of = (promise) => promise.catch((error) => `${error.name}: ${error.message}`);
        return Response.json([await env.add(1, 2), await of(env.group.fail()), await of(env.panics()), env.plain]);",
    ));
    worker.env = Env::default()
        .with("plain", serde_json::json!({ "a": [1] }))
        .with("add", add)
        .with(
            "group",
            isolane::EnvValue::Functions(vec![("fail".to_owned(), fail)]),
        )
        .with("panics", panics);
    let request = Request::get("http://worker.test/");
    assert_eq!(
        fetch(&pool, worker, request),
        r#"[3,"RangeError: too far","Error: The host function failed",{"a":[1]}]"#
    );
}

#[test]
fn lets_go_of_functions_that_no_worker_has() {
    let pool = process_pool();
    let held = Arc::new(());
    let witness = held.clone();
    let function = HostFunction::json(move |_| {
        let _witness = witness.clone();
        Box::pin(async { Ok(1.into()) })
    });
    let mut worker = WorkerDefinition::script(handler("return new Response(await env.f())"));
    worker.env = Env::default().with("f", function);
    assert_eq!(
        fetch(&pool, worker, Request::get("http://worker.test/")),
        "1"
    );
    assert!(Arc::strong_count(&held) > 1);
    assert!(pool.evict("a"));
    eventually("the function's end", || Arc::strong_count(&held) == 1);
}

#[test]
fn no_longer_runs_a_call_that_no_guest_waits_for() {
    let pool = process_pool();
    let running = Arc::new(());
    let witness = running.clone();
    let never = HostFunction::json(move |_| {
        let witness = witness.clone();
        Box::pin(async move {
            let _witness = witness;
            std::future::pending().await
        })
    });
    let mut worker = WorkerDefinition::script(handler("await env.never()"));
    worker.env = Env::default().with("never", never);
    let worker = Arc::new(worker);
    let request = Request::get("http://worker.test/");
    let future = pool.execute("a", &worker, request, RunOptions::default());
    eventually("the call", || Arc::strong_count(&running) == 3);
    future.abort_handle().abort();
    assert_eq!(block_on(future).unwrap_err().code(), "ERR_ABORTED");
    eventually("the call's end", || Arc::strong_count(&running) == 2);
}

struct Mirror;

impl FetchClient for Mirror {
    fn fetch(
        &self,
        request: FetchRequest,
    ) -> futures_util::future::BoxFuture<'static, Result<FetchResponse, FetchError>> {
        Box::pin(async move {
            if request.url.ends_with("/blocked") {
                return Err(FetchError::Blocked);
            }
            Ok(FetchResponse {
                status: 203,
                headers: request.headers,
                url: request.url,
                body: request.body,
                ..FetchResponse::default()
            })
        })
    }
}

#[test]
fn answers_fetches_in_the_place_of_the_network() {
    let pool = process_pool();
    let mut worker = WorkerDefinition::script(handler(
        "const response = await fetch('http://far.test/x', { method: 'POST', body: 'sent', headers: { a: 'b' } });
        const blocked = await fetch('http://far.test/blocked').catch((error) => error.message);
        const long = 'z'.repeat(600_000);
        const streamed = await fetch('http://far.test/y', { method: 'PUT', body: new Blob([long]).stream(), duplex: 'half' });
        return Response.json([response.status, response.url, response.headers.get('a'), await response.text(), blocked,
            (await streamed.text()) === long]);",
    ));
    worker.outbound = Outbound::Client(Arc::new(Mirror));
    assert_eq!(
        fetch(&pool, worker, Request::get("http://worker.test/")),
        r#"[203,"http://far.test/x","b","sent","fetch failed: destination not allowed",true]"#
    );
}

#[test]
fn hears_consoles_before_the_answer() {
    let (of_pool, sink) = recorder();
    let pool = process_pool_with(|options| options.on_log = Some(sink));
    let (of_run, sink) = recorder();
    let script = handler("console.warn('said'); return new Response('x')");
    run(&pool, "a", &script).expect("an answer");
    let options = RunOptions {
        limits: None,
        on_log: Some(sink),
    };
    let worker = Arc::new(script.into());
    let request = Request::get("http://worker.test/");
    block_on(pool.execute("a", &worker, request, options)).expect("an answer");
    for seen in [of_pool, of_run] {
        let seen = seen.lock().unwrap();
        let [entry] = &seen[..] else {
            panic!("{seen:?}");
        };
        assert_eq!((entry.level.as_str(), &*entry.message), ("warn", "said"));
        assert_eq!(entry.worker_id.as_deref(), Some("a"));
    }
}
