//! The placements that the runtime itself offers.

use std::collections::BTreeMap;
use std::sync::Mutex;

use helix_conformance::{Part, Placement};
use helix_runtime::Descriptor;
use helix_runtime::boundary::Export;

/// Linked to this program, and called as if it had come in a library: everything crosses the boundary, and no code is
/// loaded. So miri sees both ends of it.
struct Adopted;

static ADOPTED: Mutex<BTreeMap<&'static str, &'static Descriptor>> = Mutex::new(BTreeMap::new());

impl Placement for Adopted {
    fn descriptor(&self, part: Part) -> &'static Descriptor {
        let mut adopted = ADOPTED.lock().unwrap();
        adopted.entry(part.source).or_insert_with(|| {
            let export = Box::leak(Box::new(Export::of(part.linked)));
            // SAFETY: it is of this program, and stays as long as that.
            unsafe { export.adopt() }
        })
    }
}

helix_conformance::rows! { r#static: helix_conformance::Static, adopted: Adopted }
