//! What waits to be confirmed, in the order in which miners take it.

use std::cmp::Reverse;

use node_contracts::{Transaction, TxId};

/// How much a block has room for, in virtual bytes.
pub const BLOCK_VSIZE: u32 = 1000;

/// Transactions that wait, those that pay most for their size first.
#[derive(Debug, Default)]
pub struct Waiting {
    transactions: Vec<Transaction>,
}

/// Satoshi for a virtual byte.
fn rate(transaction: &Transaction) -> u64 {
    transaction.fee / u64::from(transaction.vsize.max(1))
}

impl Waiting {
    /// All that wait.
    pub fn all(&self) -> &[Transaction] {
        &self.transactions
    }

    /// One more waits.
    pub fn add(&mut self, transaction: Transaction) {
        self.transactions.push(transaction);
        self.transactions.sort_by_key(|transaction| (Reverse(rate(transaction)), transaction.id));
    }

    /// Those were confirmed.
    pub fn remove(&mut self, confirmed: &[TxId]) {
        self.transactions.retain(|transaction| !confirmed.contains(&transaction.id));
    }

    /// What the next block would confirm.
    pub fn next_block(&self) -> Vec<Transaction> {
        let mut room = BLOCK_VSIZE;
        let fits = |transaction: &&Transaction| match room.checked_sub(transaction.vsize) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        };
        self.transactions.iter().filter(fits).cloned().collect()
    }

    /// What to pay to be in one of the next blocks, in satoshi for a virtual byte: more than the first that would not be.
    pub fn estimate(&self, blocks: u32) -> u64 {
        let room = u64::from(BLOCK_VSIZE) * u64::from(blocks.max(1));
        let mut taken = 0;
        let is_out = |transaction: &&Transaction| {
            taken += u64::from(transaction.vsize);
            taken > room
        };
        self.transactions.iter().find(is_out).map_or(1, |transaction| rate(transaction) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(of: &[(u64, u32)]) -> Waiting {
        let mut waiting = Waiting::default();
        for (number, (rate, vsize)) in of.iter().enumerate() {
            let (id, fee) = (TxId([number as u8; 32]), rate * u64::from(*vsize));
            waiting.add(Transaction { id, fee, vsize: *vsize, pays: None });
        }
        waiting
    }

    #[test]
    fn a_block_takes_those_that_pay_most_and_still_fit() {
        let waiting = waiting(&[(2, 300), (9, 600), (5, 500), (1, 100)]);
        let taken: Vec<u64> = waiting.next_block().iter().map(rate).collect();
        assert_eq!(taken, [9, 2, 1]);
    }

    #[test]
    fn the_estimate_is_more_than_the_first_pays_that_is_left_out() {
        let mut waiting = waiting(&[(2, 300), (9, 600), (5, 500), (3, 700)]);
        assert_eq!((waiting.estimate(1), waiting.estimate(2), waiting.estimate(9)), (6, 3, 1));
        let first = waiting.all()[0].id;
        waiting.remove(&[first]);
        assert_eq!(waiting.estimate(1), 4);
    }
}
