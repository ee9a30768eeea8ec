//! The names of events.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_message]
#[derive(Debug, Clone, EventType)]
pub struct DoorOpened;

#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(name = "house/window.opened")]
pub struct WindowOpened {
    pub floor: u8,
}

#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "house")]
pub enum Alarm {
    Fire,
    Water { cm: u8 },
}

#[helix_module]
#[derive(Default)]
pub struct House {
    open: u8,
}

#[helix_handlers]
impl House {
    #[on_event(DoorOpened)]
    #[on_event(WindowOpened)]
    fn opened(&mut self) {
        self.open += 1;
    }
    #[on_event("house")]
    fn alarm(&mut self, alarm: &Custom) {
        match alarm.get::<Alarm>() {
            Some(Alarm::Water { cm }) => self.open += cm,
            Some(Alarm::Fire) | None => self.open = 0,
        }
    }
    #[on_request]
    fn open(&self) -> u8 {
        self.open
    }
}

#[test]
fn an_event_reaches_those_who_name_it() {
    assert_eq!((DoorOpened::TOPIC, DoorOpened::NAME), ("door-opened", "door-opened"));
    assert_eq!((WindowOpened::TOPIC, WindowOpened::NAME), ("house/window.opened", "house/window.opened"));
    assert_eq!((Alarm::TOPIC, Alarm::NAME), ("house", "alarm"));
    let runtime = Runtime::builder().modules(modules![House]).build().unwrap();
    runtime.start().unwrap();
    assert!(runtime.publish(&DoorOpened).is_clean());
    assert!(runtime.publish(&WindowOpened { floor: 2 }).is_clean());
    assert!(runtime.publish(&Alarm::Water { cm: 40 }).is_clean());
    assert_eq!(runtime.call::<(), u8>("house.open", ()).unwrap(), 42);
    assert!(runtime.publish(&Alarm::Fire).is_clean());
    assert_eq!(runtime.call::<(), u8>("house.open", ()).unwrap(), 0);
}
