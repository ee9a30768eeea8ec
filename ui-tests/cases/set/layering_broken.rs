// A plugin that needs a plugin, and a system that needs something of no kind.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "sound", kind = plugin)]
#[derive(Default)]
pub struct Sound;

#[helix_handlers]
impl Sound {}

#[helix_module(name = "music", kind = plugin, dependencies = ["sound"])]
#[derive(Default)]
pub struct Music;

#[helix_handlers]
impl Music {}

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
    modules![Sound, Music, Log, Disk];
}
