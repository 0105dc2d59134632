//! What a child says, taken in on the supervisor's thread. Everything is checked: what an honest child
//! would not say ends the child.

use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use isolane_scheduler::RequestId;

use crate::error::Error;
use crate::request::{LogEntry, Response};
use crate::runtime::active_request::Responder;
use crate::validation::is_token;

use super::frame::{Frame, Malformed};
use super::generation::{Generation, InFlight};
use super::protocol::{AnswerHead, FetchHead, FromChild, Headers, LogHead, Tick, WorkerKey};

impl Generation {
    /// Does what the child asks for.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for what an honest child does not say.
    pub(super) fn take_in(&self, frame: Frame<FromChild>) -> Result<(), Malformed> {
        let Frame { head, payload } = frame;
        match head {
            FromChild::Tick(tick) => self.note_tick(tick),
            FromChild::Answered {
                request,
                ended,
                head,
            } => {
                let response = self.response(head, payload)?;
                match self.answered(request, ended)? {
                    Responder::Fetch(settlement) => settlement.settle(Ok(response.into())),
                    _ => return Err(WRONG_ANSWER),
                }
            }
            FromChild::Handled {
                request,
                ended,
                usage,
            } => match self.answered(request, ended)? {
                Responder::Scheduled(settlement) => settlement.settle(Ok(usage)),
                _ => return Err(WRONG_ANSWER),
            },
            FromChild::Failed {
                request,
                ended,
                error,
            } => self.answered(request, ended)?.fail(Error::from(error)),
            FromChild::Ended { request } => self.forget(request),
            FromChild::Log(head) => self.log(head, payload)?,
            FromChild::Flow(flow) => self.streams.take_in(flow, payload)?,
            FromChild::HostCall {
                call,
                worker,
                function,
            } => {
                let definition = self.definition(worker)?;
                self.calls.call(call, &definition, function, payload)?;
            }
            FromChild::Outbound { call, worker, head } => {
                let definition = self.definition(worker)?;
                check_fetch(&head)?;
                self.calls.fetch(call, &definition, head, payload)?;
            }
            FromChild::Abandoned { call } => self.calls.abandon(call),
            FromChild::Released { worker } => {
                // Dropped outside of the lock: host functions may come back with a call.
                let released = self.table.lock().defined.remove(&worker);
                drop(released);
            }
        }
        Ok(())
    }

    /// Who waits for the answer of a request; the request itself goes where nothing of it goes on.
    fn answered(&self, request: RequestId, ended: bool) -> Result<Responder, Malformed> {
        self.served.store(true, Ordering::Relaxed);
        let mut table = self.table.lock();
        let unknown = Malformed::Meaning("an answer to no request");
        let in_flight = table.requests.get_mut(&request).ok_or(unknown)?;
        let responder = std::mem::replace(&mut in_flight.responder, Responder::Answered);
        let gone = ended.then(|| table.requests.remove(&request)).flatten();
        drop(table);
        drop::<Option<InFlight>>(gone);
        match responder {
            Responder::Answered => Err(Malformed::Meaning("a second answer")),
            responder => Ok(responder),
        }
    }

    fn forget(&self, request: RequestId) {
        let mut table = self.table.lock();
        let answered = |in_flight: &InFlight| matches!(in_flight.responder, Responder::Answered);
        let gone = match table.requests.get(&request) {
            Some(in_flight) if answered(in_flight) => table.requests.remove(&request),
            _ => None,
        };
        drop(table);
        drop(gone);
    }

    fn definition(
        &self,
        worker: WorkerKey,
    ) -> Result<std::sync::Arc<crate::WorkerDefinition>, Malformed> {
        let table = self.table.lock();
        let definition = table.defined.get(&worker).cloned();
        definition.ok_or(Malformed::Meaning(
            "a call of a worker that it does not have",
        ))
    }

    fn response(&self, head: AnswerHead, payload: Bytes) -> Result<Response, Malformed> {
        check_headers(&head.headers)?;
        if head.status > 999 || !is_line(&head.status_text) {
            return Err(Malformed::Meaning("a status that HTTP does not have"));
        }
        Ok(Response {
            status: head.status,
            status_text: head.status_text,
            headers: head.headers,
            body: self.streams.receive(head.body, payload)?,
            usage: head.usage,
        })
    }

    fn note_tick(&self, tick: Tick) {
        let now = Instant::now();
        let mut table = self.table.lock();
        for request in &tick.began {
            if let Some(in_flight) = table.requests.get_mut(request) {
                in_flight.began.get_or_insert(now);
            }
        }
        drop(table);
        *self.tick.lock() = tick;
    }

    fn log(&self, head: LogHead, message: Bytes) -> Result<(), Malformed> {
        let message = String::from_utf8(message.into())
            .map_err(|_| Malformed::Meaning("a console message that is not UTF-8"))?;
        let sink = if head.own {
            let table = self.table.lock();
            let in_flight = table.requests.get(&head.request);
            in_flight.and_then(|in_flight| in_flight.on_log.clone())
        } else {
            self.host.options.on_log.clone()
        };
        if let Some(sink) = sink {
            sink(LogEntry {
                level: head.level,
                message,
                worker_id: head.worker_id.map(Into::into),
                request_id: head.request,
                timestamp_ms: head.timestamp_ms,
            });
        }
        Ok(())
    }
}

const WRONG_ANSWER: Malformed = Malformed::Meaning("an answer of the wrong kind");

fn check_fetch(head: &FetchHead) -> Result<(), Malformed> {
    check_headers(&head.headers)?;
    if is_token(&head.method) && is_line(&head.url) {
        Ok(())
    } else {
        Err(Malformed::Meaning(
            "a method or URL that HTTP does not allow",
        ))
    }
}

fn check_headers(headers: &Headers) -> Result<(), Malformed> {
    let valid = |(name, value): &(String, String)| is_token(name) && is_line(value);
    if headers.iter().all(valid) {
        Ok(())
    } else {
        Err(Malformed::Meaning("a header that HTTP does not allow"))
    }
}

fn is_line(text: &str) -> bool {
    !text.contains(['\0', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};

    use futures_util::FutureExt;
    use isolane_scheduler::next_id;

    use super::super::generation::Job;
    use super::super::host::Host;
    use super::super::protocol::WireBody;
    use super::super::supervisor::Shared;
    use super::super::workers::Deployed;
    use super::*;
    use crate::request::{Request, RunOptions, Usage};
    use crate::runtime::events::Event;
    use crate::settlement::{RunFuture, WorkerFuture};
    use crate::{PoolOptions, WorkerDefinition};

    /// A generation whose child is this test, with one request.
    fn generation() -> (Arc<Generation>, RequestId, WorkerFuture) {
        let generation = Generation::new(&Arc::new(Host::new(PoolOptions::default())));
        let definition = Arc::new(WorkerDefinition::script(""));
        let owner: Weak<Shared> = Weak::new();
        let request = next_id();
        let (future, settlement) = RunFuture::new(request, None);
        let job = Box::new(Job {
            request,
            worker: Deployed::new("a", definition, owner).expect("a worker"),
            event: Event::Fetch(Request::get("http://x/")),
            responder: Responder::Fetch(settlement),
            options: RunOptions::default(),
        });
        assert!(generation.start(job).is_ok());
        (generation, request, future)
    }

    fn say(generation: &Generation, head: FromChild) -> Result<(), Malformed> {
        let payload = Bytes::new();
        generation.take_in(Frame { head, payload })
    }

    fn answer(request: RequestId, change: impl FnOnce(&mut AnswerHead)) -> FromChild {
        let mut head = AnswerHead {
            status: 200,
            status_text: "OK".to_owned(),
            headers: vec![("a".to_owned(), "b".to_owned())],
            body: WireBody::Empty,
            usage: Usage::default(),
        };
        change(&mut head);
        FromChild::Answered {
            request,
            ended: false,
            head,
        }
    }

    #[test]
    fn an_answer_settles_its_request_and_a_second_one_breaks_the_protocol() {
        let (generation, request, future) = generation();
        say(&generation, answer(request, |_| {})).expect("an answer");
        let response = future.now_or_never().expect("settled").expect("an answer");
        assert_eq!(response.status, 200);
        assert_eq!(generation.host.in_flight(), 1);
        assert!(say(&generation, answer(request, |_| {})).is_err());
        say(&generation, FromChild::Ended { request }).expect("its end");
        assert_eq!(generation.host.in_flight(), 0);
    }

    #[test]
    fn what_http_does_not_have_breaks_the_protocol() {
        let line_break: fn(&mut AnswerHead) = |head| head.headers[0].1.push('\n');
        let name: fn(&mut AnswerHead) = |head| head.headers[0].0.push(' ');
        let status: fn(&mut AnswerHead) = |head| head.status = 1000;
        let text: fn(&mut AnswerHead) = |head| head.status_text.push('\r');
        for change in [line_break, name, status, text] {
            let (generation, request, future) = generation();
            assert!(say(&generation, answer(request, change)).is_err());
            assert!(future.now_or_never().is_none());
        }
    }

    #[test]
    fn what_it_was_not_asked_for_breaks_the_protocol() {
        let (generation, request, _future) = generation();
        let usage = Usage::default();
        let (call, worker, function) = (1, next_id(), 0);
        let heads = [
            answer(request + 1, |_| {}),
            FromChild::Handled {
                request,
                ended: true,
                usage,
            },
            FromChild::HostCall {
                call,
                worker,
                function,
            },
        ];
        for head in heads {
            assert!(say(&generation, head).is_err());
        }
    }

    #[test]
    fn a_function_that_the_worker_does_not_have_breaks_the_protocol() {
        let (generation, _, _future) = generation();
        let worker = generation.table.lock().defined.keys().copied().next();
        let head = FromChild::HostCall {
            call: 1,
            worker: worker.expect("the worker"),
            function: 0,
        };
        assert!(say(&generation, head).is_err());
    }
}
