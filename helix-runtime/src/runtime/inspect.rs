//! What a tool asks of a runtime: which requests and events there are, with their schemas.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::boundary::{Crossing, Payload, publish};
use crate::descriptor::{Descriptor, EntryKind, RequestEntry};
use crate::error::{IpcError, IpcResult};
use crate::event::{BUILTINS, Hears, PublishResult};
use crate::place::ModuleId;
use crate::runtime::Runtime;
use crate::schema::Shape;

/// An event whose type is known: a built-in one, or one that somebody listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardEvent {
    /// Its topic.
    pub topic: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its schema.
    pub shape: Shape,
    /// The modules that listen to it, in the order in which they hear it.
    pub listeners: Vec<&'static str>,
}

impl Runtime {
    /// The requests of a module, or of the provider of a service: its own first, then those of its contracts.
    ///
    /// # Errors
    /// [`IpcError::ModuleNotFound`].
    pub fn requests(&self, target: &str) -> IpcResult<Vec<&'static RequestEntry>> {
        let registry = self.inner.registry();
        let provider = registry.provider(target);
        let name = if registry.index_of(target).is_some() { Some(target) } else { provider.as_deref() };
        let found = name.and_then(|name| registry.index_of(name)).map(|at| registry.members[at].instance.descriptor);
        let descriptor = found.ok_or_else(|| IpcError::ModuleNotFound { name: target.to_string() })?;
        Ok(descriptor.requests().collect())
    }

    /// The built-in events, and those that modules and closures listen to by their type.
    pub fn heard(&self) -> Vec<HeardEvent> {
        let builtin = BUILTINS.iter().map(|known| {
            let (topic, name, shape) = (known.topic, known.name, known.codec.shape);
            HeardEvent { topic, name, shape, listeners: Vec::new() }
        });
        let mut all: Vec<HeardEvent> = builtin.collect();
        let registry = self.inner.registry();
        for instance in registry.listening() {
            for hearing in instance.hearings() {
                let Hears::Type { topic, name, shape, .. } = hearing.hears else { continue };
                match all.iter_mut().find(|known| known.name == name && known.shape == shape) {
                    Some(known) => known.listeners.push(instance.name()),
                    None => all.push(HeardEvent { topic, name, shape, listeners: alloc::vec![instance.name()] }),
                }
            }
        }
        all
    }

    /// Publishes an event in postcard, as the type that the shape describes.
    pub fn publish_encoded(&self, topic: &str, name: &str, shape: Shape, bytes: &[u8]) -> PublishResult {
        let crossing = Crossing { topic, name, payload: Payload::Encoded { shape, bytes } };
        // SAFETY: the payload is no built-in value.
        unsafe { publish(&*self.inner, None, &crossing) }
    }

    /// Whether it is that very descriptor's code that answers for a module.
    pub fn serves(&self, id: ModuleId, descriptor: &'static Descriptor) -> bool {
        let registry = self.inner.registry();
        let found = registry.index(id).map(|at| registry.members[at].instance.descriptor);
        found.is_some_and(|found| core::ptr::eq(found.handlers, descriptor.handlers) && found.info == descriptor.info)
    }
}

impl Descriptor {
    /// The version of the state that the module saves, if it does, and its schema.
    pub fn saves(&self) -> Option<(u32, Shape)> {
        self.entries().find_map(|entry| match entry.kind {
            EntryKind::Save { version, shape, .. } => Some((version, shape)),
            _ => None,
        })
    }
}
