//! The kernel around the runtime: which modules there are, which lines lead to them, and the idle loop.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use core::time::Duration;

use helix_runtime::{
    Event, EventResponse, EventSubscription, EventTopic, Interrupt, MemoryPressure, ModuleSet, ModuleState,
    PressureLevel, Runtime, modules,
};
use spin::Once;

use crate::modules::{fragile, probe, shell, tally};
use crate::scenario::Failure;
use crate::{board, heap, irq, say};

/// Which line is which, for those who listen to `Interrupt`.
pub const TIMER_LINE: u32 = 0;
/// The line of the kernel's own interrupts.
pub const SOFTWARE_LINE: u32 = 1;
/// The console's line.
pub const SERIAL_LINE: u32 = 4;

/// The rate of the timer, in interrupts a second.
pub const HZ: u32 = 1000;

static CONFIG: &[(&str, &str)] = &[("journal.capacity", "32"), ("scheduler.round-robin.cpus", "2")];

/// From one interrupt of the timer to the next. The timer module has the same for its default.
const PERIOD_US: u32 = 1_000_000 / HZ;

static RUNTIME: Once<Runtime> = Once::new();

/// The demo's modules, as they are, and the kernel's own. Each has its record in the image.
// Of those that hear an event with the same priority, the first one listed is called first.
fn modules() -> ModuleSet {
    modules![
        probe::Probe,
        memory_watch::MemoryWatch,
        round_robin::RoundRobin,
        journal::Journal,
        timer::Timer,
        shell::Shell,
        tally::Tally,
        fragile::Fragile,
    ]
}

/// The module whose code runs at present, or the closure of the kernel's own.
pub fn current_module() -> Option<&'static str> {
    // SAFETY: the kernel runs on one processor.
    RUNTIME.get().and_then(|runtime| unsafe { runtime.current_module() })
}

/// The time since the timer was started, by the timer itself.
pub fn now() -> Duration {
    Duration::from_micros(u64::from(PERIOD_US) * u64::from(irq::ticks()))
}

/// A kernel that has booted.
pub struct Kernel {
    /// The modules.
    pub runtime: &'static Runtime,
    /// The last that was published of it.
    pressure: PressureLevel,
}

impl Kernel {
    /// Builds the runtime, starts the modules and enables interrupts.
    pub fn boot() -> Result<Self, Failure> {
        say!("Helix on {}; {} KiB of heap", board::NAME, heap::SIZE >> 10);
        let runtime = Runtime::builder()
            .config(CONFIG)
            .modules(modules())
            .line(&irq::TIMER, |count, _| Interrupt { line: TIMER_LINE, count })
            .line(&irq::SOFTWARE, |count, _| Interrupt { line: SOFTWARE_LINE, count })
            .line(&irq::SERIAL, |count, _| Interrupt { line: SERIAL_LINE, count })
            .payloads(irq::keys(), |byte, _| shell::Key { byte })
            .build()?;
        let runtime = RUNTIME.call_once(|| runtime);
        let told = |event: &Event| {
            match event {
                Event::ModuleLoaded(module) => say!("  started  {}", module.name),
                Event::ModuleUnloaded(module) => say!("  stopped  {}", module.name),
                Event::ModuleReloaded(module) => say!("  replaced {}", module.name),
                _ => return EventResponse::Ignored,
            }
            EventResponse::Handled
        };
        runtime.subscribe(EventSubscription::new("boot-log", vec![EventTopic::Module], Box::new(told)))?;
        runtime.start()?;
        board::enable_interrupts();
        Ok(Self { runtime, pressure: PressureLevel::Normal })
    }

    /// Starts the timer.
    pub fn start_timer(&mut self) {
        board::start_timer(HZ);
    }

    /// One round of the idle loop: what interrupts have raised, and what else waits.
    pub fn turn(&mut self) {
        self.runtime.poll(now());
        let level = heap::level();
        if level != self.pressure {
            self.pressure = level;
            let heard = self.runtime.publish(&MemoryPressure { level });
            if !heard.is_clean() {
                log::warn!("memory pressure was not heard by all: {heard:?}");
            }
        }
    }

    /// The idle loop, until something has come about. Where there is nothing to do, the processor sleeps.
    pub fn run_until(&mut self, mut done: impl FnMut() -> bool) {
        loop {
            self.turn();
            if done() {
                return;
            }
            board::disable_interrupts();
            if self.runtime.has_work() {
                board::enable_interrupts();
            } else {
                board::enable_interrupts_and_wait();
            }
        }
    }

    /// The idle loop, for so many interrupts of the timer.
    pub fn run_for(&mut self, ticks: u32) {
        let began = irq::ticks();
        self.run_until(|| irq::ticks().wrapping_sub(began) >= ticks);
    }

    /// Stops the timer and then the modules, those that are needed last.
    pub fn shut_down(mut self) -> Result<(), Failure> {
        board::stop_timer();
        self.turn();
        let sick = self.runtime.health().into_iter().find(|health| !health.healthy);
        if let Some(health) = sick {
            return Err(Failure::new(format!("{} is not well: {:?}", health.module, health.reason)));
        }
        self.runtime.stop()?;
        let left = self.runtime.modules().into_iter().find(|module| module.state != ModuleState::Stopped);
        left.map_or(Ok(()), |module| Err(Failure::new(format!("{} is {}", module.info.name, module.state))))
    }
}
