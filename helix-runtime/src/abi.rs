//! What a module was built with: two builds may exchange values only where all of this is the same.

use core::mem::{align_of, offset_of, size_of};

use crate::event::{CpuHotplug, Delivery, HealthCheck, MemoryPressure, ModuleName, ProcessExited, Tick};
use crate::info::{Dependency, ModuleInfo};
use crate::request::Request;
use crate::schema::{Shape, fnv};
use crate::{Context, Descriptor, ModuleError, PublishResult};

/// The build that a module comes from.
///
/// ```
/// let tag = helix_runtime::AbiTag::THIS;
/// assert!(tag.rustc.starts_with("rustc "));
/// assert!(helix_runtime::AbiTag::TYPES.iter().any(|(name, _)| *name == "Context"));
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
    /// This crate: its version, whether it was built with `std`, and a hash of its source.
    pub runtime: &'static str,
    /// A hash over [`AbiTag::TYPES`].
    pub layout: u64,
}

impl AbiTag {
    /// The build of this very code.
    pub const THIS: Self = Self {
        format: 2,
        target: env!("HELIX_TARGET"),
        rustc: env!("HELIX_RUSTC"),
        panic: if cfg!(panic = "unwind") { "unwind" } else { "abort" },
        runtime: if cfg!(feature = "std") {
            concat!(env!("CARGO_PKG_VERSION"), " std ", env!("HELIX_SOURCE"))
        } else {
            concat!(env!("CARGO_PKG_VERSION"), " no_std ", env!("HELIX_SOURCE"))
        },
        layout: layout(),
    };

    /// The types that cross as they are, each with a hash over its size, its alignment and where its fields lie.
    pub const TYPES: &'static [(&'static str, u64)] = &[
        (
            "Descriptor",
            hash(&[
                size_of::<Descriptor>(),
                align_of::<Descriptor>(),
                offset_of!(Descriptor, abi),
                offset_of!(Descriptor, info),
                offset_of!(Descriptor, settings),
                offset_of!(Descriptor, handlers),
                offset_of!(Descriptor, contracts),
                offset_of!(Descriptor, vtable),
                size_of::<crate::descriptor::Entry>(),
            ]),
        ),
        (
            "ModuleInfo",
            hash(&[
                size_of::<ModuleInfo>(),
                offset_of!(ModuleInfo, name),
                offset_of!(ModuleInfo, version),
                offset_of!(ModuleInfo, flags),
                offset_of!(ModuleInfo, dependencies),
                offset_of!(ModuleInfo, provides),
                size_of::<Dependency>(),
            ]),
        ),
        ("Context", hash(&Context::LAYOUT)),
        ("Delivery", hash(&[size_of::<Delivery<'_>>(), align_of::<Delivery<'_>>()])),
        ("Request", hash(&[size_of::<Request>(), offset_of!(Request, request_type), offset_of!(Request, payload)])),
        ("ModuleError", hash(&[size_of::<ModuleError>(), size_of::<PublishResult>()])),
        ("Shape", hash(&[size_of::<Shape>(), size_of::<postcard_schema::schema::DataModelType>()])),
        ("Tick", hash(&[size_of::<Tick>(), offset_of!(Tick, timestamp_ns), offset_of!(Tick, tick_number)])),
        ("ModuleName", hash(&[size_of::<ModuleName>(), align_of::<ModuleName>()])),
        (
            "Event",
            hash(&[
                size_of::<CpuHotplug>(),
                offset_of!(CpuHotplug, online),
                size_of::<MemoryPressure>(),
                offset_of!(ProcessExited, code),
                offset_of!(HealthCheck, healthy),
            ]),
        ),
    ];
}

const fn hash(facts: &[usize]) -> u64 {
    let mut hash = 0;
    let mut at = 0;
    while at < facts.len() {
        hash = fnv(&(facts[at] as u64).to_le_bytes(), hash);
        at += 1;
    }
    hash
}

const fn layout() -> u64 {
    let mut hash = 0;
    let mut at = 0;
    while at < AbiTag::TYPES.len() {
        hash = fnv(&AbiTag::TYPES[at].1.to_le_bytes(), hash);
        at += 1;
    }
    hash
}
