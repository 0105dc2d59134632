//! A realm together with its isolate, on the thread that has that entered: what the event loop drives.

use isolane_scheduler::{CallbackMessage, CallbackReceiver};

use crate::definition::WorkerDefinition;
use crate::event_loop::EventLoopRuntime;

use super::realm::Realm;

/// A realm that can run turns.
pub(crate) struct EnteredRealm<'a> {
    pub(crate) isolate: &'a mut v8::Isolate,
    pub(crate) realm: &'a mut Realm,
    pub(crate) definition: &'a WorkerDefinition,
}

impl EventLoopRuntime for EnteredRealm<'_> {
    fn callback_rx_mut(&mut self) -> &mut CallbackReceiver {
        &mut self.realm.callbacks
    }

    fn process_callback(&mut self, msg: CallbackMessage) {
        self.realm.process_callback(self.isolate, msg);
        self.realm.advance_loading(self.isolate, self.definition);
    }

    fn pump_and_checkpoint(&mut self) {
        self.realm.housekeep(self.isolate);
        self.realm.advance_loading(self.isolate, self.definition);
    }
}
