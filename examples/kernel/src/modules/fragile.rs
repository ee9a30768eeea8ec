//! Does what it is told to, and that is nothing good.

use alloc::format;
use alloc::vec::Vec;

use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic};

use crate::board::{self, Fault};

/// Comes to the module that publishes it.
#[helix_message]
#[derive(EventType, Debug, Clone, Copy)]
#[event(topic = "echo")]
pub struct Echo {
    /// Counts up.
    pub number: u32,
}

/// Panics, faults, asks for too much, and comes back to itself.
#[helix_module(name = "fragile")]
#[derive(Default)]
pub struct Fragile {
    echoes: Vec<u32>,
}

#[helix_handlers]
impl Fragile {
    #[on_request]
    fn panic(&mut self) {
        panic!("as it was asked to");
    }

    #[on_request]
    fn fault_stack(&mut self) {
        board::fault(Fault::Stack);
    }

    #[on_request]
    fn fault_null(&mut self) {
        board::fault(Fault::Null);
    }

    #[on_request]
    fn fault_code(&mut self) {
        board::fault(Fault::Code);
    }

    #[on_request]
    fn fault_constant(&mut self) {
        board::fault(Fault::Constant);
    }

    #[on_request]
    fn fault_data(&mut self) {
        board::fault(Fault::Data);
    }

    #[on_request]
    fn fault_run_stack(&mut self) {
        board::fault(Fault::RunStack);
    }

    #[on_request]
    fn fault_run_heap(&mut self) {
        board::fault(Fault::RunHeap);
    }

    /// Asks for memory, and can do without.
    #[on_request]
    fn try_allocate(&mut self, bytes: u32) -> Result<u32, ModuleError> {
        let mut memory: Vec<u8> = Vec::new();
        memory
            .try_reserve_exact(bytes as usize)
            .map_err(|_| ModuleError::new(format!("no memory for {bytes} bytes")))?;
        Ok(memory.capacity() as u32)
    }

    /// Asks for memory, can do without, and panics for another reason.
    #[on_request]
    fn try_and_panic(&mut self, bytes: u32) {
        let refused = Vec::<u8>::new().try_reserve_exact(bytes as usize).is_err();
        panic!("memory was refused: {refused}, and this is something else");
    }

    /// Asks for memory, and takes for granted that it is there.
    #[on_request]
    fn allocate(&mut self, bytes: u32) -> u32 {
        Vec::<u8>::with_capacity(bytes as usize).capacity() as u32
    }

    /// Asks itself, by way of the runtime.
    #[on_request]
    fn ask_itself(&mut self, ctx: &Context) -> Result<u32, ModuleError> {
        ctx.call::<(), u32>("fragile.ask_itself", ()).map_err(ModuleError::from)
    }

    /// Publishes what it hears itself, which it cannot hear before it has returned.
    #[on_request]
    fn echo(&mut self, times: u32, ctx: &Context) -> Result<u32, ModuleError> {
        for number in 0..times {
            let heard = ctx.publish(&Echo { number });
            if heard.queued != 1 {
                return Err("it was not kept".into());
            }
        }
        Ok(self.echoes.len() as u32)
    }

    #[on_event(Echo)]
    fn echoed(&mut self, echo: &Echo) {
        self.echoes.push(echo.number);
    }

    /// What came back, in order.
    #[on_request]
    fn echoes(&self) -> Vec<u32> {
        self.echoes.clone()
    }

    /// Begins to listen and ends it, in the middle of a call.
    #[on_request]
    fn listen_and_leave(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let handler = alloc::boxed::Box::new(|_: &Event| EventResponse::Handled);
        let topics = alloc::vec![EventTopic::Tick];
        let id = ctx.subscribe(EventSubscription::new("passing-by", topics, handler))?;
        ctx.unsubscribe(id)?;
        Ok(())
    }
}
