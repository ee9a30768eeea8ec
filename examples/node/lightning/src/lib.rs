//! Takes payments from the request to the receipt.
#![forbid(unsafe_code)]

mod ledger;

use helix_runtime::prelude::*;
use node_contracts::{
    BlockHash, ChainClient, ChainReorg, FeeRateChanged, MempoolClient, MempoolTransactionAdded, MeshClient,
    ModulesClient, NewBlock, NoRoute, Packet, PaymentRequestCreated, Report, Route,
};

use ledger::{Ledger, Settled};

/// How far what it says to a payee may go.
const HOPS: u8 = 3;

/// Waits for what is to be paid, sees it in the mempool and in a block, and tells the payee.
///
/// It does not depend on the mesh: where that is down, payments are settled all the same.
#[helix_module(
    name = "lightning",
    dependencies = ["node"],
    permissions = [
        "call/node.chain", "call/node.mempool", "call/node.modules", "call/mesh.route_packet", "subscribe/chain",
        "subscribe/mempool", "subscribe/payment", "subscribe/config.loaded", "subscribe/maintenance.data",
    ],
)]
#[derive(Debug, Default)]
pub struct Lightning {
    /// How many blocks it takes to settle a payment, the one that it is in included.
    #[config(default = 1)]
    confirmations: u64,
    node: Option<NodeClients>,
    ledger: Ledger,
    report: Report,
}

/// What it asks of the node.
#[derive(Debug)]
struct NodeClients {
    chain: ChainClient,
    mempool: MempoolClient,
    modules: ModulesClient,
}

impl Lightning {
    fn node(&self) -> Result<&NodeClients, ModuleError> {
        self.node.as_ref().ok_or_else(|| "not initialized".into())
    }

    fn connect(&mut self, hash: BlockHash) -> Result<(), ModuleError> {
        if let Some(block) = self.node()?.chain.get_block(hash)? {
            self.ledger.connect(hash, &block);
        }
        Ok(())
    }

    /// Tells whoever listens, and the payee by a packet.
    fn tell(&mut self, settled: Settled) -> Result<(), ModuleError> {
        let Settled { id, amount, payee } = settled;
        let modules = &self.node()?.modules;
        modules.publish_event("lightning.payment-settled", format!("{id} {amount}").as_bytes())?;
        let packet = Packet { destination: payee, hops: HOPS, payload: format!("paid {id}").into_bytes() };
        let routed = through_the_node(modules, packet);
        self.report.note("settled a payment");
        self.report
            .note(&routed.map_or_else(|error| format!("receipt not sent: {error}"), |()| "sent a receipt".into()));
        Ok(())
    }
}

/// Has a packet routed without the mesh's types: as the node passes it on.
fn through_the_node(modules: &ModulesClient, packet: Packet) -> Result<(), ModuleError> {
    let params = postcard::to_allocvec(&(packet,)).map_err(|error| ModuleError::new(error.to_string()))?;
    let reply = modules.call_module("mesh", "route_packet", &params)?;
    let route: Result<Route, NoRoute> =
        postcard::from_bytes(&reply).map_err(|error| ModuleError::new(error.to_string()))?;
    route.map(drop).map_err(|error| error.to_string().into())
}

#[helix_handlers]
impl Lightning {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let (chain, mempool, modules) = (ctx.service()?, ctx.service()?, ctx.service()?);
        self.node = Some(NodeClients { chain, mempool, modules });
        Ok(())
    }

    #[on_event(ConfigLoaded)]
    fn configured(&mut self, loaded: &ConfigLoaded, ctx: &Context) -> Result<(), ModuleError> {
        self.report.hear(loaded);
        self.confirmations = ctx.config_as("confirmations")?.unwrap_or(1);
        Ok(())
    }

    /// Tells the payee what to expect, and what it takes to be paid soon.
    #[on_event(PaymentRequestCreated)]
    fn requested(&mut self, request: &PaymentRequestCreated, ctx: &Context) -> Result<(), ModuleError> {
        self.report.hear(request);
        self.ledger.request(request);
        let mempool = &self.node()?.mempool;
        let (waiting, rate) = (mempool.get_mempool_transactions()?, mempool.get_fee_estimate(1)?);
        for transaction in &waiting {
            self.ledger.see(transaction);
        }
        let payload = format!("pay {} at {rate} sat/vB", request.amount).into_bytes();
        let packet = Packet { destination: request.payee, hops: HOPS, payload };
        let routed =
            ctx.service::<MeshClient>().map_err(ModuleError::from).and_then(|mesh| Ok(mesh.route_packet(packet)?));
        self.report
            .note(&routed.map_or_else(|error| format!("invoice not sent: {error}"), |_| "sent an invoice".into()));
        Ok(())
    }

    #[on_event(MempoolTransactionAdded)]
    fn added(&mut self, added: &MempoolTransactionAdded) {
        self.report.hear(added);
        if self.ledger.see(&added.transaction) {
            self.report.note("saw a payment");
        }
    }

    #[on_event(FeeRateChanged)]
    fn fees(&mut self, changed: &FeeRateChanged) {
        self.report.hear(changed);
    }

    #[on_event(ChainReorg)]
    fn reorganised(&mut self, reorg: &ChainReorg) -> Result<(), ModuleError> {
        self.report.hear(reorg);
        for _ in 0..self.ledger.disconnect(&reorg.disconnected) {
            self.report.note("took a confirmation back");
        }
        reorg.connected.iter().try_for_each(|hash| self.connect(*hash))
    }

    #[on_event(NewBlock)]
    fn new_block(&mut self, block: &NewBlock) -> Result<(), ModuleError> {
        self.report.hear(block);
        self.connect(block.hash)?;
        let settled = self.ledger.settle(block.height, self.confirmations);
        settled.into_iter().try_for_each(|settled| self.tell(settled))
    }

    /// Writes down what it knows of payments.
    #[on_event(DataMaintenance)]
    fn maintain(&mut self, what: &DataMaintenance, ctx: &Context) -> Result<(), ModuleError> {
        self.report.hear(what);
        if let Some(folder) = ctx.data_dir().filter(|_| what.flushes()) {
            let path = std::path::Path::new(folder).join("payments");
            std::fs::write(&path, self.ledger.lines())
                .map_err(|error| ModuleError::new(format!("{}: {error}", path.display())))?;
        }
        Ok(())
    }

    /// What it has seen and done.
    #[on_request]
    fn report(&self) -> Report {
        self.report.clone()
    }
}
