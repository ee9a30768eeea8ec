//! What waits to be confirmed.

use helix_runtime::prelude::*;

use crate::Transaction;

/// The transactions that wait, and what it takes to be confirmed.
#[helix_service("node.mempool")]
pub trait Mempool {
    /// All that wait, those that pay most for their size first.
    fn get_mempool_transactions(&self) -> Vec<Transaction>;
    /// What to pay to be in one of the next blocks, in satoshi for a virtual byte.
    fn get_fee_estimate(&self, blocks: u32) -> u64;
}

/// One more waits.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "mempool", name = "mempool.transaction-added")]
pub struct MempoolTransactionAdded {
    /// The transaction.
    pub transaction: Transaction,
}

/// It takes more or less than before to be in the next block.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "mempool", name = "mempool.fee-rate-changed")]
pub struct FeeRateChanged {
    /// What it took, in satoshi for a virtual byte.
    pub old: u64,
    /// What it takes now.
    pub new: u64,
}
