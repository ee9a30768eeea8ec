// One feature listed twice.
use helix_runtime::prelude::*;

#[helix_module(features = ["shaders", "shaders"])]
#[derive(Default)]
pub struct Renderer;

#[helix_handlers]
impl Renderer {}

fn main() {}
