//! The placements that the runtime itself offers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use helix_conformance::{Part, Placement};
use helix_runtime::boundary::{self, Asks, Export, Near, Process, Spawn, Turn, Wire};
use helix_runtime::{Descriptor, ModuleError};

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

/// The same, asked in messages, like a module in another process: no process is made, and all that crosses is bytes.
struct Told;

static TOLD: Mutex<BTreeMap<&'static str, &'static Descriptor>> = Mutex::new(BTreeMap::new());

impl Placement for Told {
    fn descriptor(&self, part: Part) -> &'static Descriptor {
        let adopted = Adopted.descriptor(part);
        let mut told = TOLD.lock().unwrap();
        told.entry(part.source).or_insert_with(|| {
            let table = Near::new(adopted, Box::new(|_| None)).table();
            boundary::descriptor(adopted.info, &table, Arc::new(Here(adopted))).unwrap()
        })
    }
}

/// Makes "processes" that are here.
#[derive(Debug)]
struct Here(&'static Descriptor);

impl Spawn for Here {
    fn spawn(&self, asks: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError> {
        let outside = move |message: &[u8]| asks.upgrade()?.asked(message);
        Ok(Arc::new(Talk(Near::new(self.0, Box::new(outside)))))
    }
}

#[derive(Debug)]
struct Talk(Arc<Near>);

impl Process for Talk {
    fn converse(&self, message: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError> {
        struct Asked<'a>(&'a mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn);
        impl Wire for Asked<'_> {
            fn ask(&mut self, message: &[u8]) -> Option<Vec<u8>> {
                let mut answer = Vec::new();
                assert_eq!((self.0)(message, &mut answer), Turn::Answer);
                Some(answer)
            }
        }
        let done = self.0.converse(message, &mut Asked(said));
        assert_eq!(said(&done, &mut Vec::new()), Turn::End);
        Ok(())
    }
}

helix_conformance::rows! { r#static: helix_conformance::Static, adopted: Adopted, told: Told }
