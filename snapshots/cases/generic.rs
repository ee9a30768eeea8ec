//! A module with a type, a const and bounds.

use helix_runtime::prelude::*;
use helix_runtime::{FromConfig, Message, Runtime, modules};

#[helix_module(name = "store", flags = HOT_RELOADABLE)]
pub struct Store<T: Clone, const N: usize = 4>
where
    T: Message + FromConfig + Default + Send + Sync,
{
    #[config(default = T::default())]
    empty: T,
    values: [T; N],
}

impl<T: Clone + Message + FromConfig + Default + Send + Sync, const N: usize> Default for Store<T, N> {
    fn default() -> Self {
        Self { empty: T::default(), values: core::array::from_fn(|_| T::default()) }
    }
}

#[helix_handlers]
impl<T: Clone, const N: usize> Store<T, N>
where
    T: Message + FromConfig + Default + Send + Sync,
{
    #[on_request]
    fn put(&mut self, at: u32, value: T) -> Option<T> {
        self.values.get_mut(at as usize).map(|slot| core::mem::replace(slot, value))
    }
    #[on_event(Tick)]
    fn tick(&mut self) {
        self.values.fill(self.empty.clone());
    }
    #[on_save(version = 1)]
    fn save(&self) -> Vec<T> {
        self.values.to_vec()
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, saved: Vec<T>) {
        self.values.iter_mut().zip(saved).for_each(|(value, saved)| *value = saved);
    }
}

impl<T> FromConfig for Wrapped<T> {
    const EXPECTED: &'static str = "nothing";
    fn from_config(_: &str) -> Option<Self> {
        None
    }
}

/// A message of the module's own, to see that any type will do.
#[helix_message]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wrapped<T>(T);

#[test]
fn its_parameters_are_chosen_where_it_is_used() {
    let runtime = Runtime::builder().modules(modules![Store<Wrapped<u8>, 2>]).build().unwrap();
    runtime.start().unwrap();
    let put =
        |at, value| runtime.call::<(u32, Wrapped<u8>), Option<Wrapped<u8>>>("store.put", (at, Wrapped(value))).unwrap();
    assert_eq!((put(1, 7), put(1, 8), put(2, 9)), (Some(Wrapped(0)), Some(Wrapped(7)), None));
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled, 1);
    assert_eq!(put(1, 7), Some(Wrapped(0)));
    let saved = runtime.save("store").unwrap().unwrap();
    let again = Runtime::builder().modules(modules![Store<Wrapped<u8>, 2>]).state(saved).build().unwrap();
    again.start().unwrap();
}
