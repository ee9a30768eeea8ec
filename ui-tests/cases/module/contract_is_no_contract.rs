// A trait provided that is no contract.
use helix_runtime::prelude::*;

pub trait Plain {
    fn quantum(&self) -> u64;
}

#[helix_module(provides = [Plain])]
#[derive(Default)]
pub struct RoundRobin;

#[helix_handlers]
impl RoundRobin {}

impl Plain for RoundRobin {
    fn quantum(&self) -> u64 {
        1
    }
}

fn main() {}
