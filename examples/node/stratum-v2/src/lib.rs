//! Gives miners something to work on.
#![forbid(unsafe_code)]

use helix_runtime::prelude::*;
use node_contracts::{BlockHash, BlockTemplateUpdated, ChainClient, MiningJobCreated, NewBlock, Report};

/// Makes a job of each template that follows the chain's tip.
#[helix_module(
    name = "stratum-v2",
    dependencies = ["node"],
    permissions = [
        "call/node.chain", "publish/stratum.job-created", "subscribe/chain.new-block", "subscribe/mining",
        "subscribe/config.loaded", "subscribe/node.shutdown",
    ],
)]
#[derive(Debug, Default)]
pub struct StratumV2 {
    /// How hard a share is to find.
    #[config(default = 1024)]
    difficulty: u64,
    chain: Option<ChainClient>,
    jobs: u64,
    /// The block that the last job's would follow.
    previous: Option<BlockHash>,
    ends: bool,
    report: Report,
}

#[helix_handlers]
impl StratumV2 {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.chain = Some(ctx.service()?);
        Ok(())
    }

    #[on_event(ConfigLoaded)]
    fn configured(&mut self, loaded: &ConfigLoaded, ctx: &Context) -> Result<(), ModuleError> {
        self.report.hear(loaded);
        self.difficulty = ctx.config_as("difficulty")?.unwrap_or(1024);
        Ok(())
    }

    #[on_event(NewBlock)]
    fn new_block(&mut self, block: &NewBlock) {
        self.report.hear(block);
        if self.previous.is_some_and(|previous| previous != block.hash) {
            self.previous = None;
            self.report.note("dropped stale jobs");
        }
    }

    #[on_event(BlockTemplateUpdated)]
    fn template(&mut self, template: &BlockTemplateUpdated, ctx: &Context) -> Result<(), ModuleError> {
        self.report.hear(template);
        let chain = self.chain.as_ref().ok_or("not initialized")?;
        if self.ends || chain.get_chain_tip()? != template.previous {
            self.report.note("left a template");
            return Ok(());
        }
        let clean = self.previous.replace(template.previous) != Some(template.previous);
        let (job, difficulty) = (self.jobs + 1, self.difficulty);
        let BlockTemplateUpdated { previous, height, .. } = *template;
        let told = ctx.publish(&MiningJobCreated { job, previous, height, difficulty, clean });
        if let Some((_, error)) = told.first_error {
            self.report.note(&format!("a job is not told: {error}"));
            return Err(error);
        }
        self.jobs = job;
        self.report.note("made a job");
        Ok(())
    }

    /// Miners get nothing more: what they would find, nobody could take.
    #[on_event(NodeShutdown)]
    fn shutdown(&mut self, shutdown: &NodeShutdown) {
        self.report.hear(shutdown);
        self.ends = true;
    }

    /// What it has seen and done.
    #[on_request]
    fn report(&self) -> Report {
        self.report.clone()
    }
}
