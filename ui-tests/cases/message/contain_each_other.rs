// Two messages that contain each other.
use helix_runtime::prelude::*;

#[helix_message]
pub struct Egg {
    pub hens: Vec<Hen>,
}

#[helix_message]
pub struct Hen {
    pub eggs: Vec<Egg>,
}

fn main() {}
