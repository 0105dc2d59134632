//! Realms made ahead: a context that belongs to no worker until one claims it, and rehearsals, so that a first
//! request finds made what it uses. Called on the thread that has the isolate entered.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use crate::definition::{Outbound, WorkerDefinition};
use crate::error::{Error, Owner};
use crate::isolate_params::IsolateGuards;
use crate::limits::Limits;

use super::events;
use super::modules::{self, ModuleMap};
use super::popular_families::{self, FamilySet, popular};
use super::realm::{Realm, RealmOptions};
use super::realm_state::unix_ms;

impl Realm {
    /// Makes a context that belongs to no worker yet, with what most requests use.
    pub(crate) fn unclaimed(
        isolate: &mut v8::Isolate,
        guards: &IsolateGuards,
    ) -> Result<Self, Error> {
        let options = RealmOptions {
            definition: Arc::new(WorkerDefinition {
                outbound: Outbound::None,
                ..WorkerDefinition::modules([])
            }),
            worker_id: None,
            on_log: None,
            limits: Limits::default(),
            group: 0,
            owner: Owner::Pool,
        };
        let definition = options.definition.clone();
        let mut realm = Self::new(isolate, guards, options)?;
        let budget = realm.own_budget();
        realm.watched_turn(isolate, 0, budget, |scope, state| {
            let namespace = modules::rehearse(scope);
            events::configure(scope, state, namespace, &definition);
            events::rehearse(scope, state, popular());
        });
        Ok(realm)
    }

    /// A worker's context: the unclaimed one where there is one, else a new one.
    pub(crate) fn for_worker(
        unclaimed: Option<Self>,
        isolate: &mut v8::Isolate,
        guards: &IsolateGuards,
        options: RealmOptions,
    ) -> Result<Self, Error> {
        match unclaimed {
            Some(mut realm) => {
                realm.claim(isolate, options)?;
                Ok(realm)
            }
            None => Self::new(isolate, guards, options),
        }
    }

    /// Gives an unclaimed context to a worker.
    fn claim(&mut self, isolate: &mut v8::Isolate, options: RealmOptions) -> Result<(), Error> {
        self.state.worker = options.worker_parts()?;
        self.state.origin = Instant::now();
        self.state.origin_unix_ms = unix_ms();
        self.limits = options.limits;
        self.group = options.group;
        self.owner = options.owner;
        v8::scope!(let scope, isolate);
        let context = v8::Local::new(scope, &self.state.context);
        context.set_allow_generation_from_strings(options.definition.codegen);
        self.state.modules = RefCell::new(ModuleMap::new(options.definition));
        Ok(())
    }

    /// Runs a request that nobody made, and makes these families, so that the first real one finds made what it uses.
    /// Only before the worker loads: no guest code runs in it.
    pub(crate) fn rehearse(&mut self, isolate: &mut v8::Isolate, families: FamilySet) {
        let budget = self.own_budget();
        self.watched_turn(isolate, 0, budget, |scope, state| {
            events::rehearse(scope, state, families);
        });
    }

    /// What the worker has used here.
    pub(crate) fn families_used(&self) -> FamilySet {
        self.state.families_used.get()
    }

    /// Notes that for contexts which will be made ahead.
    pub(crate) fn note_families(&self) {
        if !matches!(self.owner, Owner::Runtime) {
            popular_families::note(self.families_used());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::runtime::{Runtime, RuntimeOptions};
    use crate::{RunOptions, platform};

    #[test]
    fn a_family_that_is_made_ahead_is_there_when_it_is_used() {
        let test = platform::spawn("test", || {
            let mut runtime = Runtime::new(RuntimeOptions::default()).expect("a runtime");
            let family = FamilySet::named("structured_clone");
            runtime.realm.rehearse(&mut runtime.isolate, family);
            let compiled = runtime.realm.state.families_to_keep.borrow().len();
            assert!(compiled > 0, "it is made");
            let used = runtime.realm.families_used();
            assert_eq!(used, FamilySet::default(), "nobody has used it");
            block_on(runtime.evaluate("structuredClone(1)", None, RunOptions::default()))
                .expect("a value");
            let after = runtime.realm.state.families_to_keep.borrow().len();
            assert_eq!(after, compiled, "it is not made again");
            assert_eq!(runtime.realm.families_used(), family);
        });
        test.expect("a thread").join().expect("it does not panic");
    }
}
