// Derives that the attribute makes itself.
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Debug, Serialize, serde::Deserialize)]
pub struct Status {
    pub ticks: u64,
}

fn main() {}
