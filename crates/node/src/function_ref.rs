//! A function of the host's, by its number; JavaScript forgets it when the last reference goes.

use std::sync::Weak;

use crate::connection::{Connection, SharedConnection};
use crate::delivery::Delivery;

pub(crate) struct FunctionRef {
    number: u32,
    connection: Weak<Connection>,
}

impl FunctionRef {
    pub(crate) fn new(connection: &SharedConnection, number: u32) -> Self {
        Self {
            number,
            connection: std::sync::Arc::downgrade(connection),
        }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The connection, unless its environment has gone.
    pub(crate) fn connection(&self) -> Option<SharedConnection> {
        self.connection.upgrade()
    }
}

impl Drop for FunctionRef {
    fn drop(&mut self) {
        if let Some(connection) = self.connection() {
            connection.push(Delivery::Released {
                function: self.number,
            });
        }
    }
}
