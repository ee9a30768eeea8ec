//! The node's blocks: a tree of them, and the branch that counts.

use std::collections::BTreeMap;

use node_contracts::{Block, BlockHash, BlockHeader, ChainReorg, Transaction, TxId};
use sha2::{Digest, Sha256};

/// How far apart blocks are, in seconds.
const SPACING: u64 = 600;

/// SHA-256, twice.
pub fn double_sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

fn merkle_root(transactions: &[Transaction]) -> [u8; 32] {
    let mut level: Vec<[u8; 32]> = transactions.iter().map(|transaction| transaction.id.0).collect();
    while level.len() > 1 {
        // The last one stands twice where there is an odd number.
        let pair = |pair: &[[u8; 32]]| double_sha256(&[pair[0], pair[pair.len() - 1]].concat());
        level = level.chunks(2).map(pair).collect();
    }
    level.first().copied().unwrap_or_default()
}

/// The hash of a header.
pub fn hash(header: &BlockHeader) -> BlockHash {
    let numbers = [header.height, header.time, header.nonce].map(u64::to_le_bytes).concat();
    BlockHash(double_sha256(&[&header.previous.0[..], &header.merkle_root, &numbers].concat()))
}

/// Blocks, and which of them are the chain.
#[derive(Debug)]
pub struct BlockChain {
    known: BTreeMap<BlockHash, Block>,
    best: Vec<BlockHash>,
}

impl Default for BlockChain {
    /// The first block, which confirms nothing.
    fn default() -> Self {
        let mut chain = Self { known: BTreeMap::new(), best: Vec::new() };
        chain.extend(Vec::new(), 0);
        chain
    }
}

impl BlockChain {
    /// The last block.
    pub fn tip(&self) -> BlockHash {
        self.best[self.best.len() - 1]
    }

    /// How many blocks come before the tip.
    pub fn height(&self) -> u64 {
        self.best.len() as u64 - 1
    }

    /// A block of the chain, or one that was disconnected.
    pub fn block(&self, hash: BlockHash) -> Option<&Block> {
        self.known.get(&hash)
    }

    /// Puts a block on the tip.
    pub fn extend(&mut self, transactions: Vec<Transaction>, nonce: u64) -> BlockHash {
        let height = self.best.len() as u64;
        let previous = self.best.last().copied().unwrap_or(BlockHash([0; 32]));
        let merkle_root = merkle_root(&transactions);
        let header = BlockHeader { height, previous, merkle_root, time: height * SPACING, nonce };
        let hash = hash(&header);
        self.known.insert(hash, Block { header, transactions });
        self.best.push(hash);
        hash
    }

    /// Another branch takes over, from `depth` blocks below the tip, and with one block more: it confirms what the first
    /// of the disconnected ones did. Gives what waits again too.
    ///
    /// # Panics
    /// If the first block would be disconnected.
    pub fn reorganise(&mut self, depth: usize, nonce: u64) -> (ChainReorg, Vec<Transaction>) {
        assert!(depth < self.best.len(), "a chain of {} blocks keeps its first one", self.best.len());
        let mut disconnected = self.best.split_off(self.best.len() - depth);
        let fork = self.tip();
        let confirmed = |hash: &BlockHash| self.known[hash].transactions.clone();
        let kept = disconnected.first().map(confirmed).unwrap_or_default();
        let returned = disconnected.iter().skip(1).flat_map(confirmed).collect();
        let contents = std::iter::once(kept).chain(std::iter::repeat_n(Vec::new(), depth));
        let connected = contents.map(|transactions| self.extend(transactions, nonce)).collect();
        disconnected.reverse();
        (ChainReorg { fork, disconnected, connected }, returned)
    }

    /// Whether a transaction is confirmed.
    pub fn confirms(&self, id: TxId) -> bool {
        self.best.iter().any(|hash| self.known[hash].transactions.iter().any(|transaction| transaction.id == id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(number: u8) -> Transaction {
        Transaction { id: TxId([number; 32]), fee: 100, vsize: 100, pays: None }
    }

    #[test]
    fn each_block_names_the_one_before_it_by_its_hash() {
        let mut chain = BlockChain::default();
        let first = chain.tip();
        let second = chain.extend(vec![transaction(1)], 7);
        let block = chain.block(second).unwrap();
        assert_eq!((block.header.previous, block.header.height, block.header.time), (first, 1, 600));
        assert_eq!((hash(&block.header), chain.tip(), chain.height()), (second, second, 1));
        assert_eq!(chain.block(BlockHash([9; 32])), None);
    }

    #[test]
    fn the_root_changes_with_every_transaction_and_their_order() {
        let all: Vec<Transaction> = (1..=5).map(transaction).collect();
        let mut roots: Vec<[u8; 32]> = (0..=5).map(|many| merkle_root(&all[..many])).collect();
        roots.push(merkle_root(&all.iter().rev().cloned().collect::<Vec<_>>()));
        let different: std::collections::BTreeSet<_> = roots.iter().collect();
        assert_eq!(different.len(), roots.len());
        assert_eq!((roots[0], roots[1]), ([0; 32], [1; 32]), "of none, and of one: its own id");
    }

    #[test]
    fn a_branch_with_more_work_takes_over_and_what_it_does_not_confirm_waits_again() {
        let mut chain = BlockChain::default();
        let fork = chain.extend(vec![transaction(1)], 1);
        let old = [chain.extend(vec![transaction(2)], 1), chain.extend(vec![transaction(3)], 1)];
        let (reorg, returned) = chain.reorganise(2, 2);
        assert_eq!((reorg.fork, reorg.disconnected.as_slice()), (fork, &[old[1], old[0]][..]));
        assert_eq!((reorg.connected.len(), chain.height()), (3, 4));
        assert_eq!(reorg.connected.last(), Some(&chain.tip()));
        assert_eq!(returned, [transaction(3)]);
        assert!(chain.confirms(TxId([1; 32])) && chain.confirms(TxId([2; 32])) && !chain.confirms(TxId([3; 32])));
        assert!(chain.block(old[1]).is_some(), "it is still known");
        let previous = |hash: &BlockHash| chain.block(*hash).unwrap().header.previous;
        assert_eq!(reorg.connected.iter().map(previous).collect::<Vec<_>>()[..2], [fork, reorg.connected[0]]);
    }

    #[test]
    #[should_panic(expected = "keeps its first one")]
    fn the_first_block_is_never_disconnected() {
        BlockChain::default().reorganise(1, 1);
    }
}
