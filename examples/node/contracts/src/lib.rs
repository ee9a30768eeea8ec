//! What the node and its modules say to each other: types, events and contracts, no logic.
#![forbid(unsafe_code)]

mod chain;
mod governance;
mod mempool;
mod mesh;
mod mining;
mod modules;
mod network;
mod payment;
mod report;

pub use chain::{Block, BlockHash, BlockHeader, Chain, ChainClient, ChainReorg, NewBlock, Transaction, TxId};
pub use governance::{EconomicNodeRegistered, EconomicNodeVeto, GovernanceProposalCreated};
pub use mempool::{FeeRateChanged, Mempool, MempoolClient, MempoolTransactionAdded};
pub use mesh::{Mesh, MeshClient, NoRoute, Packet, PacketRouted, Route};
pub use mining::{BlockTemplateUpdated, MiningJobCreated};
pub use modules::{Modules, ModulesClient, Refused};
pub use network::{MessageReceived, Network, NetworkClient, NetworkStats, Peer, PeerConnected};
pub use payment::PaymentRequestCreated;
pub use report::{Count, Report};
