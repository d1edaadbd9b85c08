//! Settings in a database, as a process is told of them.

use std::{sync::Arc, time::Duration};

use super::Address;
use crate::{domain::EventTime, store::seal::MasterKeys};

/// Where settings are, and what it takes to read them.
#[derive(Clone)]
pub struct DatabaseSource {
    /// The database.
    pub address: Address,
    /// What secrets are opened with.
    pub master_keys: Arc<MasterKeys>,
    /// For how long what was read holds without a look.
    pub max_staleness: Duration,
    /// As the settings were at this time; `None`: as they are.
    pub at: Option<EventTime>,
}
