//! The module `node`: what the others ask of the node, and where its events come from.

use std::sync::{Mutex, MutexGuard, PoisonError};

use helix_runtime::prelude::*;
use node_contracts::{
    Block, BlockHash, BlockHeader, Chain, Mempool, Modules, Network, NetworkStats, Peer, Refused, Report, Transaction,
};

use crate::simulation::Simulation;

/// A chain, a mempool and peers.
///
/// No handler takes `&mut self` while it runs: whoever hears of a block asks for it before `tick` has returned.
#[derive(Debug)]
#[helix_module(name = "node", provides = [Chain, Mempool, Network, Modules], new = Node::new)]
pub struct Node {
    /// Where the story begins.
    #[config(default = 1)]
    seed: u64,
    /// The events that are published for modules, separated by blanks.
    #[config(default = "")]
    events: String,
    /// The requests that are made for modules, separated by blanks.
    #[config(default = "")]
    requests: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    simulation: Simulation,
    report: Report,
}

impl Node {
    fn new() -> Self {
        let state = State { simulation: Simulation::new(1), report: Report::default() };
        Self { seed: 1, events: String::new(), requests: String::new(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lists(allowed: &str, name: &str) -> bool {
    allowed.split_whitespace().any(|known| known == name)
}

#[helix_handlers]
impl Node {
    #[on_init]
    fn init(&mut self) {
        self.state().simulation = Simulation::new(self.seed);
    }

    #[on_event(Tick)]
    fn tick(&self, _tick: &Tick, ctx: &Context) {
        let happened = self.state().simulation.step();
        for event in happened {
            let heard = ctx.publish(&event);
            self.state().report.note(event.name());
            if let Some((module, error)) = heard.first_error {
                ctx.log(helix_runtime::log::Level::Warn, format_args!("{}: {module}: {error}", event.name()));
            }
        }
    }

    /// What it has published, and passed on.
    #[on_request]
    fn report(&self) -> Report {
        self.state().report.clone()
    }
}

impl Chain for Node {
    fn get_block(&self, hash: BlockHash) -> Option<Block> {
        self.state().simulation.chain().block(hash).cloned()
    }

    fn get_block_header(&self, hash: BlockHash) -> Option<BlockHeader> {
        self.state().simulation.chain().block(hash).map(|block| block.header.clone())
    }

    fn get_block_height(&self) -> u64 {
        self.state().simulation.chain().height()
    }

    fn get_chain_tip(&self) -> BlockHash {
        self.state().simulation.chain().tip()
    }
}

impl Mempool for Node {
    fn get_mempool_transactions(&self) -> Vec<Transaction> {
        self.state().simulation.waiting().all().to_vec()
    }

    fn get_fee_estimate(&self, blocks: u32) -> u64 {
        self.state().simulation.waiting().estimate(blocks)
    }
}

impl Network for Node {
    fn get_network_stats(&self) -> NetworkStats {
        self.state().simulation.stats()
    }

    fn get_network_peers(&self) -> Vec<Peer> {
        self.state().simulation.peers()
    }
}

impl Modules for Node {
    fn publish_event(&self, name: &str, payload: &[u8], ctx: &Context) -> Result<u32, Refused> {
        if !lists(&self.events, name) {
            return Err(Refused::Event { name: name.into(), allowed: self.events.clone() });
        }
        let heard = ctx.publish(&Event::Custom(Custom::new(name.to_string(), payload)));
        self.state().report.note(&format!("published {name} for a module"));
        heard.first_error.map_or(Ok(heard.handled), |(_, error)| Err(Refused::Failed { reason: error.to_string() }))
    }

    fn call_module(&self, module: &str, request: &str, params: &[u8], ctx: &Context) -> Result<Vec<u8>, Refused> {
        let path = format!("{module}.{request}");
        if !lists(&self.requests, &path) {
            return Err(Refused::Request { path, allowed: self.requests.clone() });
        }
        let failed = |reason: String| Refused::Failed { reason };
        let answer = ctx.request(module, Request::new(request).with_payload(params));
        self.state().report.note(&format!("called {path} for a module"));
        match answer.map_err(|error| failed(error.to_string()))? {
            Response::Success(reply) => Ok(reply),
            other => Err(failed(format!("{path}: {other:?}"))),
        }
    }
}
