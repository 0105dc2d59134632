//! EventSource: how the stream is read, and how it is asked for again.

use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, ready};
use isolane::{
    Body, BodyReader, FetchClient, FetchError, FetchRequest, FetchResponse, Outbound,
    WorkerDefinition,
};

use super::passes_in;

/// Answers each fetch with the next of its scripts, in chunks.
struct Scripted {
    answers: Mutex<Vec<(u16, &'static str, &'static [&'static str])>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FetchClient for Scripted {
    fn fetch(
        &self,
        request: FetchRequest,
    ) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        let header = |name: &str| {
            let found = request.headers.iter().find(|(header, _)| header == name);
            found.map_or("-", |(_, value)| value.as_str()).to_owned()
        };
        let asked = format!("{} {}", header("accept"), header("last-event-id"));
        self.asked
            .lock()
            .expect("no test has panicked with it")
            .push(asked);
        let (status, kind, chunks) = self
            .answers
            .lock()
            .expect("no test has panicked with it")
            .remove(0);
        let chunks = chunks.iter().map(|chunk| Ok(chunk.as_bytes().into()));
        let body = BodyReader::from_stream(futures_util::stream::iter(chunks));
        Box::pin(ready(Ok(FetchResponse {
            status,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            url: request.url,
            body: Body::Stream(body),
            ..FetchResponse::default()
        })))
    }
}

/// Runs a handler whose fetches are answered so; what it asked for.
fn with_answers(
    answers: Vec<(u16, &'static str, &'static [&'static str])>,
    body: &str,
) -> Vec<String> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let client = Arc::new(Scripted {
        answers: Mutex::new(answers),
        asked: asked.clone(),
    });
    passes_in(
        |source| {
            let mut worker = WorkerDefinition::script(source);
            worker.outbound = Outbound::Client(client);
            worker
        },
        body,
    );
    asked.lock().expect("no test has panicked with it").clone()
}

#[test]
fn events_are_read_line_by_line() {
    let chunks: &[&str] = &[
        "\u{feff}: comment\nretry: 10\ndata: one\r",
        "\ndata:two\n\nevent: named\ndata\nid: 7\n\n",
        "data: ü",
        "\r\r",
        "data: incomplete",
    ];
    let asked = with_answers(
        vec![
            (200, "text/event-stream; charset=utf-8", chunks),
            (204, "", &[]),
        ],
        "const source = new EventSource('http://x.test/events');
         same([source.readyState, source.url, source.withCredentials, EventSource.CLOSED], [0, 'http://x.test/events', false, 2]);
         const seen = [];
         source.onopen = () => seen.push('open ' + source.readyState);
         source.onmessage = ({ data, lastEventId, origin }) => seen.push([data, lastEventId, origin]);
         source.addEventListener('named', ({ type, data, lastEventId }) => seen.push([type, data, lastEventId]));
         await new Promise((resolve) => { source.onerror = () => { seen.push('error ' + source.readyState); if (source.readyState === 2) resolve() } });
         same(seen, ['open 1', ['one\\ntwo', '', 'http://x.test'], ['named', '', '7'], ['ü', '7', 'http://x.test'], 'error 0', 'error 2']);",
    );
    assert_eq!(asked, ["text/event-stream -", "text/event-stream 7"]);
}

#[test]
fn what_is_no_event_stream_is_not_asked_for_again() {
    let asked = with_answers(
        vec![(200, "text/html", &["<p>"])],
        "const source = new EventSource('http://x.test/');
         await new Promise((resolve) => { source.onerror = resolve });
         same(source.readyState, 2);
         throws('SyntaxError', () => new EventSource('relative'));
         throws('TypeError', () => new EventSource());",
    );
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_closed_source_is_silent() {
    with_answers(
        vec![(200, "text/event-stream", &["data: 1\n\ndata: 2\n\n"])],
        "const source = new EventSource('http://x.test/'); const seen = [];
         source.onerror = () => seen.push('error');
         source.onmessage = ({ data }) => { seen.push(data); source.close() };
         await scheduler.wait(50);
         same([seen, source.readyState], [['1'], 2]);",
    );
}
