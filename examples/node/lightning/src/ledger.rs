//! Which payments are asked for, seen, confirmed and settled.

use std::collections::BTreeMap;

use node_contracts::{Block, BlockHash, PaymentRequestCreated, Transaction};

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Requested,
    Seen,
    Confirmed { block: BlockHash, height: u64 },
    Settled,
}

#[derive(Debug, Clone)]
struct Payment {
    amount: u64,
    payee: u64,
    stage: Stage,
}

/// A payment that was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The request's number.
    pub id: u64,
    /// How much it was, in satoshi.
    pub amount: u64,
    /// Who is to hear of it.
    pub payee: u64,
}

/// All payments, by their requests' numbers.
#[derive(Debug, Default)]
pub struct Ledger {
    payments: BTreeMap<u64, Payment>,
}

impl Ledger {
    /// Somebody is to be paid.
    pub fn request(&mut self, request: &PaymentRequestCreated) {
        let PaymentRequestCreated { id, amount, payee } = *request;
        self.payments.entry(id).or_insert(Payment { amount, payee, stage: Stage::Requested });
    }

    /// A transaction waits. Tells whether it pays a request.
    pub fn see(&mut self, transaction: &Transaction) -> bool {
        let payment = transaction.pays.and_then(|id| self.payments.get_mut(&id));
        let Some(payment) = payment.filter(|payment| payment.stage == Stage::Requested) else { return false };
        payment.stage = Stage::Seen;
        true
    }

    /// A block is of the chain.
    pub fn connect(&mut self, hash: BlockHash, block: &Block) {
        for id in block.transactions.iter().filter_map(|transaction| transaction.pays) {
            if let Some(payment) = self.payments.get_mut(&id).filter(|payment| payment.stage != Stage::Settled) {
                payment.stage = Stage::Confirmed { block: hash, height: block.header.height };
            }
        }
    }

    /// Blocks are of the chain no more. Tells how many payments that takes back.
    pub fn disconnect(&mut self, hashes: &[BlockHash]) -> u64 {
        let is_of = |stage: Stage| matches!(stage, Stage::Confirmed { block, .. } if hashes.contains(&block));
        let back = self.payments.values_mut().filter(|payment| is_of(payment.stage));
        back.map(|payment| payment.stage = Stage::Seen).count() as u64
    }

    /// Settles what has so many confirmations at that height.
    pub fn settle(&mut self, height: u64, confirmations: u64) -> Vec<Settled> {
        let is_deep =
            |stage: Stage| matches!(stage, Stage::Confirmed { height: at, .. } if height + 1 >= at + confirmations);
        let deep = self.payments.iter_mut().filter(|(_, payment)| is_deep(payment.stage));
        let settle = |(id, payment): (&u64, &mut Payment)| {
            payment.stage = Stage::Settled;
            Settled { id: *id, amount: payment.amount, payee: payment.payee }
        };
        deep.map(settle).collect()
    }

    /// A line for each payment, to be written down.
    pub fn lines(&self) -> String {
        let line = |(id, payment): (&u64, &Payment)| {
            format!("{id} {} to {}: {:?}\n", payment.amount, payment.payee, payment.stage)
        };
        self.payments.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_contracts::{BlockHeader, TxId};

    fn block(height: u64, pays: u64) -> Block {
        let header = BlockHeader { height, previous: BlockHash([0; 32]), merkle_root: [0; 32], time: 0, nonce: 0 };
        let transactions = vec![Transaction { id: TxId([1; 32]), fee: 1, vsize: 1, pays: Some(pays) }];
        Block { header, transactions }
    }

    #[test]
    fn a_payment_is_settled_when_it_is_deep_enough_and_not_before() {
        let mut ledger = Ledger::default();
        ledger.request(&PaymentRequestCreated { id: 7, amount: 10, payee: 3 });
        assert!(ledger.see(&block(1, 7).transactions[0]) && !ledger.see(&block(1, 8).transactions[0]));
        ledger.connect(BlockHash([1; 32]), &block(5, 7));
        assert_eq!(ledger.settle(5, 2), []);
        assert_eq!(ledger.disconnect(&[BlockHash([1; 32])]), 1, "a reorganisation takes it back");
        assert_eq!(ledger.settle(6, 2), []);
        ledger.connect(BlockHash([2; 32]), &block(6, 7));
        assert_eq!(ledger.settle(7, 2), [Settled { id: 7, amount: 10, payee: 3 }]);
        assert_eq!(ledger.settle(8, 2), [], "once");
        assert_eq!(ledger.lines(), "7 10 to 3: Settled\n");
    }
}
