// What cannot travel, deep inside a field.
use helix_runtime::prelude::*;

pub struct Plain;

#[helix_message]
pub struct Status {
    pub plains: Vec<Option<Plain>>,
}

#[helix_message]
pub struct Report {
    pub status: Status,
}

fn main() {}
