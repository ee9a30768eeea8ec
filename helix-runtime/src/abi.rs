//! What a module was built with: two builds may exchange values only where all of this is the same.

use core::mem::{align_of, offset_of, size_of};

use crate::event::{Delivery, Tick};
use crate::info::{Dependency, ModuleInfo};
use crate::schema::fnv;
use crate::{Context, Descriptor, ModuleError, PublishResult};

/// The build that a module comes from.
///
/// ```
/// let tag = helix_runtime::AbiTag::THIS;
/// assert!(tag.rustc.starts_with("rustc "));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbiTag {
    /// The version of the record and of the descriptor.
    pub format: u32,
    /// The target triple.
    pub target: &'static str,
    /// The compiler, as `rustc --version` says it.
    pub rustc: &'static str,
    /// `unwind` or `abort`.
    pub panic: &'static str,
    /// A hash over the size, the alignment and the field offsets of the types that cross.
    pub layout: u64,
}

impl AbiTag {
    /// The build of this very code.
    pub const THIS: Self = Self {
        format: 1,
        target: env!("HELIX_TARGET"),
        rustc: env!("HELIX_RUSTC"),
        panic: if cfg!(panic = "unwind") { "unwind" } else { "abort" },
        layout: layout(),
    };
}

const fn layout() -> u64 {
    let facts = [
        size_of::<Descriptor>(),
        align_of::<Descriptor>(),
        offset_of!(Descriptor, abi),
        offset_of!(Descriptor, info),
        offset_of!(Descriptor, settings),
        offset_of!(Descriptor, handlers),
        offset_of!(Descriptor, contracts),
        offset_of!(Descriptor, vtable),
        size_of::<ModuleInfo>(),
        offset_of!(ModuleInfo, name),
        offset_of!(ModuleInfo, version),
        offset_of!(ModuleInfo, dependencies),
        offset_of!(ModuleInfo, provides),
        size_of::<Dependency>(),
        size_of::<crate::descriptor::Entry>(),
        size_of::<Context>(),
        size_of::<Delivery<'_>>(),
        size_of::<ModuleError>(),
        size_of::<PublishResult>(),
        size_of::<Tick>(),
        offset_of!(Tick, timestamp_ns),
        offset_of!(Tick, tick_number),
    ];
    let mut hash = 0;
    let mut at = 0;
    while at < facts.len() {
        hash = fnv(&(facts[at] as u64).to_le_bytes(), hash);
        at += 1;
    }
    hash
}
