//! Who hears what: for each event that somebody names, a table of its listeners in their order.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::TypeId;
use core::cmp::Reverse;

use crate::descriptor::{EntryKind, EventFn};
use crate::event::{Delivery, Hears, SubscriptionPriority};
use crate::runtime::slot::{Access, Slot};
use crate::schema::hash_name;

/// One handler of an event.
#[derive(Clone, Copy)]
pub(crate) struct Listener {
    /// Its module's place among the slots.
    pub(crate) slot: u32,
    pub(crate) access: Access,
    pub(crate) call: EventFn,
    hears: Hears,
    priority: SubscriptionPriority,
}

impl Listener {
    /// Whether it hears events of that topic and name, whatever their type.
    pub(crate) fn hears_named(&self, topic: &str, name: &str) -> bool {
        match self.hears {
            Hears::Type { .. } => false,
            Hears::Named(heard) => heard == topic || heard == name,
            Hears::All => true,
        }
    }
}

struct Table {
    key: Key,
    listeners: Box<[Listener]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Type(TypeId),
    Name(&'static str),
}

/// The tables, built once; a map from a hash to the table's index.
pub(crate) struct Topics {
    tables: Box<[Table]>,
    index: Box<[u32]>,
    /// Those who hear any type, for events that two names stand for.
    untyped: Box<[Listener]>,
    /// Those who hear everything.
    all: Box<[Listener]>,
}

const EMPTY: u32 = u32::MAX;

impl Topics {
    pub(crate) fn new(slots: &[Slot]) -> Self {
        let mut listeners = Vec::new();
        for (at, slot) in slots.iter().enumerate() {
            for entry in slot.descriptor.entries() {
                if let EntryKind::Event { hears, priority, call } = entry.kind {
                    let access = slot.access(entry.exclusive);
                    listeners.push(Listener { slot: at as u32, access, call, hears, priority });
                }
            }
        }
        listeners.sort_by_key(|listener| Reverse(listener.priority));

        let matching = |matches: &dyn Fn(&Listener) -> bool| -> Box<[Listener]> {
            listeners.iter().filter(|listener| matches(listener)).copied().collect()
        };
        let mut tables: Vec<Table> = Vec::new();
        for listener in &listeners {
            let (key, listeners) = match listener.hears {
                Hears::Type { topic, name, type_id } => (
                    Key::Type(type_id),
                    matching(&|other| match other.hears {
                        Hears::Type { type_id: other, .. } => other == type_id,
                        _ => other.hears_named(topic, name),
                    }),
                ),
                Hears::Named(name) => (Key::Name(name), matching(&|other| other.hears_named(name, name))),
                Hears::All => continue,
            };
            if !tables.iter().any(|table| table.key == key) {
                tables.push(Table { key, listeners });
            }
        }

        let size = (tables.len() * 2).next_power_of_two();
        let mut index = alloc::vec![EMPTY; size].into_boxed_slice();
        for (at, table) in tables.iter().enumerate() {
            let hash = match table.key {
                Key::Type(id) => hash_type(id),
                Key::Name(name) => hash_name(name),
            };
            let mut slot = hash as usize & (size - 1);
            while index[slot] != EMPTY {
                slot = (slot + 1) & (size - 1);
            }
            index[slot] = at as u32;
        }
        Self {
            tables: tables.into(),
            index,
            untyped: matching(&|listener| !matches!(listener.hears, Hears::Type { .. })),
            all: matching(&|listener| matches!(listener.hears, Hears::All)),
        }
    }

    #[inline]
    fn find(&self, hash: u64, is: impl Fn(&Key) -> bool) -> Option<&[Listener]> {
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let table = self.tables.get(self.index[slot] as usize)?;
            if is(&table.key) {
                return Some(&table.listeners);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Those who hear the delivery, in order; where the second value says so, only those of them that
    /// [hear its name](Listener::hears_named).
    #[inline]
    pub(crate) fn listeners(&self, delivery: &Delivery<'_>) -> (&[Listener], bool) {
        let is_type = |key: &Key| matches!(key, Key::Type(id) if *id == delivery.type_id);
        match self.find(hash_type(delivery.type_id), is_type) {
            Some(listeners) => (listeners, false),
            None => self.untyped_listeners(delivery),
        }
    }

    /// Nobody names the type: the topic and the name alone may be heard.
    fn untyped_listeners(&self, delivery: &Delivery<'_>) -> (&[Listener], bool) {
        let named = |name: &str| self.find(hash_name(name), |key| matches!(key, Key::Name(known) if *known == name));
        match (named(delivery.topic), named(delivery.name)) {
            (Some(_), Some(_)) if delivery.topic != delivery.name => (&self.untyped, true),
            (Some(listeners), _) | (None, Some(listeners)) => (listeners, false),
            (None, None) => (&self.all, false),
        }
    }
}

/// A type's id is a hash already; this takes its words together.
#[inline]
fn hash_type(id: TypeId) -> u64 {
    struct Take(u64);
    impl core::hash::Hasher for Take {
        #[inline]
        fn finish(&self) -> u64 {
            self.0
        }
        #[inline]
        fn write(&mut self, bytes: &[u8]) {
            for chunk in bytes.chunks_exact(8) {
                self.write_u64(u64::from_ne_bytes(chunk.try_into().unwrap_or_default()));
            }
        }
        #[inline]
        fn write_u64(&mut self, word: u64) {
            self.0 ^= word;
        }
    }
    let mut hasher = Take(0);
    core::hash::Hash::hash(&id, &mut hasher);
    core::hash::Hasher::finish(&hasher)
}
