//! What happens to a node that is connected to nobody: its blocks, transactions, peers and proposals, step by step.
//!
//! The same seed gives the same story, whoever hears it.

use std::collections::VecDeque;

use helix_runtime::{Custom, Event, EventType};
use node_contracts::{
    BlockTemplateUpdated, EconomicNodeRegistered, EconomicNodeVeto, FeeRateChanged, GovernanceProposalCreated,
    MempoolTransactionAdded, MessageReceived, NetworkStats, NewBlock, PaymentRequestCreated, Peer, PeerConnected,
    Transaction, TxId,
};

use crate::chain::{BlockChain, double_sha256};
use crate::mempool::Waiting;
use crate::random::Random;

/// How many steps there are from one block to the next.
pub const BLOCK_EVERY: u64 = 6;
/// Where the height above the tip is a multiple of this, another branch takes over instead of a block more.
pub const REORG_EVERY: u64 = 6;
/// How many blocks are disconnected then.
pub const REORG_DEPTH: usize = 2;
/// How many peers there is room for.
const MOST_PEERS: usize = 8;

/// All that a node knows, and what happens to it next.
#[derive(Debug)]
pub struct Simulation {
    random: Random,
    steps: u64,
    chain: BlockChain,
    waiting: Waiting,
    peers: VecDeque<Peer>,
    connected: u64,
    stats: NetworkStats,
    fee_rate: u64,
    requested: u64,
    unpaid: VecDeque<u64>,
    proposals: u64,
    happened: Vec<Event>,
}

impl Simulation {
    /// A story that begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            steps: 0,
            chain: BlockChain::default(),
            waiting: Waiting::default(),
            peers: VecDeque::new(),
            connected: 0,
            stats: NetworkStats::default(),
            fee_rate: 1,
            requested: 0,
            unpaid: VecDeque::new(),
            proposals: 0,
            happened: Vec::new(),
        }
    }

    /// The blocks.
    pub fn chain(&self) -> &BlockChain {
        &self.chain
    }

    /// What waits.
    pub fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// Who is connected.
    pub fn peers(&self) -> Vec<Peer> {
        self.peers.iter().cloned().collect()
    }

    /// How much went over the network.
    pub fn stats(&self) -> NetworkStats {
        NetworkStats { peers: self.peers.len() as u32, ..self.stats }
    }

    /// Goes on by a step. Gives what happened, in order.
    pub fn step(&mut self) -> Vec<Event> {
        self.steps += 1;
        let is_time = |every: u64| self.steps.is_multiple_of(every);
        let (connects, requests, pays) = (is_time(5) || self.steps == 1, is_time(7), is_time(2));
        let (proposes, registers, vetoes) = (self.steps % 12 == 4, self.steps % 12 == 8, is_time(12));
        let finds = is_time(BLOCK_EVERY);
        if connects {
            self.connect();
        }
        self.receive();
        if requests {
            self.request_payment();
        }
        if pays {
            self.pay();
        }
        if proposes {
            self.proposals += 1;
            let proposal = self.proposals;
            self.tell(GovernanceProposalCreated { proposal, title: format!("raise limit number {proposal}") });
        }
        if registers {
            let (node_id, kind) = (self.node_id(), "exchange".into());
            self.tell(EconomicNodeRegistered { node_id, kind });
        }
        if vetoes {
            let (node_id, proposal) = (self.node_id(), self.proposals);
            self.tell(EconomicNodeVeto { node_id, proposal, reason: "too \"soon\"".into() });
        }
        if finds {
            self.find_block();
        }
        std::mem::take(&mut self.happened)
    }

    fn tell(&mut self, event: impl EventType) {
        self.happened.push(Custom::from_event(event).into());
    }

    /// The business that speaks up about the last proposal.
    fn node_id(&self) -> String {
        format!("exchange-{}", self.proposals)
    }

    fn connect(&mut self) {
        self.connected += 1;
        if self.peers.len() == MOST_PEERS {
            self.peers.pop_front();
        }
        let peer = Peer { id: self.connected, address: format!("192.0.2.{}:8333", self.connected % 250) };
        self.peers.push_back(peer.clone());
        self.tell(PeerConnected { peer });
    }

    fn receive(&mut self) {
        let at = self.random.within(0, self.peers.len() as u64 - 1) as usize;
        let command = ["inv", "tx", "ping"][self.random.within(0, 2) as usize];
        let length = self.random.within(8, 300) as u32;
        self.stats.messages += 1;
        self.stats.bytes += u64::from(length);
        self.tell(MessageReceived { peer: self.peers[at].id, command: command.into(), length });
    }

    fn request_payment(&mut self) {
        self.requested += 1;
        self.unpaid.push_back(self.requested);
        let amount = self.random.within(1_000, 100_000);
        let payee = self.random.within(1, self.connected);
        self.tell(PaymentRequestCreated { id: self.requested, amount, payee });
    }

    fn pay(&mut self) {
        let id = TxId(double_sha256(&self.random.next().to_le_bytes()));
        let vsize = self.random.within(140, 420) as u32;
        let fee = u64::from(vsize) * self.random.within(1, 40);
        let transaction = Transaction { id, fee, vsize, pays: self.unpaid.pop_front() };
        self.waiting.add(transaction.clone());
        self.tell(MempoolTransactionAdded { transaction });
        self.look_at_fees();
    }

    fn look_at_fees(&mut self) {
        let new = self.waiting.estimate(1);
        let old = std::mem::replace(&mut self.fee_rate, new);
        if old != new {
            self.tell(FeeRateChanged { old, new });
        }
    }

    fn find_block(&mut self) {
        let nonce = self.random.next();
        if (self.chain.height() + 1).is_multiple_of(REORG_EVERY) {
            let (reorg, returned) = self.chain.reorganise(REORG_DEPTH, nonce);
            returned.into_iter().for_each(|transaction| self.waiting.add(transaction));
            self.tell(reorg);
        } else {
            let transactions = self.waiting.next_block();
            let confirmed: Vec<TxId> = transactions.iter().map(|transaction| transaction.id).collect();
            self.waiting.remove(&confirmed);
            self.chain.extend(transactions, nonce);
        }
        let (previous, height) = (self.chain.tip(), self.chain.height());
        self.tell(NewBlock { hash: previous, height });
        self.look_at_fees();
        let next = self.waiting.next_block();
        let transactions = next.iter().map(|transaction| transaction.id).collect();
        let fees = next.iter().map(|transaction| transaction.fee).sum();
        self.tell(BlockTemplateUpdated { previous, height: height + 1, transactions, fees });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_contracts::ChainReorg;

    fn heard<E: EventType>(events: &[Event]) -> Vec<E> {
        let heard = |event: &Event| match event {
            Event::Custom(custom) => custom.get::<E>().cloned(),
            _ => None,
        };
        events.iter().filter_map(heard).collect()
    }

    fn story(seed: u64, steps: u64) -> (Simulation, Vec<Event>) {
        let mut simulation = Simulation::new(seed);
        let events = (0..steps).flat_map(|_| simulation.step()).collect();
        (simulation, events)
    }

    #[test]
    fn the_same_seed_gives_the_same_chain_and_another_one_does_not() {
        let tips = [1, 1, 2].map(|seed| story(seed, 100).0.chain().tip());
        assert_eq!(tips[0], tips[1]);
        assert_ne!(tips[0], tips[2]);
    }

    #[test]
    fn the_chain_is_reorganised_at_fixed_heights() {
        let (simulation, events) = story(1, BLOCK_EVERY * 13);
        let at = |reorg: &ChainReorg| {
            let tip = *reorg.connected.last().unwrap();
            (simulation.chain().block(tip).unwrap().header.height, reorg.disconnected.len())
        };
        assert_eq!(heard::<ChainReorg>(&events).iter().map(at).collect::<Vec<_>>(), [(6, 2), (12, 2)]);
        let heights: Vec<u64> = heard::<NewBlock>(&events).iter().map(|block| block.height).collect();
        assert_eq!(heights, (1..=13).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_paid_waits_or_is_confirmed_and_never_both() {
        let (simulation, events) = story(3, 200);
        for MempoolTransactionAdded { transaction } in heard(&events) {
            let waits = simulation.waiting().all().contains(&transaction);
            assert_ne!(waits, simulation.chain().confirms(transaction.id), "{transaction:?}");
        }
    }

    #[test]
    fn every_kind_of_event_comes_within_a_few_blocks() {
        let (_, events) = story(1, BLOCK_EVERY * REORG_EVERY);
        let names: std::collections::BTreeSet<&str> = events.iter().map(|event| event.name()).collect();
        assert_eq!(names.len(), 11, "{names:?}");
    }
}
