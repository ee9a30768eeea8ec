// A message that contains itself.
use helix_runtime::prelude::*;

#[helix_message]
pub struct Tree {
    pub value: u64,
    pub children: Vec<Tree>,
}

#[helix_message]
pub enum List {
    End,
    Item(u64, Box<Self>),
}

fn main() {}
