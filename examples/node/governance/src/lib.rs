//! Tells a webhook who registers, proposes and vetoes, and of each block.
#![forbid(unsafe_code)]

mod outbox;

use std::time::Duration;

use helix_runtime::prelude::*;
use node_contracts::{
    ChainClient, EconomicNodeRegistered, EconomicNodeVeto, GovernanceProposalCreated, NetworkClient, NewBlock, Report,
};
use serde_json::{Value, json};

use outbox::{Outbox, Url};

/// Tells a webhook what concerns who governs. Nobody waits for the network: what is to be told goes through an outbox.
#[helix_module(
    name = "governance",
    dependencies = ["node"],
    permissions = [
        "call/node.chain", "call/node.network", "subscribe/governance", "subscribe/chain.new-block",
        "subscribe/config.loaded", "subscribe/maintenance.data",
    ],
)]
#[derive(Debug, Default)]
pub struct Governance {
    /// Where to post: `http://IP:PORT/PATH`.
    #[config]
    webhook_url: String,
    /// What this node is called in what it posts.
    #[config(default = "node")]
    node_id: String,
    url: Option<Url>,
    outbox: Option<Outbox>,
    chain: Option<ChainClient>,
    network: Option<NetworkClient>,
    report: Report,
}

impl Governance {
    fn point(&mut self) -> Result<(), ModuleError> {
        let url = Url::parse(&self.webhook_url);
        self.url = Some(url.ok_or_else(|| ModuleError::config("webhook_url", &self.webhook_url, Url::EXPECTED))?);
        Ok(())
    }

    fn tell(&self, mut what: Value) -> Result<(), ModuleError> {
        what["node_id"] = self.node_id.as_str().into();
        let (Some(outbox), Some(url)) = (&self.outbox, &self.url) else { return Err("not initialized".into()) };
        outbox.put(url.clone(), what.to_string())
    }
}

#[helix_handlers]
impl Governance {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.point()?;
        (self.chain, self.network) = (Some(ctx.service()?), Some(ctx.service()?));
        Ok(())
    }

    #[on_start]
    fn start(&mut self) -> Result<(), ModuleError> {
        self.outbox = Some(Outbox::open().map_err(|error| ModuleError::new(error.to_string()))?);
        Ok(())
    }

    #[on_stop]
    fn stop(&mut self) {
        self.outbox = None;
    }

    #[on_event(ConfigLoaded)]
    fn configured(&mut self, loaded: &ConfigLoaded, ctx: &Context) -> Result<(), ModuleError> {
        self.report.hear(loaded);
        if !loaded.changed_sections.iter().any(|section| section == ctx.name()) {
            return Ok(());
        }
        self.webhook_url = ctx.config_or("webhook_url", "").into();
        self.node_id = ctx.config_or("node_id", "node").into();
        self.point()
    }

    #[on_event(EconomicNodeRegistered)]
    fn registered(&mut self, node: &EconomicNodeRegistered) -> Result<(), ModuleError> {
        self.report.hear(node);
        self.tell(json!({ "event": "EconomicNodeRegistered", "economic_node": node.node_id, "kind": node.kind }))
    }

    #[on_event(EconomicNodeVeto)]
    fn vetoed(&mut self, veto: &EconomicNodeVeto) -> Result<(), ModuleError> {
        self.report.hear(veto);
        let EconomicNodeVeto { node_id, proposal, reason } = veto;
        self.tell(
            json!({ "event": "EconomicNodeVeto", "economic_node": node_id, "proposal": proposal, "reason": reason }),
        )
    }

    #[on_event(GovernanceProposalCreated)]
    fn proposed(&mut self, proposed: &GovernanceProposalCreated) -> Result<(), ModuleError> {
        self.report.hear(proposed);
        let GovernanceProposalCreated { proposal, title } = proposed;
        self.tell(json!({ "event": "GovernanceProposalCreated", "proposal": proposal, "title": title }))
    }

    #[on_event(NewBlock)]
    fn new_block(&mut self, block: &NewBlock) -> Result<(), ModuleError> {
        self.report.hear(block);
        let (Some(chain), Some(network)) = (&self.chain, &self.network) else { return Err("not initialized".into()) };
        let (header, stats) = (chain.get_block_header(block.hash)?, network.get_network_stats()?);
        let time = header.map(|header| header.time);
        let (hash, height, peers) = (block.hash.to_string(), block.height, stats.peers);
        self.tell(json!({ "event": "NewBlock", "hash": hash, "height": height, "time": time, "peers": peers }))
    }

    /// Posts what waits, as long as there is time for it.
    #[on_event(DataMaintenance)]
    fn maintain(&mut self, what: &DataMaintenance) -> Result<(), ModuleError> {
        self.report.hear(what);
        if let Some(outbox) = self.outbox.as_ref().filter(|_| what.flushes()) {
            outbox.flush(Duration::from_secs(what.timeout_seconds.unwrap_or(1)))?;
            self.report.note("flushed the outbox");
        }
        Ok(())
    }

    /// What it has seen and done.
    #[on_request]
    fn report(&self) -> Report {
        let mut report = self.report.clone();
        report.done.extend(self.outbox.iter().flat_map(Outbox::counts));
        report
    }
}
