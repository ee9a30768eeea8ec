//! Events that stay: whoever comes later hears the last one.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, Runtime, modules};

/// Writes down which sections it has heard of.
#[helix_module(name = "reader", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Reader {
    heard: Vec<String>,
}

#[helix_handlers]
impl Reader {
    #[on_event(ConfigLoaded)]
    fn config(&mut self, loaded: &ConfigLoaded) {
        self.heard.push(loaded.changed_sections.join("+"));
    }

    #[on_request]
    fn heard(&self) -> Vec<String> {
        self.heard.clone()
    }

    #[on_save(version = 1)]
    fn save(&self) -> Vec<String> {
        self.heard.clone()
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, heard: Vec<String>) {
        self.heard = heard;
    }
}

/// Listens with a closure of its own, from before it runs.
#[helix_module(name = "listener")]
#[derive(Default)]
pub struct Listener {
    heard: Arc<Mutex<Vec<String>>>,
}

#[helix_handlers]
impl Listener {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        ctx.subscribe(writing("listener", &self.heard))?;
        Ok(())
    }

    #[on_request]
    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn writing(name: &'static str, heard: &Arc<Mutex<Vec<String>>>) -> EventSubscription {
    let heard = heard.clone();
    let write = Box::new(move |event: &Event| {
        let Event::Custom(custom) = event else { return EventResponse::Ignored };
        let Some(loaded) = custom.get::<ConfigLoaded>() else { return EventResponse::Ignored };
        heard.lock().unwrap().push(loaded.changed_sections.join("+"));
        EventResponse::Handled
    });
    EventSubscription::new(name, vec![EventTopic::of::<ConfigLoaded>()], write)
}

fn loaded(section: &str) -> ConfigLoaded {
    ConfigLoaded { changed_sections: vec![section.into()], config_json: None }
}

fn heard(runtime: &Runtime, path: &str) -> Vec<String> {
    runtime.call::<(), Vec<String>>(path, ()).unwrap()
}

#[test]
fn who_comes_later_hears_the_last_one_and_who_was_there_hears_each_once() {
    let runtime = Runtime::builder().modules(modules![Reader, ..]).build().unwrap();
    runtime.start().unwrap();
    for section in ["first", "second"] {
        assert_eq!(runtime.publish_sticky(&loaded(section)).handled, 1);
    }
    assert_eq!(heard(&runtime, "reader.heard"), ["first", "second"]);

    let closure = Arc::new(Mutex::new(Vec::new()));
    runtime.subscribe(writing("late", &closure)).unwrap();
    assert_eq!(*closure.lock().unwrap(), ["second"], "a closure that comes later");
    let set = modules![Listener, ..];
    runtime.add_descriptor(set.descriptors()[0]).unwrap();
    assert_eq!(heard(&runtime, "listener.heard"), ["second"], "a module's closure, which listened before it ran");
    assert_eq!(heard(&runtime, "reader.heard"), ["first", "second"], "that others come concerns nobody");
}

#[test]
fn a_module_that_was_replaced_or_started_again_hears_the_last_one() {
    let set = modules![Reader];
    let runtime = Runtime::builder().modules(set).build().unwrap();
    runtime.start().unwrap();
    let _ = runtime.publish_sticky(&loaded("first"));
    let id = runtime.module_id("reader").unwrap();
    runtime.replace(id, set.descriptors()[0]).unwrap();
    assert_eq!(heard(&runtime, "reader.heard"), ["first", "first"], "its state, and what stays");
    runtime.stop_module(id).unwrap();
    let _ = runtime.publish_sticky(&loaded("second"));
    runtime.start_module(id).unwrap();
    assert_eq!(heard(&runtime, "reader.heard"), ["first", "first", "second"]);
}

#[test]
fn an_ordinary_event_does_not_stay() {
    let runtime = Runtime::builder().modules(modules![Reader]).build().unwrap();
    runtime.start().unwrap();
    let _ = runtime.publish(&loaded("gone"));
    let closure = Arc::new(Mutex::new(Vec::new()));
    runtime.subscribe(writing("late", &closure)).unwrap();
    assert!(closure.lock().unwrap().is_empty());
}
