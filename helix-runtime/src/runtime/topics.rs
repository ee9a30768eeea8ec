//! Who hears what: for each event that somebody names, a table of its listeners in their order.
//!
//! Tables are never changed: a writer makes new ones. They name instances by their address; who may follow it, and for how
//! long, is said in `registry.rs`.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::TypeId;
use core::cmp::Reverse;
use core::ptr::NonNull;
use core::sync::atomic::AtomicUsize;

use crate::descriptor::{Entry, EventFn};
use crate::event::{Delivery, Hears, SubscriptionPriority};
use crate::runtime::instance::{Hearing, Instance};
use crate::runtime::word::Access;
use crate::schema::hash_name;

/// One handler of an event.
#[derive(Clone, Copy)]
pub(crate) struct Listener {
    pub(crate) instance: NonNull<Instance>,
    pub(crate) entry: &'static Entry,
    pub(crate) call: EventFn,
    pub(crate) access: Access,
    /// Which of the instance's hearings.
    pub(crate) hearing: u32,
    priority: SubscriptionPriority,
}

// SAFETY: an instance may be used by any thread; its address is followed as long as `Listener::instance` says.
unsafe impl Send for Listener {}
// SAFETY: as above.
unsafe impl Sync for Listener {}

/// What a listener hears, whatever its type: events of that topic and name?
fn hears_named(hears: &Hears<'_>, topic: &str, name: &str) -> bool {
    match hears {
        Hears::Type { .. } => false,
        Hears::Named(heard) => *heard == topic || *heard == name,
        Hears::All => true,
    }
}

/// Those who hear one thing.
struct Table {
    key: Key,
    listeners: Box<[Listener]>,
    published: Arc<AtomicUsize>,
}

#[derive(PartialEq, Eq)]
enum Key {
    Type(TypeId),
    Name(Box<str>),
}

/// How often each name was published; outlives the tables.
pub(crate) type Counts = BTreeMap<String, Arc<AtomicUsize>>;

/// The tables, and a map from a hash to a table's index.
pub(crate) struct Topics {
    tables: Box<[Table]>,
    index: Box<[u32]>,
    /// Those who hear any type, for events that two names stand for. All topics of a closure are in it.
    untyped: Box<[Listener]>,
    /// Those who hear everything.
    all: Box<[Listener]>,
    unnamed: Arc<AtomicUsize>,
}

const EMPTY: u32 = u32::MAX;

/// The name under which publications are counted that nobody names.
pub(crate) const UNNAMED: &str = "";

impl Topics {
    /// The tables of all hearings of these instances, which come in the order of their registration.
    pub(crate) fn new<'a>(instances: impl Iterator<Item = &'a Instance>, counts: &mut Counts) -> Self {
        let mut heard: Vec<(Listener, Hears<'a>)> = Vec::new();
        for instance in instances {
            for (at, Hearing { hears, priority, entry, call, access }) in instance.hearings().enumerate() {
                let (instance, hearing) = (instance.into(), at as u32);
                heard.push((Listener { instance, entry, call, access, hearing, priority }, hears));
            }
        }
        heard.sort_by_key(|(listener, _)| Reverse(listener.priority));

        // An event of which several topics of a closure match comes once. They stand together: a closure has one priority.
        let matching = |matches: &dyn Fn(&Hears<'a>) -> bool| -> Box<[Listener]> {
            let mut found: Vec<Listener> = Vec::with_capacity(heard.len());
            for (listener, hears) in &heard {
                if matches(hears) && !found.last().is_some_and(|last| last.is_twin_of(listener)) {
                    found.push(*listener);
                }
            }
            found.into()
        };
        let mut count = |name: &str| match counts.get(name) {
            Some(count) => count.clone(),
            None => counts.entry(name.into()).or_default().clone(),
        };
        let mut tables: Vec<Table> = Vec::new();
        for (_, hears) in &heard {
            let (key, name) = match *hears {
                Hears::Type { type_id, name, .. } => (Key::Type(type_id), name),
                Hears::Named(name) => (Key::Name(name.into()), name),
                Hears::All => continue,
            };
            if tables.iter().any(|table| table.key == key) {
                continue;
            }
            let listeners = match *hears {
                Hears::Type { topic, name, type_id } => matching(&|other| match other {
                    Hears::Type { type_id: other, .. } => *other == type_id,
                    _ => hears_named(other, topic, name),
                }),
                _ => matching(&|other| hears_named(other, name, name)),
            };
            tables.push(Table { key, listeners, published: count(name) });
        }

        let size = (tables.len() * 2).next_power_of_two();
        let mut index = alloc::vec![EMPTY; size].into_boxed_slice();
        for (at, table) in tables.iter().enumerate() {
            let hash = match &table.key {
                Key::Type(id) => hash_type(*id),
                Key::Name(name) => hash_name(name),
            };
            let mut slot = hash as usize & (size - 1);
            while index[slot] != EMPTY {
                slot = (slot + 1) & (size - 1);
            }
            index[slot] = at as u32;
        }
        let untyped = heard.iter().filter(|(_, hears)| !matches!(hears, Hears::Type { .. }));
        Self {
            tables: tables.into(),
            index,
            untyped: untyped.map(|(listener, _)| *listener).collect(),
            all: matching(&|hears| matches!(hears, Hears::All)),
            unnamed: count(UNNAMED),
        }
    }

    #[inline]
    fn find(&self, hash: u64, is: impl Fn(&Key) -> bool) -> Option<&Table> {
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let table = self.tables.get(self.index[slot] as usize)?;
            if is(&table.key) {
                return Some(table);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Those who hear the delivery, in order.
    #[inline]
    pub(crate) fn heard(&self, delivery: &Delivery<'_>) -> Heard<'_> {
        let is_type = |key: &Key| matches!(key, Key::Type(id) if *id == delivery.type_id);
        match self.find(hash_type(delivery.type_id), is_type) {
            Some(table) => table.heard(),
            None => self.heard_untyped(delivery),
        }
    }

    /// Nobody names the type: the topic and the name alone may be heard.
    fn heard_untyped(&self, delivery: &Delivery<'_>) -> Heard<'_> {
        let named = |name: &str| self.find(hash_name(name), |key| matches!(key, Key::Name(known) if **known == *name));
        match (named(delivery.topic), named(delivery.name)) {
            (Some(topic), Some(_)) if delivery.topic != delivery.name => {
                Heard { listeners: &self.untyped, by_name: true, published: &topic.published }
            }
            (Some(table), _) | (None, Some(table)) => table.heard(),
            (None, None) => Heard { listeners: &self.all, by_name: false, published: &self.unnamed },
        }
    }
}

impl Table {
    #[inline]
    fn heard(&self) -> Heard<'_> {
        Heard { listeners: &self.listeners, by_name: false, published: &self.published }
    }
}

/// Those who hear one delivery.
#[derive(Clone, Copy)]
pub(crate) struct Heard<'a> {
    pub(crate) listeners: &'a [Listener],
    /// Whether only those of them are meant that hear its topic or its name.
    by_name: bool,
    pub(crate) published: &'a AtomicUsize,
}

impl Heard<'_> {
    /// Whether that listener is meant.
    #[inline]
    pub(crate) fn includes(&self, listener: &Listener, delivery: &Delivery<'_>) -> bool {
        !self.by_name || {
            let hears = |hearing: &Hearing<'_>| hears_named(&hearing.hears, delivery.topic, delivery.name);
            let mut hearings = listener.instance().hearings();
            if listener.instance().listens.is_some() {
                // Of the topics that match the first counts.
                hearings.position(|hearing| hears(&hearing)) == Some(listener.hearing as usize)
            } else {
                hearings.nth(listener.hearing as usize).is_some_and(|hearing| hears(&hearing))
            }
        }
    }

    /// Of the listeners of one module, which one is at `index`.
    pub(crate) fn nth_of(&self, index: usize, delivery: &Delivery<'_>) -> usize {
        let slot = self.listeners[index].instance().slot.id;
        let before = self.listeners[..index].iter();
        before.filter(|other| other.instance().slot.id == slot && self.includes(other, delivery)).count()
    }

    /// The nth listener of one module.
    pub(crate) fn of_slot(&self, slot: crate::ModuleId, nth: usize, delivery: &Delivery<'_>) -> Option<&Listener> {
        let all = self.listeners.iter();
        all.filter(|other| other.instance().slot.id == slot && self.includes(other, delivery)).nth(nth)
    }
}

impl Listener {
    /// The instance, for as long as the table may be read.
    #[inline]
    pub(crate) fn instance<'a>(&self) -> &'a Instance {
        // SAFETY: whoever has a listener has it of a table that a call under way keeps, and with it what it names
        // (`registry.rs`). The callers let it live no longer.
        unsafe { self.instance.as_ref() }
    }

    fn is_twin_of(&self, other: &Self) -> bool {
        self.instance == other.instance && self.instance().listens.is_some()
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
