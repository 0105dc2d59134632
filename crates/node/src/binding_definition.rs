//! Worker definitions as JavaScript gives them; TypeScript has checked them.

use bytes::Bytes;
use isolane::{ContextPolicy, Env, EnvValue, Limits, ModuleSource, WorkerDefinition};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::binding_limits::BindingLimits;
use crate::connection::SharedConnection;
use crate::host_functions::host_function;
use crate::outbound_client::outbound;

/// A module: text or bytes.
#[napi(object)]
pub struct BindingModule {
    pub name: String,
    pub text: Option<String>,
    pub bytes: Option<Uint8Array>,
}

/// A function of a group in `env`.
#[napi(object)]
pub struct BindingNamedFunction {
    pub name: String,
    pub function: u32,
}

/// An entry of `env`: JSON text, a function or a group of functions.
#[napi(object)]
pub struct BindingEnvEntry {
    pub name: String,
    pub json: Option<String>,
    pub function: Option<u32>,
    pub functions: Option<Vec<BindingNamedFunction>>,
}

/// A worker's code and what it is given.
#[napi(object)]
pub struct BindingDefinitionOptions {
    pub modules: Vec<BindingModule>,
    pub env: Vec<BindingEnvEntry>,
    pub fresh: bool,
    pub codegen: bool,
    pub limits: Option<BindingLimits>,
    #[napi(ts_type = "'public' | 'none' | 'any'")]
    pub outbound: Option<String>,
    pub outbound_function: Option<u32>,
}

impl BindingDefinitionOptions {
    /// As the core takes it, and the limits that apply to its requests: its own over its host's.
    pub(crate) fn into_definition(
        self,
        connection: &SharedConnection,
        base: &Limits,
    ) -> (WorkerDefinition, Limits) {
        let own_limits = self.limits.as_ref().map(|limits| limits.over(base));
        let kind = self.outbound.as_deref();
        let outbound = outbound(connection, kind, self.outbound_function);
        let env = self
            .env
            .into_iter()
            .map(|entry| env_entry(connection, entry))
            .collect();
        let mut definition = WorkerDefinition::modules(self.modules.into_iter().map(module));
        definition.env = Env(env);
        definition.context = if self.fresh {
            ContextPolicy::Fresh
        } else {
            ContextPolicy::Reuse
        };
        definition.limits = own_limits;
        definition.codegen = self.codegen;
        definition.outbound = outbound;
        (definition, own_limits.unwrap_or(*base))
    }
}

fn module(module: BindingModule) -> (String, ModuleSource) {
    let source = match module.bytes {
        Some(bytes) => ModuleSource::Bytes(Bytes::copy_from_slice(&bytes)),
        None => ModuleSource::Text(module.text.unwrap_or_default()),
    };
    (module.name, source)
}

fn env_entry(connection: &SharedConnection, entry: BindingEnvEntry) -> (String, EnvValue) {
    let value = match (entry.function, entry.functions, entry.json) {
        (Some(function), _, _) => EnvValue::Function(host_function(connection, function)),
        (None, Some(members), _) => {
            let member = |member: BindingNamedFunction| {
                (member.name, host_function(connection, member.function))
            };
            EnvValue::Functions(members.into_iter().map(member).collect())
        }
        // TypeScript wrote the JSON, so it parses.
        (None, None, json) => EnvValue::Json(
            json.and_then(|json| serde_json::from_str(&json).ok())
                .unwrap_or_default(),
        ),
    };
    (entry.name, value)
}
