//! Worker definitions on the wire: what the parent writes once for each worker, and what the child
//! makes of it. Host functions and outbound clients stay with the parent: the child gets stand-ins.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use isolane_scheduler::FetchClient;
use serde::{Deserialize, Serialize};

use crate::definition::{
    ContextPolicy, Env, EnvValue, HostCodec, HostFunction, ModuleSource, Outbound, WorkerDefinition,
};
use crate::error::Error;

use super::frame::LONGEST_FRAME;
use super::protocol::WireLimits;

/// How long a definition may be, with room for the rest of its frame.
const LONGEST_DEFINITION: usize = LONGEST_FRAME - (1 << 20);

#[derive(Serialize, Deserialize)]
struct WireDefinition<'a> {
    #[serde(borrow)]
    modules: Vec<(&'a str, WireSource<'a>)>,
    #[serde(borrow)]
    env: Vec<(&'a str, WireEnvValue<'a>)>,
    fresh: bool,
    limits: Option<WireLimits>,
    codegen: bool,
    outbound: WireOutbound,
}

#[derive(Serialize, Deserialize)]
enum WireSource<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

#[derive(Serialize, Deserialize)]
enum WireEnvValue<'a> {
    #[serde(borrow)]
    Json(Cow<'a, str>),
    Function(WireCodec),
    #[serde(borrow)]
    Functions(Vec<(&'a str, WireCodec)>),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum WireCodec {
    Structured,
    Json,
}

#[derive(Serialize, Deserialize)]
enum WireOutbound {
    Public,
    None,
    Any,
    Client,
}

/// Makes what stands in the child for what the parent has.
pub(crate) trait StandIns {
    /// A function for the one at this place, counting the functions of `env` in order.
    fn function(&self, place: u32, codec: HostCodec) -> HostFunction;
    /// A client for the worker's own one.
    fn client(&self) -> Arc<dyn FetchClient>;
}

/// The definition's bytes.
///
/// # Errors
///
/// `ERR_INVALID_ARG` for a worker that is too large to be sent.
pub(crate) fn encode(definition: &WorkerDefinition) -> Result<Bytes, Error> {
    let modules = definition.modules.iter().map(|(name, source)| {
        let source = match source {
            ModuleSource::Text(text) => WireSource::Text(text),
            ModuleSource::Bytes(bytes) => WireSource::Bytes(bytes),
        };
        (name.as_str(), source)
    });
    let env = definition.env.0.iter().map(|(name, value)| {
        let value = match value {
            EnvValue::Json(value) => WireEnvValue::Json(value.to_string().into()),
            EnvValue::Function(function) => WireEnvValue::Function(function.codec.into()),
            EnvValue::Functions(group) => {
                let members = group
                    .iter()
                    .map(|(name, f)| (name.as_str(), f.codec.into()));
                WireEnvValue::Functions(members.collect())
            }
        };
        (name.as_str(), value)
    });
    let wire = WireDefinition {
        modules: modules.collect(),
        env: env.collect(),
        fresh: definition.context == ContextPolicy::Fresh,
        limits: definition.limits.map(Into::into),
        codegen: definition.codegen,
        outbound: match definition.outbound {
            Outbound::Public => WireOutbound::Public,
            Outbound::None => WireOutbound::None,
            Outbound::Any => WireOutbound::Any,
            Outbound::Client(_) => WireOutbound::Client,
        },
    };
    let bytes = postcard::to_stdvec(&wire)
        .map_err(|error| Error::internal(format!("a definition: {error}")))?;
    if bytes.len() > LONGEST_DEFINITION {
        let expected = format!("at most {LONGEST_DEFINITION} bytes with isolation by process");
        let got = format!("{} bytes", bytes.len());
        return Err(Error::invalid_arg("worker", expected, got));
    }
    Ok(bytes.into())
}

/// The definition in `bytes`; `None` where they are not one.
pub(crate) fn decode(bytes: &[u8], stand_ins: &dyn StandIns) -> Option<WorkerDefinition> {
    let wire: WireDefinition<'_> = postcard::from_bytes(bytes).ok()?;
    let modules = wire.modules.into_iter().map(|(name, source)| {
        let source = match source {
            WireSource::Text(text) => ModuleSource::Text(text.to_owned()),
            WireSource::Bytes(bytes) => ModuleSource::Bytes(Bytes::copy_from_slice(bytes)),
        };
        (name.to_owned(), source)
    });
    let mut definition = WorkerDefinition::modules(modules);
    let mut place = 0;
    let mut function = |codec: WireCodec| {
        place += 1;
        stand_ins.function(place - 1, codec.into())
    };
    let mut env = Vec::with_capacity(wire.env.len());
    for (name, value) in wire.env {
        let value = match value {
            WireEnvValue::Json(json) => EnvValue::Json(serde_json::from_str(&json).ok()?),
            WireEnvValue::Function(codec) => EnvValue::Function(function(codec)),
            WireEnvValue::Functions(group) => {
                let members = group
                    .into_iter()
                    .map(|(name, codec)| (name.to_owned(), function(codec)));
                EnvValue::Functions(members.collect())
            }
        };
        env.push((name.to_owned(), value));
    }
    definition.env = Env(env);
    if wire.fresh {
        definition.context = ContextPolicy::Fresh;
    }
    definition.limits = wire.limits.map(Into::into);
    definition.codegen = wire.codegen;
    definition.outbound = match wire.outbound {
        WireOutbound::Public => Outbound::Public,
        WireOutbound::None => Outbound::None,
        WireOutbound::Any => Outbound::Any,
        WireOutbound::Client => Outbound::Client(stand_ins.client()),
    };
    Some(definition)
}

impl From<HostCodec> for WireCodec {
    fn from(codec: HostCodec) -> Self {
        match codec {
            HostCodec::Structured => Self::Structured,
            HostCodec::Json => Self::Json,
        }
    }
}

impl From<WireCodec> for HostCodec {
    fn from(codec: WireCodec) -> Self {
        match codec {
            WireCodec::Structured => Self::Structured,
            WireCodec::Json => Self::Json,
        }
    }
}
