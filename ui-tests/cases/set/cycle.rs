// A circle, shown as a path.
use helix_runtime::modules;
use helix_runtime::prelude::*;

#[helix_module(name = "a", dependencies = ["b"])]
#[derive(Default)]
pub struct A;

#[helix_handlers]
impl A {}

#[helix_module(name = "b", dependencies = ["c"])]
#[derive(Default)]
pub struct B;

#[helix_handlers]
impl B {}

#[helix_module(name = "c", dependencies = ["a"])]
#[derive(Default)]
pub struct C;

#[helix_handlers]
impl C {}

fn main() {
    modules![A, B, C];
}
