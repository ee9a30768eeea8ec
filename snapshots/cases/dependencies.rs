//! Dependencies in every form.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_module(dependencies(
    "timer",
    "core/ecs" = ">=1.0, <2.0",
    "rendering" = { version = "^1.0", features = ["shaders", "textures"] },
    "trace" = { version = "^0.3", optional = true },
))]
#[derive(Default)]
pub struct Game;

#[helix_handlers]
impl Game {}

#[helix_module(dependencies = ["timer", "core/ecs"])]
#[derive(Default)]
pub struct Clock;

#[helix_handlers]
impl Clock {}

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {}

#[helix_module(name = "core/ecs", version = "1.9.0")]
#[derive(Default)]
pub struct Ecs;

#[helix_handlers]
impl Ecs {}

#[helix_module(version = "1.2.0", features = ["textures", "shaders", "shadows"])]
#[derive(Default)]
pub struct Rendering;

#[helix_handlers]
impl Rendering {}

#[test]
fn dependencies_start_first() {
    let runtime = Runtime::builder().modules(modules![Game, Clock, Ecs, Rendering, Timer]).build().unwrap();
    let order: Vec<&str> = runtime.modules().iter().map(|module| module.info.name).collect();
    for (first, then) in [("timer", "game"), ("core/ecs", "game"), ("rendering", "game"), ("timer", "clock")] {
        let place = |name| order.iter().position(|other| *other == name).unwrap();
        assert!(place(first) < place(then), "{order:?}");
    }
}
