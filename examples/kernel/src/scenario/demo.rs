//! The tour: the modules start, talk, are driven by real interrupts, tell what happened, and stop in order.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use demo_contracts::{ClockClient, JournalClient, MemoryClient, Priority, SchedulerClient};
use helix_runtime::{CpuHotplug, Event, EventResponse, EventSubscription, EventTopic, PublishResult, Runtime};

use super::table::{average, cost, unit};
use super::{Failure, ensure, expect, latency};
use crate::kernel::{HZ, Kernel};
use crate::{board, heap, irq, say};

const TASKS: [(&str, Priority); 4] = [
    ("editor", Priority::High),
    ("build", Priority::Normal),
    ("tests", Priority::Normal),
    ("backup", Priority::Background),
];

static SHUTDOWN: AtomicBool = AtomicBool::new(false);

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    modules(kernel.runtime);
    story(&mut kernel)?;
    board::stop_timer();
    kernel.turn();
    tasks(kernel.runtime)?;
    events(kernel.runtime)?;
    latencies(kernel.runtime)?;
    health(kernel.runtime)?;
    wait_for_console(&mut kernel)?;
    say!("\nSHUTDOWN  who is needed goes last");
    kernel.shut_down()
}

fn modules(runtime: &Runtime) {
    say!("\nMODULES  in the order in which they start: each after what it needs");
    for (at, module) in runtime.modules().iter().enumerate() {
        let lock = if module.lockless { "no lock" } else { "lock" };
        let needs: Vec<_> =
            module.needs.iter().filter_map(|(need, by)| Some(format!("{} = {}", need.name, (*by)?))).collect();
        let needs = if needs.is_empty() { String::from("-") } else { needs.join(", ") };
        say!("  {} {:<22} {:<7} {:<8} {needs}", at + 1, module.info.name, module.info.version.to_string(), lock);
    }
}

fn story(kernel: &mut Kernel) -> Result<(), Failure> {
    let runtime = kernel.runtime;
    let scheduler: SchedulerClient = runtime.service()?;
    say!("\nWHAT HAPPENED  by the timer, {HZ} interrupts a second");
    let mut pids = [0; TASKS.len()];
    for (pid, (name, priority)) in pids.iter_mut().zip(TASKS) {
        *pid = scheduler.spawn(name, priority)?;
    }
    tell(format_args!("scheduler.spawn: {} tasks", pids.len()));
    let [editor, build, ..] = pids;
    kernel.start_timer();
    kernel.run_for(50);
    scheduler.block(editor)?;
    tell(format_args!("scheduler.block({editor}): the editor waits for a key"));
    kernel.run_for(50);
    hotplug(runtime, 1, false)?;
    kernel.run_for(50);
    hotplug(runtime, 1, true)?;
    let refused = runtime.publish(&CpuHotplug { cpu_id: 99, online: true });
    let refusal = refused.first_error.ok_or_else(|| Failure::new("nobody has refused cpu 99"))?;
    tell(format_args!("cpu 99 comes online: refused by {}: {}", refusal.0, refusal.1));
    pressure(kernel)?;
    let exited = scheduler.exit(build, 0)?;
    tell(format_args!("scheduler.exit({build}): it has run and waited for {} ticks", exited.run + exited.waited));
    kernel.run_for(30);
    Ok(())
}

fn tell(what: core::fmt::Arguments<'_>) {
    say!("  {:>4} ms  {what}", irq::ticks());
}

fn hotplug(runtime: &Runtime, cpu_id: u32, online: bool) -> Result<(), Failure> {
    heard_by_all(&runtime.publish(&CpuHotplug { cpu_id, online }))?;
    let to = if online { "online" } else { "offline" };
    let cpus = runtime.service::<SchedulerClient>()?.stats()?.cpus;
    tell(format_args!(
        "cpu {cpu_id} goes {to}: {} of {} run",
        cpus.iter().filter(|cpu| cpu.online).count(),
        cpus.len()
    ));
    Ok(())
}

fn heard_by_all(result: &PublishResult) -> Result<(), Failure> {
    ensure(result.is_clean(), "an event was not heard by all")
}

/// Uses memory up, by the allocator's own count, and gives it back.
fn pressure(kernel: &mut Kernel) -> Result<(), Failure> {
    let (memory, journal): (MemoryClient, JournalClient) = (kernel.runtime.service()?, kernel.runtime.service()?);
    for percent in [80, 95, 0] {
        let ballast = (heap::SIZE / 100 * percent).saturating_sub(heap::used());
        let ballast: Vec<u8> = Vec::with_capacity(ballast);
        kernel.run_for(20);
        let (report, entries) = (memory.report()?, journal.stats()?.capacity);
        let parked = report.parked.len();
        tell(format_args!(
            "memory pressure is {:?}: the journal keeps {entries}, {parked} tasks are blocked",
            report.level
        ));
        drop(ballast);
    }
    expect("changes of pressure", memory.report()?.changes, 3)
}

fn tasks(runtime: &Runtime) -> Result<(), Failure> {
    let stats = runtime.service::<SchedulerClient>()?.stats()?;
    say!("\nSCHEDULE  the scheduler's accounts, in ticks, {} of them; nobody runs its tasks", stats.ticks);
    say!("  pid name    priority     run  waited blocked  state");
    for task in &stats.tasks {
        let priority = task.priority.to_string();
        say!(
            "  {:>3} {:<8}{:<10}{:>6}{:>8}{:>8}  {}",
            task.pid,
            task.name,
            priority,
            task.run,
            task.waited,
            task.blocked,
            task.state
        );
    }
    for cpu in &stats.cpus {
        say!("  cpu {}: busy {}, idle {}, {} switches", cpu.cpu, cpu.busy, cpu.idle, cpu.switches);
    }
    expect("ticks that the scheduler has counted", stats.ticks, irq::ticks().into())
}

fn events(runtime: &Runtime) -> Result<(), Failure> {
    let clock = runtime.service::<ClockClient>()?.stats()?;
    say!("\nEVENTS  as the journal has heard them");
    for count in runtime.service::<JournalClient>()?.counts()? {
        say!("  {:<20}{:>6}", count.name, count.count);
    }
    say!("  interrupts of the timer: {}, lost: {}", irq::ticks(), u64::from(irq::ticks()) - clock.interrupts);
    expect("interrupts that the timer module has counted", clock.interrupts, irq::ticks().into())?;
    expect("handlers that a tick did not reach", clock.missed, 0)
}

fn latencies(runtime: &Runtime) -> Result<(), Failure> {
    let (clock, scheduler): (ClockClient, SchedulerClient) = (runtime.service()?, runtime.service()?);
    let (memory, journal): (MemoryClient, JournalClient) = (runtime.service()?, runtime.service()?);
    let ticks = runtime.resolve::<(), u64>("tally.ticks")?;
    say!("\nLATENCIES  in {}, on average", unit());
    let row = |name: &str, cost: u64| say!("  {name:<26}{cost:>7}");
    row("interrupt, to its handler", cost(latency::of_an_interrupt(runtime)));
    row("tally.ticks, by handle", average(64, || ticks.call(())));
    row("tally.ticks, by name", average(64, || runtime.call::<(), u64>("tally.ticks", ())));
    row("clock.now, by contract", average(64, || clock.now()));
    row("memory.report", average(64, || memory.report()));
    row("journal.stats", average(64, || journal.stats()));
    row("scheduler.stats", average(64, || scheduler.stats()));
    Ok(())
}

fn health(runtime: &Runtime) -> Result<(), Failure> {
    let health = runtime.health();
    let well = health.iter().filter(|health| health.healthy).count();
    say!("\nHEALTH  {well} of {} modules are well", health.len());
    expect("modules that are well", well, health.len())
}

/// The shell makes an event of the line `shutdown`; whoever boots this types it.
fn wait_for_console(kernel: &mut Kernel) -> Result<(), Failure> {
    let told = |event: &Event| {
        if matches!(event, Event::Shutdown(_)) {
            SHUTDOWN.store(true, Ordering::Relaxed);
        }
        EventResponse::Handled
    };
    let topics = alloc::vec![EventTopic::Shutdown];
    kernel.runtime.subscribe(EventSubscription::new("kernel", topics, alloc::boxed::Box::new(told)))?;
    say!("\nCONSOLE  type `shutdown`");
    board::listen();
    kernel.run_until(|| SHUTDOWN.load(Ordering::Relaxed));
    let bytes = kernel.runtime.call::<(), u32>("shell.bytes", ())?;
    say!("  {bytes} bytes came by the serial port's interrupts, and with them `shutdown`");
    ensure(bytes as usize > "shutdown".len(), "the console has said less than `shutdown`")
}
