// Names that break the rule for names.
use helix_runtime::prelude::*;

#[helix_module(name = "Core ECS")]
#[derive(Default)]
pub struct Blank;

#[helix_handlers]
impl Blank {}

#[helix_module(name = "")]
#[derive(Default)]
pub struct Empty;

#[helix_handlers]
impl Empty {}

#[helix_module(name = "core//ecs")]
#[derive(Default)]
pub struct Doubled;

#[helix_handlers]
impl Doubled {}

fn main() {}
