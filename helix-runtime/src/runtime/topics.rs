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
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::chain::Light;
use crate::descriptor::EventFn;
use crate::event::{Custom, Delivery, Hears, SubscriptionPriority};
#[cfg(feature = "std")]
use crate::host::Native;
use crate::runtime::counts::Count;
use crate::runtime::instance::{Hearing, Instance};
use crate::runtime::way::Way;
use crate::runtime::word::Access;

/// One handler of an event.
#[derive(Clone, Copy)]
pub(crate) struct Listener {
    pub(crate) call: EventFn,
    pub(crate) way: Way,
    /// Which of the instance's hearings.
    pub(crate) hearing: u32,
    priority: SubscriptionPriority,
}

/// Whether that stands for the types of other copies of this crate.
fn is_abroad(type_id: TypeId) -> bool {
    #[cfg(feature = "std")]
    return type_id == TypeId::of::<crate::event::Abroad>();
    #[cfg(not(feature = "std"))]
    {
        let _ = type_id;
        false
    }
}

/// What a listener hears, whatever its type: events of that topic and name?
fn hears_named(hears: &Hears<'_>, topic: &str, name: &str) -> bool {
    match hears {
        Hears::Type { .. } => false,
        Hears::Named(heard) => *heard == topic || *heard == name,
        Hears::All => true,
    }
}

/// Those who hear one thing, in order.
pub(crate) struct Group {
    pub(crate) listeners: Box<[Listener]>,
    /// Whether only those of them are meant that hear its topic or its name.
    pub(crate) by_name: bool,
    /// Whether events wait for some of them.
    #[cfg(feature = "std")]
    pub(crate) is_queued: bool,
    /// Whether nothing is asked for but to call them: no module of theirs has a lock, nobody counts them, all of them are
    /// meant, the bus is not paused, and a mark needs no barrier.
    pub(crate) is_plain: bool,
    /// How often it was published.
    pub(crate) published: Arc<Count>,
}

impl Group {
    fn new(listeners: Box<[Listener]>, published: Arc<Count>, plainly: bool) -> Self {
        let is_queued = listeners.iter().any(|listener| listener.instance().descriptor.queues());
        let is_plain = plainly && !is_queued && listeners.iter().all(|listener| listener.way.access == Access::Free);
        Self {
            listeners,
            by_name: false,
            #[cfg(feature = "std")]
            is_queued,
            is_plain,
            published,
        }
    }
}

/// A place of the map from types to those who hear them.
struct Typed {
    type_id: TypeId,
    group: Group,
}

/// Marks a place that is free.
struct Nobody;

/// How often each name was published; outlives the tables.
pub(crate) type Counts = BTreeMap<String, Arc<Count>>;

/// The tables.
pub(crate) struct Topics {
    /// By type: each at the place of its hash, or the next that was free.
    types: Box<[Typed]>,
    /// By the name of an event or a topic.
    names: BTreeMap<Box<str>, Group>,
    /// By the name of an event, for those who take it as a type of another copy of this crate.
    abroad: BTreeMap<&'static str, Group>,
    /// Those who hear any type, for events that two names stand for. All topics of a closure are in it.
    untyped: Group,
    /// Those who hear everything.
    all: Group,
}

/// A count with a number that no other of the process has.
fn new_count() -> Arc<Count> {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    Arc::new(Count::new(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// The name under which publications are counted that nobody names.
pub(crate) const UNNAMED: &str = "";

impl Topics {
    /// The tables of all hearings of these instances, which come in the order of their registration. `plainly` says that
    /// nothing is asked for in general but to call them.
    pub(crate) fn new<'a>(instances: impl Iterator<Item = &'a Instance>, counts: &mut Counts, plainly: bool) -> Self {
        let plainly = plainly && Light::get().is_free();
        let mut heard: Vec<(Listener, Hears<'a>)> = Vec::new();
        for instance in instances {
            for (at, Hearing { hears, priority, entry, call, access }) in instance.hearings().enumerate() {
                let (way, hearing) = (Way::to(instance, Some(entry), access), at as u32);
                heard.push((Listener { call, way, hearing, priority }, hears));
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
            None => counts.entry(name.into()).or_insert_with(new_count).clone(),
        };
        let mut typed: Vec<Typed> = Vec::new();
        let mut names: BTreeMap<Box<str>, Group> = BTreeMap::new();
        let mut abroad: BTreeMap<&'static str, Group> = BTreeMap::new();
        for (_, hears) in &heard {
            match *hears {
                Hears::Type { topic, name, type_id, .. } => {
                    let listeners = |type_id| {
                        matching(&|other| match other {
                            Hears::Type { name: called, type_id: other, .. } => {
                                if is_abroad(*other) {
                                    *called == name
                                } else {
                                    *other == type_id
                                }
                            }
                            _ => hears_named(other, topic, name),
                        })
                    };
                    if is_abroad(type_id) {
                        let group = || Group::new(listeners(type_id), count(name), plainly);
                        abroad.entry(name).or_insert_with(group);
                    } else if !typed.iter().any(|known| known.type_id == type_id) {
                        typed.push(Typed { type_id, group: Group::new(listeners(type_id), count(name), plainly) });
                    }
                }
                Hears::Named(name) if !names.contains_key(name) => {
                    let listeners = matching(&|other| hears_named(other, name, name));
                    names.insert(name.into(), Group::new(listeners, count(name), plainly));
                }
                _ => {}
            }
        }
        let untyped = heard.iter().filter(|(_, hears)| !matches!(hears, Hears::Type { .. }));
        let untyped = untyped.map(|(listener, _)| *listener).collect();
        let all = matching(&|hears| matches!(hears, Hears::All));
        let unnamed = count(UNNAMED);
        Self {
            types: by_hash(typed, &unnamed),
            names,
            abroad,
            untyped: Group { by_name: true, ..Group::new(untyped, unnamed.clone(), false) },
            all: Group::new(all, unnamed, plainly),
        }
    }

    /// Those who hear the delivery, in order, and what counts it.
    #[inline(always)]
    pub(crate) fn heard(&self, delivery: &Delivery<'_>) -> &Group {
        let at = hash_type(delivery.kind.type_id) as usize & (self.types.len() - 1);
        match self.types.get(at) {
            Some(typed) if typed.type_id == delivery.kind.type_id => &typed.group,
            _ => self.heard_elsewhere(delivery),
        }
    }

    /// The same for a type whose place is another's, or that nobody names.
    #[inline(never)]
    fn heard_elsewhere(&self, delivery: &Delivery<'_>) -> &Group {
        let (type_id, mask) = (delivery.kind.type_id, self.types.len() - 1);
        let mut at = hash_type(type_id) as usize & mask;
        while self.types[at].type_id != TypeId::of::<Nobody>() {
            if self.types[at].type_id == type_id {
                return &self.types[at].group;
            }
            at = (at + 1) & mask;
        }
        // Bytes are of no type, whatever they are called.
        if type_id != TypeId::of::<Custom>()
            && let Some(group) = self.abroad.get(delivery.kind.name)
        {
            return group;
        }
        match (self.names.get(delivery.kind.topic), self.names.get(delivery.kind.name)) {
            (Some(_), Some(_)) if delivery.kind.topic != delivery.kind.name => &self.untyped,
            (Some(group), _) | (None, Some(group)) => group,
            (None, None) => &self.all,
        }
    }

    /// Whose handlers take an event of that name as a type of this copy's.
    #[cfg(feature = "std")]
    pub(crate) fn native(&self, event: &str) -> Option<Native> {
        self.types.iter().find_map(|typed| {
            let listeners = typed.group.listeners.iter().filter_map(|listener| {
                let hearing = listener.instance().hearings().nth(listener.hearing as usize)?;
                match hearing.hears {
                    Hears::Type { name, codec: Some(codec), .. } if name == event => Some((listener, codec)),
                    _ => None,
                }
            });
            let (first, codec) = listeners.clone().next()?;
            Some(Native { codec, module: first.instance().name(), listeners: listeners.count() as u32 })
        })
    }

    /// What counts the publications of a delivery that a group hears. Where two names stand for it, the topic's.
    pub(crate) fn published<'a>(&'a self, group: &'a Group, delivery: &Delivery<'_>) -> &'a Count {
        let topic = || self.names.get(delivery.kind.topic);
        let counting = if group.by_name { topic().unwrap_or(group) } else { group };
        &counting.published
    }
}

/// Puts each type at the place of its hash, in a table of twice the size or more, of which one place is free at least.
fn by_hash(typed: Vec<Typed>, unnamed: &Arc<Count>) -> Box<[Typed]> {
    let size = (typed.len() * 2 + 1).next_power_of_two();
    let free = || Typed { type_id: TypeId::of::<Nobody>(), group: Group::new(Box::default(), unnamed.clone(), false) };
    let mut places: Box<[Typed]> = core::iter::repeat_with(free).take(size).collect();
    for typed in typed {
        let mut at = hash_type(typed.type_id) as usize & (size - 1);
        while places[at].type_id != TypeId::of::<Nobody>() {
            at = (at + 1) & (size - 1);
        }
        places[at] = typed;
    }
    places
}

impl Group {
    /// Whether that listener is meant.
    #[inline(always)]
    pub(crate) fn includes(&self, listener: &Listener, delivery: &Delivery<'_>) -> bool {
        if !self.by_name {
            return true;
        }
        let hears = |hearing: &Hearing<'_>| hears_named(&hearing.hears, delivery.kind.topic, delivery.kind.name);
        let mut hearings = listener.instance().hearings();
        if listener.instance().listens.is_some() {
            // Of the topics that match the first counts.
            hearings.position(|hearing| hears(&hearing)) == Some(listener.hearing as usize)
        } else {
            hearings.nth(listener.hearing as usize).is_some_and(|hearing| hears(&hearing))
        }
    }

    /// Where a listener of this group stands in it.
    pub(crate) fn index_of(&self, listener: &Listener) -> usize {
        (core::ptr::from_ref(listener).addr() - self.listeners.as_ptr().addr()) / size_of::<Listener>()
    }

    /// Of the listeners of one module, which one is at `index`.
    pub(crate) fn nth_of(&self, index: usize, delivery: &Delivery<'_>) -> usize {
        let slot = self.listeners[index].instance().slot.id;
        let before = self.listeners[..index].iter();
        before.filter(|other| other.instance().slot.id == slot && self.includes(other, delivery)).count()
    }

    /// The nth listener of one module.
    pub(crate) fn of_slot<'a>(
        &'a self,
        slot: crate::ModuleId,
        nth: usize,
        delivery: &Delivery<'_>,
    ) -> Option<&'a Listener> {
        let all = self.listeners.iter();
        all.filter(|other| other.instance().slot.id == slot && self.includes(other, delivery)).nth(nth)
    }
}

impl Listener {
    /// The instance, for as long as the table may be read.
    #[inline(always)]
    pub(crate) fn instance<'a>(&self) -> &'a Instance {
        self.way.instance()
    }

    fn is_twin_of(&self, other: &Self) -> bool {
        self.way.leads_to(other.instance()) && self.instance().listens.is_some()
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
