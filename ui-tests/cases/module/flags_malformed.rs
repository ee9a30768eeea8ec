// Flags in quotes, in brackets, joined by commas, and missing.
use helix_runtime::prelude::*;

#[helix_module(flags = "DRIVER")]
#[derive(Default)]
pub struct Quoted;

#[helix_handlers]
impl Quoted {}

#[helix_module(flags = [DRIVER, SECURITY])]
#[derive(Default)]
pub struct Listed;

#[helix_handlers]
impl Listed {}

#[helix_module(flags = DRIVER, SECURITY)]
#[derive(Default)]
pub struct Commas;

#[helix_handlers]
impl Commas {}

#[helix_module(flags)]
#[derive(Default)]
pub struct Missing;

#[helix_handlers]
impl Missing {}

fn main() {}
