//! A row of the suite: how a module of it comes into a runtime.

use helix_runtime::{BuildError, Builder, Descriptor, Runtime};

/// One of the suite's modules, whatever placement it is to live in.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its file below `src/modules`, without the extension: what a placement that loads modules builds.
    pub source: &'static str,
    /// It, linked into this program.
    pub linked: &'static Descriptor,
}

/// Where modules live.
pub trait Placement {
    /// What a runtime is given of a module that lives here, be it the first of its name or another's successor.
    fn descriptor(&self, part: Part) -> &'static Descriptor;

    /// Builds a runtime of modules that live here, listed in this order.
    fn build(&self, builder: Builder, parts: &[Part]) -> Result<Runtime, BuildError> {
        parts.iter().fold(builder, |builder, part| builder.add_descriptor(self.descriptor(*part))).build()
    }
}

/// Linked into the program, and called directly.
#[derive(Debug, Clone, Copy)]
pub struct Static;

impl Placement for Static {
    fn descriptor(&self, part: Part) -> &'static Descriptor {
        part.linked
    }
}
