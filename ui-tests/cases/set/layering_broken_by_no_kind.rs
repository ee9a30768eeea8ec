// A system that needs something of no kind.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "log")]
#[derive(Default)]
pub struct Log;

#[helix_handlers]
impl Log {}

#[helix_module(name = "disk", kind = system, dependencies = ["log"])]
#[derive(Default)]
pub struct Disk;

#[helix_handlers]
impl Disk {}

fn main() {
    modules![Log, Disk];
}
