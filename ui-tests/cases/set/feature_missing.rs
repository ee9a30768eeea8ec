// A dependency that lacks a feature.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "renderer", features = ["textures"])]
#[derive(Default)]
pub struct Renderer;

#[helix_handlers]
impl Renderer {}

#[helix_module(name = "game", dependencies("renderer" = { features = ["textures", "shaders"] }))]
#[derive(Default)]
pub struct Game;

#[helix_handlers]
impl Game {}

fn main() {
    modules![Renderer, Game];
}
