//! What there is to say of an event besides its name.

use alloc::format;
use alloc::string::{String, ToString};

use helix_runtime::prelude::*;

pub(crate) fn detail(event: &Event) -> String {
    match event {
        Event::Tick(tick) => format!("number {}", tick.tick_number),
        Event::Interrupt(interrupt) => format!("line {}", interrupt.line),
        Event::MemoryPressure(pressure) => match pressure.level {
            PressureLevel::Normal => "normal",
            PressureLevel::Moderate => "moderate",
            PressureLevel::Critical => "critical",
        }
        .to_string(),
        Event::CpuHotplug(cpu) => format!("cpu {} {}", cpu.cpu_id, if cpu.online { "online" } else { "offline" }),
        Event::ProcessCreated(process) => format!("pid {}", process.pid),
        Event::ProcessExited(process) => format!("pid {}, code {}", process.pid, process.code),
        Event::ModuleLoaded(module) => module.name.as_str().to_string(),
        Event::ModuleUnloaded(module) => module.name.as_str().to_string(),
        Event::ModuleReloaded(module) => module.name.as_str().to_string(),
        Event::ModuleCrashed(module) => module.name.as_str().to_string(),
        Event::HealthCheck(check) => {
            format!("{} is {}", check.name, if check.healthy { "well" } else { "not well" })
        }
        Event::Custom(custom) => match custom.data() {
            Some(data) => format!("{} bytes", data.len()),
            None => custom.topic().to_string(),
        },
        // Events that have nothing more to say, and those that are not known yet.
        _ => String::new(),
    }
}
