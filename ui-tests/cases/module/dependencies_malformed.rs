// Dependencies that are no list of names.
use helix_runtime::prelude::*;

#[helix_module(dependencies = "timer")]
#[derive(Default)]
pub struct NoList;

#[helix_handlers]
impl NoList {}

#[helix_module(dependencies(timer))]
#[derive(Default)]
pub struct NoQuotes;

#[helix_handlers]
impl NoQuotes {}

#[helix_module(dependencies("timer" = 1))]
#[derive(Default)]
pub struct Number;

#[helix_handlers]
impl Number {}

#[helix_module(dependencies("timer" = { versoin = "^1.0" }))]
#[derive(Default)]
pub struct Key;

#[helix_handlers]
impl Key {}

#[helix_module(dependencies("timer" = { version = "^1.0", version = "^2.0" }))]
#[derive(Default)]
pub struct KeyTwice;

#[helix_handlers]
impl KeyTwice {}

#[helix_module(dependencies)]
#[derive(Default)]
pub struct Nothing;

#[helix_handlers]
impl Nothing {}

fn main() {}
