//! Who has a say in what changes, and what they say.

use helix_runtime::prelude::*;

/// A business that stands behind a node has made itself known.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "governance", name = "governance.economic-node-registered")]
pub struct EconomicNodeRegistered {
    /// What it is called.
    pub node_id: String,
    /// What it is: `exchange`, `mining-pool`, `merchant`.
    pub kind: String,
}

/// It refuses a proposal.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "governance", name = "governance.economic-node-veto")]
pub struct EconomicNodeVeto {
    /// Which one refuses.
    pub node_id: String,
    /// The proposal's number.
    pub proposal: u64,
    /// Why.
    pub reason: String,
}

/// Something is proposed.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "governance", name = "governance.proposal-created")]
pub struct GovernanceProposalCreated {
    /// Its number.
    pub proposal: u64,
    /// What it is about.
    pub title: String,
}
