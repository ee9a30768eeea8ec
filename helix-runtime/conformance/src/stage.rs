//! What a case needs: to hear what modules say, and to hold one of them in the middle of a handler.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use helix_runtime::prelude::*;
use helix_runtime::{
    Builder, ConfigMap, EventSubscription, EventTopic, LifecycleError, ModuleId, ModuleState, Runtime,
};

use crate::contract::SAYS;
use crate::watchdog::DEADLINE;
use crate::{Part, Placement};

/// A builder with that configuration.
pub(crate) fn with(config: &[(&str, &str)]) -> Builder {
    let config: ConfigMap = config.iter().copied().collect();
    Runtime::builder().config(config)
}

/// A runtime that is built, and not started.
pub(crate) fn built(placement: &dyn Placement, config: &[(&str, &str)], parts: &[Part]) -> Runtime {
    placement.build(with(config), parts).expect("the modules fit")
}

/// A runtime that runs.
pub(crate) fn started(placement: &dyn Placement, builder: Builder, parts: &[Part]) -> Runtime {
    let runtime = placement.build(builder, parts).expect("the modules fit");
    runtime.start().expect("every module starts");
    runtime
}

/// A runtime that runs, with nothing configured.
pub(crate) fn plain(placement: &dyn Placement, parts: &[Part]) -> Runtime {
    started(placement, Runtime::builder(), parts)
}

pub(crate) fn id(runtime: &Runtime, name: &str) -> ModuleId {
    runtime.module_id(name).expect("the module is there")
}

/// The modules in the order in which they start, and where they stand.
pub(crate) fn states(runtime: &Runtime) -> Vec<(&'static str, ModuleState)> {
    runtime.modules().iter().map(|module| (module.info.name, module.state)).collect()
}

/// What an error says, and what the one behind it is.
#[track_caller]
pub(crate) fn lifecycle<T: std::fmt::Debug>(result: Result<T, LifecycleError>) -> (String, ModuleError) {
    let error = result.expect_err("the transition is refused or fails");
    (error.to_string(), error.error)
}

#[track_caller]
pub(crate) fn says<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>, text: &str) {
    match result {
        Ok(value) => panic!("found {value:?}, expected the error {text}"),
        Err(error) => assert_eq!(error.to_string(), text),
    }
}

pub(crate) fn path(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// Writes down what it hears.
#[derive(Clone)]
pub(crate) struct Ear(Arc<Mutex<Vec<String>>>);

impl Ear {
    /// Hears what modules say of themselves, and the topics that are given.
    pub(crate) fn on(runtime: &Runtime, topics: &[EventTopic]) -> Self {
        let ear = Self(Arc::default());
        let mut all = vec![EventTopic::Custom(SAYS.into())];
        all.extend_from_slice(topics);
        let writes = ear.clone();
        let handler = Box::new(move |event: &Event| {
            writes.0.lock().unwrap().push(text(event));
            EventResponse::Handled
        });
        runtime.subscribe(EventSubscription::new("ear", all, handler)).unwrap();
        ear
    }

    /// What it has heard since it was last asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The same, less what modules say of others that are loaded.
    pub(crate) fn take_steps(&self) -> Vec<String> {
        let mut lines = self.take();
        lines.retain(|line| !line.contains(": hears of "));
        lines
    }

    /// Returns when that was heard.
    pub(crate) fn wait_for(&self, line: &str) {
        while !self.0.lock().unwrap().iter().any(|heard| heard == line) {
            std::thread::yield_now();
        }
    }

    /// Only what modules say of others that are loaded.
    pub(crate) fn take_hearsay(&self) -> Vec<String> {
        let mut lines = self.take();
        lines.retain(|line| line.contains(": hears of "));
        lines
    }
}

fn text(event: &Event) -> String {
    match event {
        Event::Custom(custom) if custom.name() == SAYS => {
            String::from_utf8_lossy(custom.data().unwrap_or_default()).into_owned()
        }
        Event::ModuleLoaded(ModuleLoaded { name })
        | Event::ModuleUnloaded(ModuleUnloaded { name })
        | Event::ModuleReloaded(ModuleReloaded { name })
        | Event::ModuleCrashed(ModuleCrashed { name, .. }) => format!("{} {name}", event.name()),
        Event::HealthCheck(HealthCheck { name, healthy }) => format!("health {name} {healthy}"),
        event => event.name().to_string(),
    }
}

/// A place where a handler waits, and that says when it is there. A module passes it by a request.
pub(crate) struct Gate {
    arrivals: Receiver<()>,
    go: Sender<()>,
}

impl Gate {
    /// A gate of that number and name.
    pub(crate) fn new(runtime: &Runtime, number: u64, name: &'static str) -> Self {
        let (arrived, arrivals) = channel();
        let (go, may_go) = channel();
        let inside = Mutex::new((arrived, may_go));
        let pass = move |_: &Request| {
            let (arrived, may_go) = &*inside.lock().unwrap();
            let _ = arrived.send(());
            match may_go.recv_timeout(DEADLINE) {
                Ok(()) => Response::ok_empty(),
                Err(_) => Response::err("nobody opens the gate"),
            }
        };
        runtime.router().register(number, name, Box::new(pass)).unwrap();
        Self { arrivals, go }
    }

    /// Returns when a handler is at the gate.
    pub(crate) fn arrived(&self) {
        self.arrivals.recv_timeout(DEADLINE).expect("a handler comes to the gate");
    }

    /// Lets one handler go on.
    pub(crate) fn open(&self) {
        self.go.send(()).expect("the gate is there");
    }
}
