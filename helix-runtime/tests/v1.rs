//! Modules of the first version in a runtime, and those of the second in a program of the first.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use helix_runtime::prelude::*;
use helix_runtime::v1::{Module, ModuleAdapter, ModuleContext, ModuleDependency, ModuleMetadata, Upgraded};
use helix_runtime::{
    ConfigMap, Dependency, ModuleFlags, ModuleInfo, ModuleKind, ModuleResult, ModuleState, ModuleTrait, Runtime,
    SavedState, modules,
};

type Trace = Arc<Mutex<Vec<String>>>;

/// Counts what it is sent.
struct Counter {
    metadata: ModuleMetadata,
    count: u8,
    fails: &'static str,
    trace: Trace,
}

impl Counter {
    fn new(metadata: ModuleMetadata) -> Self {
        Self { metadata, count: 0, fails: "", trace: Trace::default() }
    }

    fn traced(metadata: ModuleMetadata, trace: &Trace) -> Self {
        Self { trace: trace.clone(), ..Self::new(metadata) }
    }

    fn step(&self, step: &'static str) -> ModuleResult<()> {
        self.trace.lock().unwrap().push(format!("{step} {}", self.metadata.name));
        if self.fails == step { Err(ModuleError::new("told to fail")) } else { Ok(()) }
    }
}

impl Module for Counter {
    fn metadata(&self) -> &ModuleMetadata {
        &self.metadata
    }
    fn init(&mut self, context: &ModuleContext) -> ModuleResult<()> {
        let config: Vec<_> = context.config.iter().map(|(key, value)| format!("{key}={value}")).collect();
        self.trace.lock().unwrap().push(format!("given #{} [{}]", context.module_id, config.join(" ")));
        self.step("init")
    }
    fn start(&mut self) -> ModuleResult<()> {
        self.step("start")
    }
    fn stop(&mut self) -> ModuleResult<()> {
        self.step("stop")
    }
    fn handle_message(&mut self, kind: &str, payload: &[u8]) -> ModuleResult<Response> {
        match kind {
            "add" => {
                self.count += payload[0];
                Ok(Response::ok_empty())
            }
            "count" => Ok(Response::ok([self.count])),
            "err" => Ok(Response::err("it is so")),
            "reject" => Ok(Response::rejected("not you")),
            "fail" => Err(ModuleError::new("told to fail")),
            "panic" => panic!("told to panic"),
            _ => Ok(Response::not_supported()),
        }
    }
    fn is_healthy(&self) -> bool {
        self.count < 100
    }
    fn save_state(&self) -> Option<Vec<u8>> {
        (self.count > 0).then(|| vec![self.count])
    }
    fn restore_state(&mut self, state: &[u8]) -> ModuleResult<()> {
        let [count] = state else { return Err(ModuleError::new("expected one byte")) };
        self.count = *count;
        Ok(())
    }
}

fn full() -> ModuleMetadata {
    ModuleMetadata {
        description: "Counts".into(),
        author: "A. Nonymous".into(),
        license: "MIT".into(),
        kind: Some(ModuleKind::App),
        flags: ModuleFlags::ESSENTIAL | ModuleFlags::HOT_RELOADABLE | ModuleFlags::DRIVER,
        dependencies: vec![
            "base".into(),
            ModuleDependency {
                requirement: ">=1.0, <2.0".into(),
                features: vec!["fast".into()],
                optional: true,
                ..ModuleDependency::from("extra")
            },
        ],
        provides: vec!["counting".into()],
        features: vec!["wide".into()],
        permissions: vec!["subscribe_events".into()],
        ..ModuleMetadata::new("counter", "1.2.3-beta.1")
    }
}

/// The same, as the second version has it.
fn full_info() -> ModuleInfo {
    ModuleInfo::new("counter")
        .version_str("1.2.3-beta.1")
        .description("Counts")
        .author("A. Nonymous")
        .license("MIT")
        .kind(ModuleKind::App)
        .flags(ModuleFlags::ESSENTIAL | ModuleFlags::HOT_RELOADABLE | ModuleFlags::DRIVER)
        .requires(
            const {
                &[
                    Dependency::new("base"),
                    Dependency::new("extra").version(">=1.0, <2.0").features(&["fast"]).optional(),
                ]
            },
        )
        .provides(&["counting"])
        .features(&["wide"])
        .permissions(&["subscribe_events"])
}

#[helix_module(name = "base", version = "1.0.0")]
#[derive(Default)]
pub struct Base;
#[helix_handlers]
impl Base {}

#[helix_module(name = "user", dependencies = ["counting"])]
#[derive(Default)]
pub struct User;
#[helix_handlers]
impl User {
    #[on_request]
    fn add(&self, n: u8, ctx: &Context) -> Result<Vec<u8>, ModuleError> {
        ctx.request("counting", Request::new("add").with_payload([n]))?;
        match ctx.request("counting", Request::new("count"))? {
            Response::Success(bytes) => Ok(bytes),
            other => Err(ModuleError::new(format!("{other:?}"))),
        }
    }
}

fn upgraded(module: impl Module + 'static) -> Box<Upgraded> {
    Box::new(Upgraded::new(Box::new(module)).unwrap())
}

fn plain() -> Counter {
    Counter::new(ModuleMetadata::new("counter", "1.0.0"))
}

fn running(module: impl Module + 'static) -> Runtime {
    let runtime = Runtime::builder().add(upgraded(module)).build().unwrap();
    runtime.start().unwrap();
    runtime
}

#[test]
fn an_older_module_shows_all_its_metadata_in_a_runtime() {
    let runtime = Runtime::builder().add(upgraded(Counter::new(full()))).modules(modules![Base]).build().unwrap();
    let status = &runtime.modules()[1];
    assert_eq!(status.info, full_info());
    assert_eq!(status.info.to_string(), "counter 1.2.3-beta.1");
    assert_eq!(status.needs[0].1, Some("base"));
    assert_eq!(status.needs[1].1, None, "an optional dependency may be missing");
}

#[test]
fn an_older_module_lives_and_works_among_newer_ones() {
    let trace = Trace::default();
    let released = ModuleMetadata { version: "1.2.3".into(), ..full() };
    let runtime = Runtime::builder()
        .modules(modules![User, ..])
        .add(upgraded(Counter::traced(released, &trace)))
        .modules(modules![Base])
        .build()
        .unwrap();
    runtime.start().unwrap();
    let order: Vec<_> = runtime.modules().iter().map(|module| module.info.name).collect();
    assert_eq!(order, ["base", "counter", "user"]);
    assert_eq!(*trace.lock().unwrap(), ["given #1 []", "init counter", "start counter"]);
    assert_eq!(runtime.call::<(u8,), Vec<u8>>("user.add", (3,)).unwrap(), [3]);
    assert_eq!(runtime.call::<(u8,), Vec<u8>>("user.add", (4,)).unwrap(), [7]);
    runtime.stop().unwrap();
    assert_eq!(trace.lock().unwrap().last().unwrap(), "stop counter");
}

#[test]
fn what_an_older_module_needs_is_checked_as_for_any_other() {
    let needs = |dependency: ModuleDependency| {
        let metadata = ModuleMetadata { dependencies: vec![dependency], ..ModuleMetadata::new("counter", "1.0.0") };
        let builder = Runtime::builder().add(upgraded(Counter::new(metadata))).modules(modules![Base]);
        builder.build().err().map(|error| error.to_string())
    };
    assert_eq!(needs("base".into()), None);
    assert_eq!(
        needs(ModuleDependency { requirement: "^2".into(), ..ModuleDependency::from("base") }).unwrap(),
        "`counter` needs `base` in a version that matches `^2`, but `base` is 1.0.0"
    );
    assert!(needs("gone".into()).unwrap().starts_with("`counter` needs `gone`, which no module here is or provides"));
    assert_eq!(needs(ModuleDependency { optional: true, ..ModuleDependency::from("gone") }), None);
}

#[test]
fn an_older_module_is_given_the_keys_that_were_named_for_it() {
    let trace = Trace::default();
    let config: ConfigMap =
        [("counter.depth", "3"), ("counter.name", "x y"), ("counter.secret", "s")].into_iter().collect();
    let metadata = ModuleMetadata::new("counter", "1.0.0");
    let module = Upgraded::new(Box::new(Counter::traced(metadata, &trace))).unwrap();
    let module = module.with_config_keys(["name", "unset"]).with_config_keys(&[String::from("depth")]);
    let runtime = Runtime::builder().config(config).add(Box::new(module)).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(trace.lock().unwrap()[0], "given #0 [depth=3 name=x y]");
}

#[test]
fn messages_of_every_outcome_reach_an_older_module() {
    let runtime = running(plain());
    let ask = |kind: &str, payload: &[u8]| runtime.request("counter", Request::new(kind).with_payload(payload));
    assert_eq!(ask("add", &[5]).unwrap(), Response::ok_empty());
    assert_eq!(ask("count", &[]).unwrap(), Response::ok([5]));
    assert_eq!(ask("err", &[]).unwrap(), Response::err("it is so"));
    assert_eq!(ask("reject", &[]).unwrap(), Response::rejected("not you"));
    assert_eq!(ask("no-such", &[]).unwrap(), Response::not_supported());
    assert_eq!(ask("fail", &[]).unwrap_err().to_string(), "counter.fail: told to fail");
    assert_eq!(ask("panic", &[]).unwrap_err().to_string(), "counter.panic: module `counter` panicked: told to panic");
    assert_eq!(runtime.modules()[0].state, ModuleState::Failed);
}

#[test]
fn an_older_module_hears_no_event() {
    let runtime = running(plain());
    let result = runtime.publish(&Tick { timestamp_ns: 0, tick_number: 1 });
    assert_eq!(result.handled, 0);
    assert!(result.is_clean());
}

#[test]
fn the_health_of_an_older_module_is_its_own_word() {
    let runtime = running(plain());
    assert!(runtime.health()[0].healthy);
    runtime.request("counter", Request::new("add").with_payload([100])).unwrap();
    assert!(!runtime.health()[0].healthy);
}

#[test]
fn the_state_of_an_older_module_goes_to_the_next() {
    let with = |state: SavedState| Runtime::builder().add(upgraded(plain())).state(state).build().unwrap();
    let count = |runtime: &Runtime| runtime.request("counter", Request::new("count")).unwrap();

    let runtime = running(plain());
    let nothing = runtime.save("counter").unwrap().unwrap();
    runtime.request("counter", Request::new("add").with_payload([42])).unwrap();
    let saved = runtime.save("counter").unwrap().unwrap();

    let next = with(saved.clone());
    next.start().unwrap();
    assert_eq!(count(&next), Response::ok([42]));

    let fresh = with(nothing);
    fresh.start().unwrap();
    assert_eq!(count(&fresh), Response::ok([0]));

    let two = SavedState { bytes: vec![1, 2, 8, 8], ..saved };
    let refused = with(two).start().unwrap_err();
    assert_eq!(refused.to_string(), "module `counter`, on_restore: expected one byte");
}

#[test]
fn a_step_of_an_older_module_that_fails_is_named() {
    for (fails, step) in [("init", "on_init"), ("start", "on_start")] {
        let runtime = Runtime::builder().add(upgraded(Counter { fails, ..plain() })).build().unwrap();
        assert_eq!(runtime.start().unwrap_err().to_string(), format!("module `counter`, {step}: told to fail"));
    }
    let runtime = running(Counter { fails: "stop", ..plain() });
    assert_eq!(runtime.stop().unwrap_err().to_string(), "module `counter`, on_stop: told to fail");
}

const NAME: &str = "expected lower-case words and digits joined by single `.`, `_`, `/` or `-`, at most 64 bytes";

#[test]
fn metadata_that_say_nothing_are_refused() {
    let error = Upgraded::new(Box::new(Counter::new(ModuleMetadata::new("", "")))).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "v1 module ``: name: found ``, {NAME}; version: found ``, expected major.minor.patch such as `1.0.0` \
             (expected a number at byte 0)"
        )
    );
}

#[test]
fn each_fault_of_the_metadata_is_told_at_once() {
    let metadata = ModuleMetadata {
        dependencies: vec![
            "ok".into(),
            "Not Ok".into(),
            ModuleDependency {
                requirement: "latest".into(),
                features: vec!["-".into()],
                ..ModuleDependency::from("timer")
            },
        ],
        provides: vec!["clock".into(), "a..b".into()],
        features: vec!["Wide".into()],
        permissions: vec!["sub events".into()],
        ..ModuleMetadata::new("services", "1.0")
    };
    let error = Upgraded::new(Box::new(Counter::new(metadata.clone()))).unwrap_err().to_string();
    let (module, faults) = error.split_once(": ").unwrap();
    assert_eq!(module, "v1 module `services`");
    assert_eq!(
        faults.split("; ").collect::<Vec<_>>(),
        [
            "name: found `services`, expected another: the configuration chooses providers under this one",
            "version: found `1.0`, expected major.minor.patch such as `1.0.0` (expected `.`: a version is major.minor.patch at byte 3)",
            &format!("dependency: found `Not Ok`, {NAME}"),
            &format!("dependency `timer`, features: found `-`, {NAME}"),
            "dependency `timer`, requirement: found `latest`, expected one such as `^1.2` or `*` (expected a number at byte 0)",
            &format!("provides: found `a..b`, {NAME}"),
            &format!("features: found `Wide`, {NAME}"),
            &format!("permissions: found `sub events`, {NAME}"),
        ]
    );
    let again = Upgraded::new(Box::new(Counter::new(metadata))).unwrap_err().to_string();
    assert_eq!(again, error);
}

#[test]
fn equal_metadata_are_kept_once() {
    let (first, second) = (upgraded(Counter::new(full())), upgraded(Counter::new(full())));
    assert!(std::ptr::eq(first.info().name, second.info().name));
    assert!(std::ptr::eq(first.info().provides, second.info().provides));
    let other = upgraded(Counter::new(ModuleMetadata { author: "Another".into(), ..full() }));
    assert_eq!((other.info().author, first.info().author), ("Another", "A. Nonymous"));
    let built = upgraded(Counter::new(ModuleMetadata { version: "1.2.3-beta.1+abc".into(), ..full() }));
    assert_eq!(built.info(), first.info(), "build metadata are not kept");
}

/// A module of the second version: keeps what it was last asked, and takes a number from its configuration.
#[derive(Default)]
struct Newer {
    last: Vec<u8>,
    limit: usize,
    world: Vec<String>,
}

impl ModuleTrait for Newer {
    fn info(&self) -> ModuleInfo {
        full_info()
    }
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.limit = ctx.config_usize("limit")?.unwrap_or(1000);
        let nobody = ctx.request("other", Request::new("x")).unwrap_err();
        let heard = ctx.publish(&Tick { timestamp_ns: 0, tick_number: 0 });
        self.world = vec![ctx.id.to_string(), ctx.name().into(), nobody.to_string(), heard.handled.to_string()];
        Ok(())
    }
    fn stop(&mut self) -> Result<(), ModuleError> {
        Err(ModuleError::new("told to fail"))
    }
    fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
        match request.request_type.as_str() {
            "set" if request.payload.len() > self.limit => Ok(Response::rejected("too long")),
            "set" => {
                self.last = request.payload.clone();
                Ok(Response::ok_empty())
            }
            "get" => Ok(Response::ok(self.last.clone())),
            "source" => Ok(Response::ok(request.source())),
            "world" => Ok(Response::ok(self.world.join(", "))),
            "fail" => Err(ModuleError::new("told to fail")),
            _ => Ok(Response::not_supported()),
        }
    }
    fn is_healthy(&self) -> bool {
        self.last != b"ill"
    }
    fn save_state(&self) -> Option<Vec<u8>> {
        (!self.last.is_empty()).then(|| self.last.clone())
    }
    fn restore_state(&mut self, state: &[u8]) -> Result<(), ModuleError> {
        self.last = state.to_vec();
        Ok(())
    }
}

fn adapted() -> Box<dyn Module> {
    Box::new(ModuleAdapter::new(Newer::default()))
}

fn context(config: &[(&str, &str)]) -> ModuleContext {
    let config = config.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    ModuleContext { module_id: 7, config }
}

#[test]
fn a_newer_module_shows_all_its_metadata_to_an_older_program() {
    assert_eq!(*adapted().metadata(), full());
}

#[test]
fn a_newer_module_is_configured_by_an_older_program() {
    let mut module = adapted();
    module.init(&context(&[("limit", "2")])).unwrap();
    module.start().unwrap();
    assert_eq!(module.handle_message("set", b"abc").unwrap(), Response::rejected("too long"));
    let error = adapted().init(&context(&[("limit", "two")])).unwrap_err();
    assert_eq!(error.to_string(), "config key `limit`: found `two`, expected a whole number, 0 or above");
}

#[test]
fn a_newer_module_is_alone_in_an_older_program() {
    let mut module = adapted();
    module.init(&context(&[])).unwrap();
    let world = module.handle_message("world", &[]).unwrap();
    assert_eq!(world, Response::ok("#7, counter, no module or service is called `other`, 0"));
    assert_eq!(module.handle_message("source", &[]).unwrap(), Response::ok_empty());
}

#[test]
fn messages_health_state_and_steps_of_a_newer_module_are_carried() {
    let mut module = adapted();
    module.init(&context(&[])).unwrap();
    module.start().unwrap();
    assert_eq!(module.save_state(), None);
    assert_eq!(module.handle_message("set", b"ill").unwrap(), Response::ok_empty());
    assert_eq!(module.handle_message("no-such", b"").unwrap(), Response::not_supported());
    assert_eq!(module.handle_message("fail", b"").unwrap_err().to_string(), "told to fail");
    assert!(!module.is_healthy());
    let mut next = adapted();
    next.init(&context(&[])).unwrap();
    next.restore_state(&module.save_state().unwrap()).unwrap();
    assert_eq!(next.handle_message("get", b"").unwrap(), Response::ok(b"ill"));
    assert_eq!(module.stop().unwrap_err().to_string(), "told to fail");
}

#[test]
fn a_newer_module_comes_back_from_the_older_version_unchanged() {
    let module = || upgraded(ModuleAdapter::new(Newer::default())).with_config_keys(["limit"]);
    let build = || {
        let config: ConfigMap = [("counter.limit", "3")].into_iter().collect();
        Runtime::builder().config(config).add(Box::new(module())).modules(modules![Base])
    };
    let runtime = build().build().unwrap();
    assert_eq!(runtime.modules()[1].info, full_info());
    runtime.start().unwrap();
    let ask = |runtime: &Runtime, request: Request| runtime.request("counting", request).unwrap();
    assert_eq!(ask(&runtime, Request::new("set").with_payload(b"long")), Response::rejected("too long"));
    assert_eq!(ask(&runtime, Request::new("set").with_payload(b"abc")), Response::ok_empty());
    assert!(runtime.health().iter().all(|health| health.healthy));
    let saved = runtime.save("counter").unwrap().unwrap();

    let next = build().state(saved.clone()).build().unwrap();
    next.start().unwrap();
    assert_eq!(ask(&next, Request::new("get")), Response::ok(b"abc"));

    let direct = Runtime::builder().add(Box::new(Newer::default())).modules(modules![Base]).state(saved);
    let direct = direct.build().unwrap();
    direct.start().unwrap();
    assert_eq!(ask(&direct, Request::new("get")), Response::ok(b"abc"), "the state is the module's own");
}

#[test]
fn an_older_module_comes_back_from_the_newer_version_unchanged() {
    let mut module = ModuleAdapter::new(*upgraded(Counter::new(full())));
    assert_eq!(*module.metadata(), full());
    module.init(&context(&[])).unwrap();
    module.restore_state(&[41]).unwrap();
    module.handle_message("add", &[1]).unwrap();
    assert_eq!(module.handle_message("count", &[]).unwrap(), Response::ok([42]));
    assert_eq!(module.save_state(), Some(vec![42]));
    assert!(module.is_healthy());
}
