//! Blocks, and the chain of them that has the most work.

use core::fmt;

use helix_runtime::prelude::*;

/// The double SHA-256 of a block's header.
#[helix_message]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub [u8; 32]);

/// The double SHA-256 of a transaction.
#[helix_message]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(pub [u8; 32]);

/// The first eight bytes, which tell one from another on a screen.
fn short(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(&self.0, f)
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(&self.0, f)
    }
}

impl fmt::Display for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(&self.0, f)
    }
}

impl fmt::Debug for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(&self.0, f)
    }
}

/// What is paid, as far as anybody here looks at it.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its id.
    pub id: TxId,
    /// What the miner gets, in satoshi.
    pub fee: u64,
    /// How much of a block it takes, in virtual bytes.
    pub vsize: u32,
    /// The payment request that it pays, if any.
    pub pays: Option<u64>,
}

/// What a block's hash is of.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockHeader {
    /// How many blocks come before it.
    pub height: u64,
    /// The block before it; zeros for the first.
    pub previous: BlockHash,
    /// Stands for all of its transactions.
    pub merkle_root: [u8; 32],
    /// When it was made, in seconds since the first.
    pub time: u64,
    /// What makes two blocks of the same content different.
    pub nonce: u64,
}

/// A block.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its header.
    pub header: BlockHeader,
    /// What it confirms.
    pub transactions: Vec<Transaction>,
}

/// The node's blocks.
#[helix_service("node.chain")]
pub trait Chain {
    /// A block, also one that a reorganisation has disconnected.
    fn get_block(&self, hash: BlockHash) -> Option<Block>;
    /// Its header alone.
    fn get_block_header(&self, hash: BlockHash) -> Option<BlockHeader>;
    /// How many blocks come before the tip.
    fn get_block_height(&self) -> u64;
    /// The last block of the chain.
    fn get_chain_tip(&self) -> BlockHash;
}

/// The chain has a block more.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "chain", name = "chain.new-block")]
pub struct NewBlock {
    /// The block.
    pub hash: BlockHash,
    /// How many come before it.
    pub height: u64,
}

/// Another branch has more work: the blocks of the old one are not of the chain any more.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "chain", name = "chain.reorg")]
pub struct ChainReorg {
    /// The last block that both branches have.
    pub fork: BlockHash,
    /// The blocks that went, the last one first.
    pub disconnected: Vec<BlockHash>,
    /// The blocks that came, the first one first.
    pub connected: Vec<BlockHash>,
}
