//! The heads of requests and responses as they cross: one string, its parts on lines of their own.
//! `lib/message-head.ts` is the other side. Nothing in them can hold a line feed.

use std::fmt::Write;

use isolane::{Error, FetchRequest, Response, Start, Usage};
use isolane_scheduler::RedirectMode;

use crate::delivery::{Answer, Head};
use crate::failure::failure;

/// The answer to a `fetch` event.
pub(crate) fn fetch_answer(result: Result<Response, Error>) -> Answer {
    match result {
        Ok(response) => {
            let head = Head::Text(response_head(&response));
            Answer {
                head,
                payload: response.body.into(),
            }
        }
        Err(error) => Answer::text(failure(&error)),
    }
}

/// The answer to a `scheduled` event.
pub(crate) fn scheduled_answer(result: Result<Usage, Error>) -> Answer {
    Answer::text(match result {
        Ok(usage) => {
            let mut line = String::new();
            write_usage(&mut line, &usage);
            line
        }
        Err(error) => failure(&error),
    })
}

fn response_head(response: &Response) -> String {
    let mut head = String::with_capacity(128);
    write_number(&mut head, u64::from(response.status));
    head.push(' ');
    write_usage(&mut head, &response.usage);
    head.push('\n');
    head.push_str(&response.status_text);
    append_headers(&mut head, &response.headers);
    head
}

fn write_usage(line: &mut String, usage: &Usage) {
    let nanoseconds =
        |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    write_number(line, nanoseconds(usage.cpu));
    line.push(' ');
    write_number(line, nanoseconds(usage.wall));
    line.push(' ');
    write_number(line, usage.heap_used_bytes as u64);
    line.push_str(match usage.start {
        Start::Warm => " 0",
        Start::Context => " 1",
        Start::Isolate => " 2",
    });
}

fn write_number(line: &mut String, number: u64) {
    write!(line, "{number}").expect("writing to a String does not fail");
}

fn append_headers(head: &mut String, headers: &[(String, String)]) {
    for (name, value) in headers {
        head.push('\n');
        head.push_str(name);
        head.push('\n');
        head.push_str(value);
    }
}

/// What a request's head holds.
pub(crate) struct RequestHead {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// Reads `method`, `url`, then headers.
pub(crate) fn parse_request_head(head: &str) -> RequestHead {
    let mut lines = head.split('\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    RequestHead {
        method: line(),
        url: line(),
        headers: parse_headers(lines),
    }
}

/// Reads names and values in turn.
pub(crate) fn parse_headers<'a>(mut lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        headers.push((name.to_owned(), value.to_owned()));
    }
    headers
}

/// The head of a guest's fetch for an outbound function: its number, method, URL, redirect mode,
/// then headers.
pub(crate) fn outbound_head(function: u32, request: &FetchRequest) -> String {
    let redirect = match request.redirect {
        RedirectMode::Follow => "follow",
        RedirectMode::Error => "error",
        RedirectMode::Manual => "manual",
    };
    let mut head = format!(
        "{function}\n{}\n{}\n{redirect}",
        request.method, request.url
    );
    append_headers(&mut head, &request.headers);
    head
}
