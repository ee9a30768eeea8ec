//! From the first step of a module to its last.

use crate::Placement;
use crate::modules::{APP, DB, LOG};
use crate::stage::{Ear, built};

pub(super) fn dependencies_start_first_and_stop_last(placement: &dyn Placement) {
    let runtime = built(placement, &[], &[APP, DB, LOG]);
    let ear = Ear::on(&runtime, &[]);
    runtime.start().unwrap();
    assert_eq!(ear.take_steps(), ["log: init", "log: start", "db: init", "db: start", "app: init", "app: start"]);
}
