//! Why a child ended, and what its requests end with.

use std::collections::HashMap;

use isolane_scheduler::RequestId;

use crate::error::{Error, ErrorKind};
use crate::limits::LimitKind;
use crate::runtime::active_request::Responder;

use super::generation::InFlight;
use super::last_words::LastWords;

/// Why a child ended.
#[derive(Clone, Debug)]
pub(crate) enum Death {
    /// By itself; it may have said why.
    Crashed(Option<LastWords>),
    /// It took more memory than it may.
    Memory,
    /// It no longer answered.
    Stuck,
    /// It sent what it must not.
    Misbehaved,
    /// It could not be started.
    NotStarted(String),
    /// The pool was closed.
    Closed,
}

impl Death {
    /// What the child's requests end with.
    pub(crate) fn error(&self) -> Error {
        let crashed = |how: &str| ErrorKind::IsolateCrashed(how.to_owned()).into();
        match self {
            Self::Crashed(_) => crashed("ended unexpectedly"),
            Self::Memory => Error::limit(LimitKind::Heap),
            Self::Stuck => crashed("no longer answered"),
            Self::Misbehaved => crashed("broke the protocol"),
            Self::NotStarted(why) => crashed(&format!("could not be started: {why}")),
            Self::Closed => ErrorKind::PoolClosed.into(),
        }
    }
}

/// The request that ended the child by a limit, where that is known.
pub(crate) fn blamed(
    death: &Death,
    requests: &HashMap<RequestId, InFlight>,
) -> Option<(RequestId, LimitKind)> {
    let Death::Crashed(Some(LastWords { limit, request })) = death else {
        return None;
    };
    let mut unanswered = requests
        .iter()
        .filter(|(_, request)| !matches!(request.responder, Responder::Answered))
        .map(|(request, _)| *request);
    let culprit = match (*request, unanswered.next()) {
        // One of V8's own threads ran out of memory: on account of the only request there is.
        (0, Some(only)) if unanswered.next().is_none() => only,
        (request, _) => request,
    };
    Some((culprit, *limit))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};

    use super::super::generation::{Generation, Job};
    use super::super::host::Host;
    use super::super::supervisor::Shared;
    use super::super::workers::Deployed;
    use super::*;
    use crate::request::{Request, RunOptions};
    use crate::runtime::events::Event;
    use crate::settlement::{RunFuture, WorkerFuture};
    use crate::{PoolOptions, WorkerDefinition};

    /// Sends `count` requests to a child that ends in this way; their ids begin with 1.
    fn codes(count: u64, death: &Death) -> Vec<&'static str> {
        let generation = Generation::new(&Arc::new(Host::new(PoolOptions::default())));
        let definition = Arc::new(WorkerDefinition::script(""));
        let owner: Weak<Shared> = Weak::new();
        let worker = Deployed::new("a", definition, owner).expect("a worker");
        let start = |request| -> WorkerFuture {
            let (future, settlement) = RunFuture::new(request, None);
            let job = Job {
                request,
                worker: worker.clone(),
                event: Event::Fetch(Request::get("http://x/")),
                responder: Responder::Fetch(settlement),
                options: RunOptions::default(),
            };
            assert!(generation.start(Box::new(job)).is_ok());
            future
        };
        let futures: Vec<_> = (1..=count).map(start).collect();
        generation.end(death);
        assert_eq!(generation.host.in_flight(), 0);
        let code = |future: WorkerFuture| {
            let answer = futures_executor::block_on(future);
            answer.expect_err("it did not answer").code()
        };
        futures.into_iter().map(code).collect()
    }

    fn last_words(request: u64) -> Death {
        let limit = LimitKind::Cpu;
        Death::Crashed(Some(LastWords { limit, request }))
    }

    #[test]
    fn a_limit_ends_its_own_request_and_the_crash_the_others() {
        let crashed = "ERR_ISOLATE_CRASHED";
        assert_eq!(
            codes(3, &last_words(2)),
            [crashed, "ERR_CPU_LIMIT", crashed]
        );
        assert_eq!(codes(2, &last_words(9)), [crashed, crashed]);
        assert_eq!(codes(2, &Death::Crashed(None)), [crashed, crashed]);
    }

    #[test]
    fn a_limit_of_nobodys_is_that_of_the_only_request() {
        assert_eq!(codes(1, &last_words(0)), ["ERR_CPU_LIMIT"]);
        let crashed = "ERR_ISOLATE_CRASHED";
        assert_eq!(codes(2, &last_words(0)), [crashed, crashed]);
    }

    #[test]
    fn too_much_memory_ends_all_with_the_heaps_code() {
        assert_eq!(
            codes(2, &Death::Memory),
            ["ERR_HEAP_LIMIT", "ERR_HEAP_LIMIT"]
        );
    }
}
