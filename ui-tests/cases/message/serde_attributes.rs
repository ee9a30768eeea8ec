// Serde attributes would change the wire.
use helix_runtime::prelude::*;

#[helix_message]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub ticks: u64,
    #[serde(skip)]
    pub cached: u64,
}

#[helix_message]
pub enum State {
    #[serde(rename = "on")]
    Running,
    Stopped,
}

fn main() {}
