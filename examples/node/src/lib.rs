//! A node: a chain, a mempool and peers, which four modules in processes of their own ask and listen to.
#![forbid(unsafe_code)]

mod api;
pub mod chain;
mod config;
pub mod mempool;
mod random;
mod running;
pub mod simulation;
mod webhook;

pub use api::Node;
pub use config::NodeConfig;
pub use running::{Fault, MODULES, Running, build};
pub use webhook::Webhook;
