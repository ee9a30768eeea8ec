//! What miners work on.

use helix_runtime::prelude::*;

use crate::{BlockHash, TxId};

/// The next block, as it would be made now.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "mining", name = "mining.template-updated")]
pub struct BlockTemplateUpdated {
    /// The block that it would follow.
    pub previous: BlockHash,
    /// How many come before it.
    pub height: u64,
    /// What it would confirm.
    pub transactions: Vec<TxId>,
    /// What its miner would get in fees, in satoshi.
    pub fees: u64,
}

/// A pool's miners have something new to work on.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "stratum", name = "stratum.job-created")]
pub struct MiningJobCreated {
    /// Counts up from 1.
    pub job: u64,
    /// The block that the job's would follow.
    pub previous: BlockHash,
    /// How many come before it.
    pub height: u64,
    /// How hard a share is to find.
    pub difficulty: u64,
    /// Whether all earlier jobs are stale.
    pub clean: bool,
}
