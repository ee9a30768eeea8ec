// Braces with nothing in them.
use helix_runtime::prelude::*;

#[helix_module(dependencies("timer" = {}))]
#[derive(Default)]
pub struct Scheduler;

#[helix_handlers]
impl Scheduler {}

fn main() {}
