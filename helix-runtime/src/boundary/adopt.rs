//! What the host makes of the descriptor that it finds in a library: the same, with nothing in it that only the library's
//! own copy could compare.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Attached, GuestCalls, Home, HostCalls, HostEnd, Lodging, host};
use crate::codec::Codec;
use crate::descriptor::{Descriptor, Entry, EntryKind, Placement, RequestEntry, RequestFn};
use crate::error::ModuleError;
use crate::event::Hears;
use crate::handle::Handle;
use crate::place::Place;

/// A module in a library.
#[derive(Debug)]
struct Library(&'static GuestCalls);

impl Home for Library {
    fn lodge(&self, descriptor: &Descriptor, place: &Place, handle: Handle) -> Result<Lodging, ModuleError> {
        let attached = self.attach(host::calls(), host::end(handle), place);
        // SAFETY: `create` has no precondition; what it makes belongs to the instance alone.
        Ok(Lodging { data: unsafe { (descriptor.vtable.create)() }, attached, queue: None })
    }

    fn attach(&self, calls: &'static HostCalls, end: HostEnd, place: &Place) -> Option<Attached> {
        Some(host::attach(self.0, calls, end, place))
    }

    fn placement(&self) -> Placement {
        Placement::Dylib
    }
}

pub(super) fn adopt(descriptor: &'static Descriptor, guest: &'static GuestCalls) -> &'static Descriptor {
    let contracts: Vec<&'static [Entry]> = descriptor.contracts.iter().map(|entries| adopted(entries)).collect();
    Box::leak(Box::new(Descriptor {
        handlers: adopted(descriptor.handlers),
        contracts: Box::leak(contracts.into_boxed_slice()),
        home: Some(Box::leak(Box::new(Library(guest)))),
        ..*descriptor
    }))
}

fn adopted(entries: &'static [Entry]) -> &'static [Entry] {
    let adopt = |entry: &Entry| match entry.kind {
        // That two ids are equal does not say that two builds of a type are: values cross encoded, by schema.
        EntryKind::Request(RequestEntry { call: RequestFn::Typed(handler, codec), name, params, doc, permission }) => {
            let codec: &'static Codec = Box::leak(Box::new(codec.of_nobody()));
            let call = RequestFn::Typed(handler, codec);
            Entry { kind: EntryKind::Request(RequestEntry { call, name, params, doc, permission }), ..*entry }
        }
        EntryKind::Event { hears: Hears::Type { topic, name, shape, .. }, priority, call } => {
            Entry { kind: EntryKind::Event { hears: Hears::from_abroad(topic, name, shape), priority, call }, ..*entry }
        }
        _ => *entry,
    };
    Box::leak(entries.iter().map(adopt).collect::<Box<[Entry]>>())
}
