//! A module with 100 bytes of state is replaced by its other version.

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, Transition, modules};

macro_rules! version {
    ($name:ident $number:literal) => {
        mod $name {
            use helix_runtime::prelude::*;

            #[helix_message]
            #[derive(Default, Clone)]
            pub struct State {
                pub counts: [u64; 12],
                pub generation: u32,
            }

            #[helix_module(name = "counter", version = $number, flags = HOT_RELOADABLE)]
            #[derive(Default)]
            pub struct Counter {
                state: State,
            }
            #[helix_handlers]
            impl Counter {
                #[on_event(Tick)]
                fn tick(&mut self, tick: &Tick) {
                    self.state.counts.iter_mut().for_each(|count| *count += tick.tick_number);
                }
                #[on_request]
                fn generation(&self) -> u32 {
                    self.state.generation
                }
                #[on_save(version = 1)]
                fn save(&self) -> State {
                    self.state.clone()
                }
                #[on_restore(version = 1)]
                fn restore(&mut self, state: State) {
                    self.state = State { generation: state.generation + 1, ..state };
                }
            }
        }
    };
}
version!(one "1.0.0");
version!(two "2.0.0");

pub fn replace(count: usize) {
    let runtime = Runtime::builder().modules(modules![one::Counter]).build().expect("one module fits");
    runtime.start().expect("nothing can fail");
    // Numbers that take all their bytes on the way.
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: u64::MAX }).handled, 1);
    let id = runtime.module_id("counter").expect("it runs");
    for at in 0..count {
        let next = if at % 2 == 0 { two::Counter::DESCRIPTOR } else { one::Counter::DESCRIPTOR };
        assert_eq!(runtime.replace(id, next).expect("nothing can fail"), Transition::Done);
    }
    assert_eq!(runtime.call::<(), u32>("counter.generation", ()), Ok(count as u32));
}
