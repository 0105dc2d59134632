//! The parts of this crate that take bytes from guests and servers, for the fuzz targets and the
//! replay of their corpora. Nothing else calls these.

use std::sync::Arc;

use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use url::Url;

use crate::address_policy::Destinations;
use crate::context::Context;
use crate::redirects::Hop;
use crate::timers::TimerQueue;
use crate::{
    BodyReader, CallbackReceiver, FetchError, FetchRequest, OutboundPolicy, SchedulerHandle,
    content_coding, http_headers,
};

/// Makes the headers that are sent of those a guest gave.
///
/// # Errors
/// Those of a fetch.
pub fn request_headers(headers: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    http_headers::for_request(headers)
}

/// Makes the headers that a guest gets of those a server sent.
///
/// # Errors
/// Those of a fetch.
pub fn response_headers(headers: &HeaderMap) -> Result<Vec<(String, String)>, FetchError> {
    http_headers::check_response(headers, b"")?;
    Ok(http_headers::of_response(headers, false))
}

/// Decodes a body as a server's headers say, and says how many codings that are.
///
/// # Errors
/// Those of a fetch.
pub fn decoded(headers: &HeaderMap, body: BodyReader) -> Result<(usize, BodyReader), FetchError> {
    let codings = content_coding::of_response(headers)?;
    let body = content_coding::decode(body.boxed(), &codings);
    Ok((codings.len(), BodyReader::from_stream(body)))
}

/// A fetch on its way through redirects, without a network.
pub struct Redirects {
    hop: Hop,
    destinations: Destinations,
}

impl Redirects {
    /// Begins with a guest's request.
    ///
    /// # Errors
    /// Those of a fetch.
    pub fn begin(request: FetchRequest, policy: OutboundPolicy) -> Result<Self, FetchError> {
        let destinations = Destinations {
            policy,
            exceptions: Vec::new(),
        };
        let hop = Hop::first(request, &destinations)?;
        Ok(Self { hop, destinations })
    }

    /// Goes where a server's `location` leads.
    ///
    /// # Errors
    /// Those of a fetch.
    pub fn follow(&mut self, status: StatusCode, to: &HeaderValue) -> Result<(), FetchError> {
        self.hop.redirect(status, to, &self.destinations)
    }

    /// Returns where the next request goes.
    pub fn url(&self) -> &Url {
        &self.hop.url
    }

    /// Returns the method of the next request.
    pub fn method(&self) -> &Method {
        &self.hop.method
    }

    /// Returns the headers of the next request.
    pub fn headers(&self) -> &HeaderMap {
        &self.hop.headers
    }

    /// Returns how many redirects were followed.
    pub fn count(&self) -> u32 {
        self.hop.redirects
    }
}

/// Makes a context whose work is done by a runtime of the caller's.
pub fn connect(runtime: &Handle) -> (SchedulerHandle, CallbackReceiver) {
    // Driven by the caller's runtime, so that nothing fires while a script looks.
    let timers = Arc::new(TimerQueue::default());
    let driven = Arc::clone(&timers);
    runtime.spawn(async move {
        loop {
            driven.fire_due();
            tokio::task::yield_now().await;
        }
    });
    let (callbacks, receiver) = mpsc::unbounded_channel();
    let context = Context::new(
        runtime.clone(),
        timers,
        crate::compute::processors(),
        callbacks,
    );
    (
        SchedulerHandle::new(context),
        CallbackReceiver::new(receiver),
    )
}
