//! Modules that come back to themselves while interrupts come: an error that shows the way, or later, and never a hang.

use alloc::string::ToString;
use alloc::vec::Vec;

use demo_contracts::ClockClient;

use super::{Failure, ensure, expect};
use crate::kernel::Kernel;
use crate::{board, irq, say};

const ROUNDS: u32 = 50;
const ECHOES: u32 = 8;

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    kernel.start_timer();
    let runtime = kernel.runtime;
    for round in 0..ROUNDS {
        let Err(error) = runtime.call::<(), u32>("fragile.ask_itself", ()) else {
            return Err(Failure::new("a module called itself, and that was no error"));
        };
        let error = error.to_string();
        if round == 0 {
            say!("a module that calls itself is told: {error}");
        }
        ensure(error.contains("fragile -> fragile"), "the error does not show the way back")?;

        let before = runtime.call::<(), Vec<u32>>("fragile.echoes", ())?.len() as u32;
        let meanwhile = runtime.call::<(u32,), u32>("fragile.echo", (ECHOES,))?;
        expect("echoes before the module has returned", meanwhile, before)?;
        runtime.call::<(), ()>("fragile.listen_and_leave", ())?;
        kernel.run_for(1);
    }
    let echoes = runtime.call::<(), Vec<u32>>("fragile.echoes", ())?;
    let expected: Vec<u32> = (0..ROUNDS).flat_map(|_| 0..ECHOES).collect();
    say!("what it publishes to itself comes when it has returned, in order: {} of {}", echoes.len(), expected.len());
    expect("echoes", echoes, expected)?;
    say!("it listened and left {ROUNDS} times in the middle of a call");
    board::stop_timer();
    kernel.turn();
    let clock = runtime.service::<ClockClient>()?.stats()?;
    say!("interrupts lost meanwhile: {}", u64::from(irq::ticks()) - clock.interrupts);
    expect("interrupts that the timer module has counted", clock.interrupts, irq::ticks().into())?;
    kernel.shut_down()
}
