// A plugin that needs a plugin.
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

fn main() {
    modules![Sound, Music];
}
