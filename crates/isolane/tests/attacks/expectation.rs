//! What a case expects, as its file says it, and what came.

use std::time::Duration;

use isolane::{Error, ErrorKind, LimitKind, Usage};

use crate::case::CAUGHT;

/// The ways in which a case may end.
#[derive(Default)]
pub(crate) struct Expectation(Vec<Ending>);

enum Ending {
    /// `limit cpu`: ended by that limit. `limit memory` is heap or buffer.
    Limit(String),
    /// `error TypeError`: the guest caught that. `*` is any.
    Caught(String),
    /// `throws TypeError`: the guest's exception ended the request. `*` is any.
    Throws(String),
    /// `response 200 ok`: that status and body. Either may be `*`.
    Response(String, String),
    /// `body wall`: the head came, and the body was ended by that limit. `*` is any error.
    Broken(String),
    /// `code ERR_NO_RESPONSE`: any error by its code.
    Code(String),
    /// `load-refused`: the script does not compile or its top level throws.
    LoadRefused,
}

/// What came of a request.
pub(crate) enum Outcome {
    Failed(Error),
    Answered {
        status: u16,
        body: String,
        usage: Usage,
    },
    /// The body's error.
    Broken(String, Usage),
}

impl Expectation {
    /// Reads a list with `|` between its members; one without a kind has that of the one before.
    pub(crate) fn parse(text: &str) -> Self {
        let mut kind = "";
        let mut endings = Vec::new();
        for part in text.split('|').map(str::trim) {
            let (first, rest) = part.split_once(' ').unwrap_or((part, ""));
            let known = [
                "limit",
                "error",
                "throws",
                "response",
                "body",
                "code",
                "load-refused",
            ];
            let rest = match known.iter().find(|known| **known == first) {
                Some(known) => {
                    kind = known;
                    rest
                }
                None => part,
            };
            endings.push(Ending::new(kind, rest));
        }
        Self(endings)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the guest is to catch and answer what it threw.
    pub(crate) fn wants_caught(&self) -> bool {
        self.0
            .iter()
            .any(|ending| matches!(ending, Ending::Caught(_)))
    }

    pub(crate) fn accepts(&self, outcome: &Outcome) -> bool {
        self.0.iter().any(|ending| ending.accepts(outcome))
    }
}

impl Ending {
    fn new(kind: &str, rest: &str) -> Self {
        match kind {
            "limit" => Self::Limit(rest.to_owned()),
            "error" => Self::Caught(rest.to_owned()),
            "throws" => Self::Throws(rest.to_owned()),
            "response" => {
                let (status, body) = rest.split_once(' ').unwrap_or((rest, "*"));
                Self::Response(status.to_owned(), body.to_owned())
            }
            "body" => Self::Broken(rest.to_owned()),
            "code" => Self::Code(rest.to_owned()),
            "load-refused" => Self::LoadRefused,
            _ => panic!("expect: unknown kind {kind:?} {rest:?}"),
        }
    }

    fn accepts(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Limit(wanted), Outcome::Failed(error)) => match error.kind() {
                ErrorKind::Limit(kind) => is_limit(wanted, *kind),
                _ => false,
            },
            (Self::Caught(name), Outcome::Answered { status, body, .. }) => {
                *status == CAUGHT && is_name(name, body)
            }
            (Self::Throws(name), Outcome::Failed(error)) => error
                .guest()
                .is_some_and(|guest| is_name(name, &guest.name)),
            (Self::Response(wanted, text), Outcome::Answered { status, body, .. }) => {
                *status != CAUGHT && is_name(wanted, &status.to_string()) && is_name(text, body)
            }
            (Self::Broken(limit), Outcome::Broken(error, _)) => {
                limit == "*" || error.contains(&format!("ERR_{}_LIMIT", limit.to_uppercase()))
            }
            (Self::Code(code), Outcome::Failed(error)) => error.code() == code,
            (Self::LoadRefused, Outcome::Failed(error)) => {
                ["ERR_WORKER_SYNTAX", "ERR_WORKER_EXCEPTION"].contains(&error.code())
            }
            _ => false,
        }
    }
}

fn is_name(wanted: &str, name: &str) -> bool {
    wanted == "*" || wanted == name
}

fn is_limit(wanted: &str, kind: LimitKind) -> bool {
    match wanted {
        "cpu" => kind == LimitKind::Cpu,
        "wall" => kind == LimitKind::Wall,
        "heap" => kind == LimitKind::Heap,
        "buffer" => kind == LimitKind::Buffer,
        "memory" => matches!(kind, LimitKind::Heap | LimitKind::Buffer),
        "response" => kind == LimitKind::Response,
        _ => panic!("expect: unknown limit {wanted:?}"),
    }
}

impl Outcome {
    /// The limit that ended the request.
    pub(crate) fn limit(&self) -> Option<LimitKind> {
        match self {
            Self::Failed(error) => match error.kind() {
                ErrorKind::Limit(kind) => Some(*kind),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn cpu(&self) -> Option<Duration> {
        match self {
            Self::Failed(error) => error.usage().map(|usage| usage.cpu),
            Self::Answered { usage, .. } | Self::Broken(_, usage) => Some(usage.cpu),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(error) => {
                let stack = error.guest().map_or("", |guest| guest.stack.as_str());
                write!(f, "{}: {error} {stack}", error.code())
            }
            Self::Answered { status, body, .. } => {
                let shown: String = body.chars().take(300).collect();
                write!(f, "response {status} {shown:?}")
            }
            Self::Broken(error, _) => write!(f, "a response whose body failed: {error}"),
        }
    }
}
