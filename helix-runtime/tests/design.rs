//! The module of the design's third section, as it stands there.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

extern crate alloc;
use alloc::collections::VecDeque;

use helix_runtime::prelude::*;
use helix_runtime::{ConfigMap, Runtime, modules};

type TaskId = u32;

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    pub quantum_ms: u64,
    pub switches: u64,
}

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct QuantumError {
    pub most: u64,
}

#[helix_service("scheduler")]
pub trait Scheduler {
    fn status(&self) -> Status;
    /// Sets how long a task runs.
    fn set_quantum(&mut self, ms: u64) -> Result<u64, QuantumError>;
}

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "net", name = "net.packet")]
pub struct Packet {
    pub bytes: Vec<u8>,
}

#[helix_message]
pub struct QueueV1 {
    pub queue: Vec<TaskId>,
}

#[helix_message]
pub struct QueueV2 {
    pub queue: Vec<TaskId>,
    pub switches: u64,
}

/// Preemptive round-robin scheduler.
///
/// A second paragraph that is not the description.
#[helix_module(
    name = "scheduler.round-robin",
    provides = [Scheduler, "cpu.scheduling"],
    dependencies("timer", "core/ecs" = ">=1.0, <2.0",
                 "core/rendering" = { version = "^1.0", features = ["shaders"] },
                 "trace" = { version = "^0.3", optional = true }),
    flags = SCHEDULER | HOT_RELOADABLE,
    permissions = ["subscribe_events"],
)]
#[derive(Default)]
pub struct RoundRobin {
    #[config(default = 10)]
    time_slice_ms: u64,
    queue: VecDeque<TaskId>,
    switches: u64,
    packets: u64,
}

#[helix_handlers]
impl RoundRobin {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        assert_eq!(ctx.name(), "scheduler.round-robin");
        Ok(())
    }
    #[on_stop]
    fn stop(&mut self) -> Result<(), ModuleError> {
        Ok(())
    }
    #[on_health]
    fn healthy(&self) -> bool {
        true
    }

    #[on_event(Tick, priority = HIGH)]
    fn tick(&mut self, &Tick { timestamp_ns, .. }: &Tick) -> EventResponse {
        self.switches += timestamp_ns;
        EventResponse::Handled
    }
    #[on_event("net.packet")]
    fn packet(&mut self, packet: &Custom, ctx: &Context) {
        assert_eq!(ctx.name(), "scheduler.round-robin");
        self.packets += packet.get::<Packet>().map_or(100, |packet| packet.bytes.len() as u64);
    }

    #[on_request("get_status")]
    fn get_status(&self) -> Status {
        Status { quantum_ms: self.time_slice_ms, switches: self.switches }
    }
    #[on_request("tune", permission = "tune_scheduler")]
    fn tune(&mut self, ms: u64, strict: bool) -> Result<u64, ModuleError> {
        if strict && ms == 0 {
            return Err(ModuleError::new("a slice has a length"));
        }
        Ok(core::mem::replace(&mut self.time_slice_ms, ms))
    }
    #[on_request]
    fn name_length(&self, name: &str, bytes: &[u8]) -> u64 {
        (name.len() + bytes.len()) as u64
    }
    #[on_request("legacy", raw)]
    fn legacy(&mut self, request: &Request) -> Result<Response, ModuleError> {
        Ok(Response::ok(request.payload.clone()))
    }

    #[on_save(version = 2)]
    fn save(&self) -> QueueV2 {
        QueueV2 { queue: self.queue.iter().copied().collect(), switches: self.switches }
    }
    #[on_restore(version = 2)]
    fn restore(&mut self, saved: QueueV2) -> Result<(), ModuleError> {
        self.queue = saved.queue.into();
        self.switches = saved.switches;
        Ok(())
    }
    #[on_restore(version = 1)]
    fn restore_v1(&mut self, saved: QueueV1) -> Result<(), ModuleError> {
        self.queue = saved.queue.into();
        Ok(())
    }
}

impl Scheduler for RoundRobin {
    fn status(&self) -> Status {
        self.get_status()
    }
    fn set_quantum(&mut self, ms: u64) -> Result<u64, QuantumError> {
        if ms > 1000 { Err(QuantumError { most: 1000 }) } else { Ok(core::mem::replace(&mut self.time_slice_ms, ms)) }
    }
}

macro_rules! stand_ins {
    ($($ident:ident $name:literal $version:literal [$($feature:literal)*])*) => { $(
        #[helix_module(name = $name, version = $version, features = [$($feature),*])]
        #[derive(Default)]
        pub struct $ident;
        #[helix_handlers]
        impl $ident {}
    )* };
}
stand_ins! {
    Timer "timer" "1.0.0" []
    Ecs "core/ecs" "1.9.0" []
    Rendering "core/rendering" "1.2.0" ["shaders" "textures"]
}

#[test]
fn the_design_s_module_runs() {
    let config: ConfigMap = [("scheduler.round-robin.time_slice_ms", "7")].into_iter().collect();
    let runtime =
        Runtime::builder().config(config).modules(modules![RoundRobin, Timer, Ecs, Rendering]).build().unwrap();
    let order: Vec<_> = runtime.modules().iter().map(|module| module.info.name).collect();
    assert_eq!(order, ["timer", "core/ecs", "core/rendering", "scheduler.round-robin"]);
    runtime.start().unwrap();

    assert_eq!(runtime.publish(&Tick { timestamp_ns: 5, tick_number: 1 }).handled, 1);
    assert_eq!(runtime.publish(&Packet { bytes: vec![0; 3] }).handled, 1);

    let status: Status = runtime.call::<(), Status>("scheduler.round-robin.get_status", ()).unwrap();
    assert_eq!(status, Status { quantum_ms: 7, switches: 5 });
    let length = runtime.call::<(&str, &[u8]), u64>("scheduler.round-robin.name_length", ("abc", &[1, 2])).unwrap();
    assert_eq!(length, 5);

    let s: SchedulerClient = runtime.service().unwrap();
    assert_eq!(s.set_quantum(5).unwrap(), 7);
    assert_eq!(s.set_quantum(5000), Err(CallError::Handler(QuantumError { most: 1000 })));
    assert_eq!(s.status().unwrap().quantum_ms, 5);

    let failed = runtime.call::<(u64, bool), u64>("scheduler.round-robin.tune", (0, true)).unwrap_err();
    assert_eq!(failed.to_string(), "scheduler.round-robin.tune: a slice has a length");

    let saved = runtime.save("scheduler.round-robin").unwrap().unwrap();
    assert_eq!(saved.version, 2);
    assert!(runtime.health().iter().all(|health| health.healthy));
    runtime.stop().unwrap();
}
