// Serde attributes inside `cfg_attr`.
use helix_runtime::prelude::*;

#[helix_message]
#[cfg_attr(all(), serde(rename_all = "camelCase"))]
pub struct Status {
    pub ticks: u64,
    #[cfg_attr(all(), serde(skip))]
    pub cached: u64,
}

fn main() {}
