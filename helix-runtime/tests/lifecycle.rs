//! The steps of a life: order, configuration, failure and unwinding.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use helix_runtime::prelude::*;
use helix_runtime::{Builder, ConfigMap, Module, ModuleInfo, ModuleSet, ModuleState, ModuleTrait, Runtime, modules};

type Trace = Arc<Mutex<Vec<String>>>;

thread_local! {
    static TRACE: Trace = Trace::default();
}

fn trace() -> Trace {
    TRACE.with(Clone::clone)
}

fn taken() -> Vec<String> {
    std::mem::take(&mut trace().lock().unwrap())
}

macro_rules! staged {
    ($($ident:ident $new:ident ($($options:tt)*))*) => { $(
        #[helix_module(new = $new, $($options)*)]
        pub struct $ident {
            trace: Trace,
            /// The step that fails.
            #[config]
            fail: Option<String>,
        }
        fn $new() -> $ident {
            $ident { trace: trace(), fail: None }
        }
        impl $ident {
            fn step(&self, step: &str, ctx: &Context) -> Result<(), ModuleError> {
                self.trace.lock().unwrap().push(format!("{step} {}", ctx.name()));
                match self.fail.as_deref() {
                    Some(fail) if fail == step => Err(ModuleError::new("told to fail")),
                    Some(fail) if fail.strip_prefix("panic-") == Some(step) => panic!("told to panic"),
                    _ => Ok(()),
                }
            }
        }
        impl Drop for $ident {
            fn drop(&mut self) {
                self.trace.lock().unwrap().push(format!("drop {}", stringify!($ident)));
            }
        }
        #[helix_handlers]
        impl $ident {
            #[on_init]
            fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> { self.step("init", ctx) }
            #[on_start]
            fn start(&self, ctx: &Context) -> Result<(), ModuleError> { self.step("start", ctx) }
            #[on_stop]
            fn stop(&mut self, ctx: &Context) -> Result<(), ModuleError> { self.step("stop", ctx) }
            #[on_health]
            fn health(&self) -> bool { self.fail.as_deref() != Some("health") }
            #[on_event(ModuleLoaded)]
            fn loaded(&self, loaded: &ModuleLoaded, ctx: &Context) {
                self.trace.lock().unwrap().push(format!("{} hears of {}", ctx.name(), loaded.name));
            }
        }
    )* };
}

staged! {
    App new_app (dependencies("db", "log"))
    Db new_db (dependencies = ["log"])
    Log new_log ()
}

fn all() -> ModuleSet {
    modules![App, Db, Log]
}

fn build(config: &[(&str, &str)]) -> Runtime {
    taken();
    let config: ConfigMap = config.iter().copied().collect();
    Runtime::builder().config(config).modules(all()).build().unwrap()
}

fn states(runtime: &Runtime) -> Vec<ModuleState> {
    runtime.modules().iter().map(|module| module.state).collect()
}

#[test]
fn modules_start_after_what_they_need_and_stop_before_it() {
    let runtime = build(&[]);
    assert_eq!(states(&runtime), [ModuleState::Registered; 3]);
    runtime.start().unwrap();
    assert_eq!(states(&runtime), [ModuleState::Running; 3]);
    let steps: Vec<_> = taken().into_iter().filter(|step| !step.contains("hears")).collect();
    assert_eq!(steps, ["init log", "start log", "init db", "start db", "init app", "start app"]);
    runtime.stop().unwrap();
    assert_eq!(taken(), ["stop app", "stop db", "stop log"]);
    assert_eq!(states(&runtime), [ModuleState::Stopped; 3]);
    runtime.start().unwrap();
    let steps: Vec<_> = taken().into_iter().filter(|step| !step.contains("hears")).collect();
    assert_eq!(steps, ["start log", "start db", "start app"]);
    drop(runtime);
    assert_eq!(taken(), ["stop app", "stop db", "stop log", "drop App", "drop Db", "drop Log"]);
}

#[test]
fn each_module_hears_of_each_that_runs_exactly_once() {
    let runtime = build(&[]);
    runtime.start().unwrap();
    let heard: Vec<_> = taken().into_iter().filter(|step| step.contains("hears")).collect();
    assert_eq!(
        heard,
        [
            "log hears of log",
            "db hears of log",
            "db hears of db",
            "log hears of db",
            "app hears of log",
            "app hears of db",
            "app hears of app",
            "db hears of app",
            "log hears of app",
        ]
    );
}

#[test]
fn a_start_that_fails_stops_what_it_had_started() {
    for (fail, step, error) in [
        ("init", "on_init", "told to fail"),
        ("start", "on_start", "told to fail"),
        ("panic-init", "on_init", "module `app` panicked: told to panic"),
    ] {
        let runtime = build(&[("app.fail", fail)]);
        let failed = runtime.start().unwrap_err();
        assert_eq!(failed.to_string(), format!("module `app`, {step}: {error}"));
        let stops: Vec<_> = taken().into_iter().filter(|step| step.starts_with("stop")).collect();
        assert_eq!(stops, ["stop db", "stop log"]);
        assert_eq!(states(&runtime), [ModuleState::Stopped, ModuleState::Stopped, ModuleState::Failed]);
        let again = runtime.start().unwrap_err();
        assert_eq!(again.to_string(), "module `app`, start: module `app` is failed, expected stopped");
    }
}

#[test]
fn a_stop_that_fails_lets_the_others_stop() {
    let runtime = build(&[("db.fail", "stop")]);
    runtime.start().unwrap();
    assert_eq!(runtime.stop().unwrap_err().to_string(), "module `db`, on_stop: told to fail");
    assert_eq!(states(&runtime), [ModuleState::Stopped, ModuleState::Failed, ModuleState::Stopped]);
}

#[test]
fn starting_what_runs_is_a_wrong_state() {
    let runtime = build(&[]);
    runtime.start().unwrap();
    let error = runtime.start().unwrap_err();
    assert_eq!(error.to_string(), "module `log`, start: module `log` is running, expected stopped");
    assert_eq!(states(&runtime), [ModuleState::Running; 3], "nothing was unwound");
}

#[test]
fn health_is_what_each_module_says() {
    let runtime = build(&[("db.fail", "health")]);
    let health = runtime.health();
    assert_eq!(health[0].reason.as_ref().unwrap().to_string(), "module `log` is registered, expected running");
    runtime.start().unwrap();
    let health: Vec<_> = runtime.health().into_iter().map(|health| (health.module, health.healthy)).collect();
    assert_eq!(health, [("log", true), ("db", false), ("app", true)]);
}

/// Reads all kinds of values.
#[helix_module(name = "configured")]
#[derive(Default)]
pub struct Configured {
    #[config(default = 10)]
    count: u8,
    #[config(default = "plain")]
    text: String,
    #[config]
    ratio: f64,
    #[config]
    maybe: Option<bool>,
}

#[helix_handlers]
impl Configured {
    #[on_request]
    fn shown(&self, ctx: &Context) -> Result<String, ModuleError> {
        assert_eq!(ctx.config("ratio"), Some("0.5"));
        assert_eq!(ctx.config_or("count", "unset"), "unset");
        assert_eq!(ctx.config_usize("count")?, None);
        assert_eq!(ctx.config_as::<f64>("ratio")?, Some(0.5));
        assert!(ctx.config_usize("ratio").is_err(), "a parse error is not hidden");
        Ok(format!("{} {} {} {:?}", self.count, self.text, self.ratio, self.maybe))
    }
}

fn configured(pairs: &[(&str, &str)]) -> Builder {
    let config: ConfigMap = pairs.iter().copied().collect();
    Runtime::builder().config(config).modules(modules![Configured])
}

#[test]
fn config_fields_are_read_with_their_types() {
    let runtime = configured(&[("configured.ratio", "0.5")]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), String>("configured.shown", ()).unwrap(), "10 plain 0.5 None");
}

#[test]
fn a_wrong_value_says_key_value_and_what_was_expected() {
    let runtime = configured(&[("configured.ratio", "0.5"), ("configured.count", "300")]).build().unwrap();
    assert_eq!(
        runtime.start().unwrap_err().to_string(),
        "module `configured`, config: config key `count`: found `300`, expected a whole number from 0 to 255"
    );
    let runtime = configured(&[]).build().unwrap();
    assert_eq!(
        runtime.start().unwrap_err().to_string(),
        "module `configured`, config: config key `ratio`: no value, expected a number; set it in the configuration"
    );
}

macro_rules! empty {
    ($($ident:ident ($($options:tt)*))*) => { $(
        #[helix_module($($options)*)]
        #[derive(Default)]
        pub struct $ident;
        #[helix_handlers]
        impl $ident {}
    )* };
}

empty! {
    Needy (dependencies("gone", "old" = "^2", "fine" = { features = ["no-such"] }, "maybe" = { optional = true }))
    Old (version = "1.2.3")
    Fine (provides = ["thing"], features = ["other"])
    Other (provides = ["thing"])
    Plugin (kind = plugin, dependencies("fine"))
    Round (dependencies = ["about"])
    About (dependencies = ["round"])
}

#[test]
fn building_reports_every_fault_at_once() {
    let config: ConfigMap = [("nobody.x", "1"), ("old.y", "2"), ("services.none", "old")].into_iter().collect();
    let builder = Runtime::builder()
        .config(config)
        .modules(modules![Needy, ..])
        .modules(modules![Old])
        .modules(modules![Fine])
        .modules(modules![Fine])
        .modules(modules![Other])
        .modules(modules![Plugin, ..])
        .modules(modules![Round, ..])
        .modules(modules![About, ..]);
    let error = builder.build().unwrap_err();
    let lines: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "`needy` needs `old` in a version that matches `^2`, but `old` is 1.2.3",
            "`needy` needs the feature `no-such` of `fine`, which does not list it in `features`",
            "two modules are called `fine`: rename one with `name = \"..\"`",
            "`plugin` is of kind `plugin` and may depend on `core` alone, but needs `fine`, which is of no kind: depend on its contract instead, or make this an `app`",
            "service `thing` is provided by `fine` and `fine`; set `services.thing` to one of them",
            "modules need each other in a circle: round -> about -> round; let one of them go through an event instead",
            "config key `old.y`: `old` has no key `y`; it has: none",
        ]
    );
}

#[test]
fn what_may_come_later_must_be_there_at_the_start() {
    let config: ConfigMap = [("nobody.x", "1"), ("services.none", "old")].into_iter().collect();
    let runtime = Runtime::builder().config(config).modules(modules![Plugin, ..]).build().unwrap();
    let error = runtime.start().unwrap_err().to_string();
    assert_eq!(
        error.lines().collect::<Vec<_>>(),
        [
            "module `helix`, start: `plugin` needs `fine`, which no module here is or provides: add one, make it `optional = true`, or end the list with `..` if it comes later",
            "config key `services.none`: found `old`, expected a module that provides it: nobody does",
            "config key `nobody.x`: no module is called `nobody`; there are: plugin",
        ]
    );
    assert_eq!(runtime.modules()[0].state, ModuleState::Registered);
    let runtime = Runtime::builder().modules(modules![App, ..]).build().unwrap();
    for late in [Db::DESCRIPTOR, Log::DESCRIPTOR] {
        runtime.add_descriptor(late).unwrap();
    }
    runtime.start().unwrap();
    assert_eq!(states(&runtime), [ModuleState::Running; 3]);
    let order: Vec<_> = runtime.modules().iter().map(|module| module.info.name).collect();
    assert_eq!(order, ["log", "db", "app"]);
}

#[test]
fn the_configuration_chooses_among_providers() {
    let build = |choice: &str| {
        let config: ConfigMap = [("services.thing", choice)].into_iter().collect();
        Runtime::builder().config(config).modules(modules![Fine, Other]).build()
    };
    assert!(build("other").is_ok());
    assert_eq!(
        build("old").unwrap_err().to_string(),
        "config key `services.thing`: found `old`, expected a module that provides it: fine, other"
    );
}

#[helix_message]
pub struct V1 {
    pub count: u32,
}

#[helix_message]
pub struct V2 {
    pub count: u64,
}

mod counter {
    use super::{V1, V2};
    use helix_runtime::prelude::*;

    #[helix_module(name = "counter")]
    #[derive(Default)]
    pub struct Old(u32);
    #[helix_handlers]
    impl Old {
        #[on_request]
        fn add(&mut self, n: u32) {
            self.0 += n;
        }
        #[on_save(version = 1)]
        fn save(&self) -> V1 {
            V1 { count: self.0 }
        }
        #[on_restore(version = 1)]
        fn restore(&mut self, state: V1) {
            self.0 = state.count;
        }
    }

    #[helix_module(name = "counter")]
    #[derive(Default)]
    pub struct New(u64);
    #[helix_handlers]
    impl New {
        #[on_request]
        fn count(&self) -> u64 {
            self.0
        }
        #[on_save(version = 2)]
        fn save(&self) -> V2 {
            V2 { count: self.0 }
        }
        #[on_restore(version = 2)]
        fn restore(&mut self, state: V2) {
            self.0 = state.count;
        }
        #[on_restore(version = 1)]
        fn restore_v1(&mut self, state: V1) -> Result<(), ModuleError> {
            self.0 = state.count.into();
            Ok(())
        }
    }

    #[helix_module(name = "counter")]
    #[derive(Default)]
    pub struct Careless(i32);
    #[helix_handlers]
    impl Careless {
        #[on_save(version = 1)]
        fn save(&self) -> i32 {
            self.0
        }
        #[on_restore(version = 1)]
        fn restore(&mut self, state: i32) {
            self.0 = state;
        }
    }
}

#[test]
fn saved_state_goes_to_the_handler_of_its_version_and_schema() {
    let runtime = Runtime::builder().modules(modules![counter::Old]).build().unwrap();
    runtime.start().unwrap();
    runtime.call::<(u32,), ()>("counter.add", (41,)).unwrap();
    let saved = runtime.save("counter").unwrap().unwrap();

    let runtime = Runtime::builder().modules(modules![counter::New]).state(saved.clone()).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), u64>("counter.count", ()).unwrap(), 41);
    let newer = runtime.save("counter").unwrap().unwrap();

    let old = |state| Runtime::builder().modules(modules![counter::Old]).state(state).build().unwrap().start();
    assert_eq!(
        old(newer).unwrap_err().to_string(),
        "module `counter`, on_restore: saved state version 2: `counter` has no handler for it; add `#[on_restore(version = 2)]`"
    );
    let careless = Runtime::builder().modules(modules![counter::Careless]).state(saved.clone()).build().unwrap();
    let error = careless.start().unwrap_err().to_string();
    assert!(error.contains("takes i32, and what was saved is of another schema"), "{error}");
    let mut cut = saved;
    cut.bytes.clear();
    assert!(old(cut).unwrap_err().to_string().contains("its 0 bytes are not V1{count:u32}"));
}

/// Written by hand.
struct ByHand {
    trace: Trace,
    healthy: bool,
}

impl ModuleTrait for ByHand {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new("by-hand").version(1, 2, 3).dependencies(&["log"]).provides(&["hand"])
    }
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let timeout = ctx.config_usize("timeout")?.unwrap_or(1000);
        self.trace.lock().unwrap().push(format!("init {} {timeout}", ctx.id));
        Ok(())
    }
    fn start(&mut self) -> Result<(), ModuleError> {
        self.healthy = true;
        Ok(())
    }
    fn stop(&mut self) -> Result<(), ModuleError> {
        self.trace.lock().unwrap().push("stop by-hand".into());
        Ok(())
    }
    fn handle_event(&mut self, event: &Event) -> EventResponse {
        match event {
            Event::Tick(Tick { tick_number, .. }) => {
                self.healthy = *tick_number < 2;
                EventResponse::Handled
            }
            _ => EventResponse::Ignored,
        }
    }
    fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
        match request.request_type.as_str() {
            "get_status" => Ok(Response::ok(b"OK".to_vec())),
            _ => Ok(Response::err("Unknown request")),
        }
    }
    fn is_healthy(&self) -> bool {
        self.healthy
    }
    fn save_state(&self) -> Option<Vec<u8>> {
        Some(vec![self.healthy.into()])
    }
}

#[test]
fn a_hand_written_module_lives_beside_annotated_ones() {
    taken();
    let config: ConfigMap = [("by-hand.timeout", "5"), ("log.fail", "nothing")].into_iter().collect();
    let runtime = Runtime::builder()
        .config(config)
        .add(Box::new(ByHand { trace: trace(), healthy: false }))
        .modules(modules![Log])
        .build()
        .unwrap();
    let order: Vec<_> = runtime.modules().iter().map(|module| module.info.to_string()).collect();
    assert_eq!(order, [format!("log {}", env!("CARGO_PKG_VERSION")), "by-hand 1.2.3".into()]);
    runtime.start().unwrap();
    assert!(taken().contains(&"init #0 5".to_owned()));
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 1 }).handled, 1);
    assert_eq!(runtime.request("by-hand", Request::new("get_status")).unwrap(), Response::ok(b"OK".to_vec()));
    assert_eq!(runtime.request("hand", Request::new("x")).unwrap(), Response::err("Unknown request"));
    assert_eq!(runtime.save("by-hand").unwrap().unwrap().bytes, [1, 1, 1]);
    assert!(runtime.health().iter().all(|health| health.healthy));
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 2 }).handled, 1);
    assert!(!runtime.health()[1].healthy);
    runtime.stop().unwrap();
    assert_eq!(taken(), ["stop by-hand", "stop log"]);
}

empty! {
    Sun (name = "sun", provides = ["clock"], version = "1.0.0")
    Quartz (name = "quartz", provides = ["clock"], version = "2.0.0")
    Alarm (name = "alarm", dependencies("clock" = "^2"))
}

#[test]
fn the_chosen_provider_is_the_one_that_is_needed() {
    let build = |choice: &str| {
        let config: ConfigMap = [("services.clock", choice)].into_iter().collect();
        Runtime::builder().config(config).modules(modules![Alarm, Sun, Quartz]).build()
    };
    let modules = build("quartz").unwrap().modules();
    let order: Vec<_> = modules.iter().map(|module| module.info.name).collect();
    assert_eq!(order, ["sun", "quartz", "alarm"]);
    assert_eq!(modules[2].needs[0].1, Some("quartz"));
    assert_eq!(
        build("sun").unwrap_err().to_string(),
        "`alarm` needs `clock` in a version that matches `^2`, but `sun` is 1.0.0"
    );
}
