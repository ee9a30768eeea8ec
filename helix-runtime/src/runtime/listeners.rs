//! Closures that listen: added, taken away and paused while everybody publishes.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use core::time::Duration;

use crate::bus::{BusStats, EventBus, EventSubscription, EventTopic, ListenerStats, SubscriptionId};
use crate::error::{IpcError, IpcResult, ModuleState};
use crate::event::Hears;
use crate::host::Host;
use crate::info::check_name;
use crate::place::Place;
use crate::runtime::Runtime;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::topics::UNNAMED;

impl Runtime {
    /// Adds a listener, on one footing with the modules: its priority counts, and among equals who came first.
    ///
    /// # Errors
    /// [`IpcError::BadName`] when a topic's name is none.
    pub fn subscribe(&self, subscription: EventSubscription) -> IpcResult<SubscriptionId> {
        self.inner.subscribe(None, subscription)
    }

    /// Takes a listener away. When this returns outside of a handler, the listener is not entered again, and nobody is
    /// inside any more, unless one of its calls does not end within
    /// [`Builder::drain_timeout`](crate::Builder::drain_timeout).
    ///
    /// # Errors
    /// [`IpcError::NotSubscribed`].
    pub fn unsubscribe(&self, subscription: SubscriptionId) -> IpcResult<()> {
        self.inner.unsubscribe(subscription)
    }

    /// The runtime's events: who listens, and what was published.
    pub fn bus(&self) -> EventBus<'_> {
        EventBus::new(self)
    }

    pub(crate) fn set_paused(&self, subscription: SubscriptionId, paused: bool) -> IpcResult<()> {
        self.inner.pause_listener(subscription, paused)
    }

    pub(crate) fn set_bus_paused(&self, paused: bool) {
        let mut registry = self.inner.registry();
        registry.set_bus_paused(paused);
        self.inner.install(registry, vec![]);
    }

    pub(crate) fn bus_stats(&self) -> BusStats {
        self.inner.bus_stats()
    }
}

impl Inner {
    pub(super) fn add_listener(
        &self,
        owner: Option<&Place>,
        subscription: EventSubscription,
    ) -> IpcResult<SubscriptionId> {
        let bad = subscription.topics.iter().find_map(|topic| match topic {
            EventTopic::Custom(name) if !check_name(name) => Some(name),
            _ => None,
        });
        if let Some(name) = bad {
            return Err(IpcError::BadName { name: name.chars().take(64).collect() });
        }
        let mut registry = self.registry();
        if let Some(place) = owner.filter(|place| place.gone.load(Ordering::Relaxed)) {
            return Err(IpcError::NotRunning { module: place.name.into(), state: ModuleState::Unloaded });
        }
        let owner = owner.map(|place| core::ptr::from_ref(place) as usize);
        let (id, instance) = registry.subscribe(owner, subscription, &self.settings);
        self.install(registry, vec![]);
        self.remind(&[instance]);
        Ok(id)
    }

    pub(super) fn remove_listener(&self, id: SubscriptionId) -> IpcResult<()> {
        let mut registry = self.registry();
        let Some(instance) = registry.unsubscribe(id) else {
            return Err(IpcError::NotSubscribed { subscription: id });
        };
        self.install(registry, vec![instance.clone()]);
        if self.vacate(&instance) {
            self.unload(&instance);
        }
        Ok(())
    }

    fn pause_listener(&self, id: SubscriptionId, paused: bool) -> IpcResult<()> {
        let mut registry = self.registry();
        let Some(instance) = registry.set_paused(id, paused) else {
            return Err(IpcError::NotSubscribed { subscription: id });
        };
        self.install(registry, vec![]);
        if paused {
            self.wait_until_empty(&instance);
        }
        Ok(())
    }

    fn bus_stats(&self) -> BusStats {
        let registry = self.registry();
        let published = registry.counts.iter().filter(|(name, _)| *name != UNNAMED);
        let unnamed = registry.counts.get(UNNAMED).map_or(0, |count| self.calls.total(count));
        let listeners: Vec<ListenerStats> = registry.listening().into_iter().flat_map(stats_of).collect();
        BusStats {
            published: published.map(|(name, count)| (name.clone(), self.calls.total(count))).collect(),
            unnamed,
            listeners,
        }
    }
}

fn stats_of(instance: &Arc<Instance>) -> impl Iterator<Item = ListenerStats> {
    instance.hearings().zip(&instance.counters).map(|(hearing, counters)| ListenerStats {
        name: instance.name(),
        topic: match hearing.hears {
            Hears::Type { name, .. } | Hears::Named(name) => name.into(),
            Hears::All => "all".into(),
        },
        calls: counters.calls.load(Ordering::Relaxed),
        failures: counters.failures.load(Ordering::Relaxed),
        time: Duration::from_nanos(counters.time.load(Ordering::Relaxed) as u64),
    })
}
